/**
 * `vorposten credentials …`: who may submit mail. Everything is done by the running program and holds at once, in all of
 * its workers. No password is ever an argument.
 */
import { Command } from 'commander'
import type { PasswordAnswer } from '#auth/credentials.ts'
import type { CredentialMoved, CredentialRow, CredentialShown, PasswordSet } from './clerks/credentials.ts'
import type { Standing } from './clerks/guesses.ts'
import { type LimitOptions, limitsIn, ownLimitsText, withLimits } from './credentials-limits.ts'
import { EXIT, UserError } from './exit.ts'
import { knownPassword, newPassword, type PasswordOptions, terminal } from './password-input.ts'
import { type Ask, rough } from './queue.ts'

type Desk = (what: string, body: unknown) => Promise<unknown>

interface RestrictionOptions {
  readonly network?: readonly string[]
  readonly sender?: readonly string[]
  readonly anyNetwork?: boolean
  readonly anySender?: boolean
}

interface AddOptions extends PasswordOptions, RestrictionOptions, LimitOptions {
  readonly json?: boolean
}

const out = (text: string): void => void process.stdout.write(`${text}\n`)

export function credentialsCommand(ask: Ask): Command {
  const credentials = new Command('credentials').description('who may submit mail, and with which password')
  const desk: Desk = (what, body) => ask({ kind: 'desk', about: `credentials/${what}`, body })
  addPasswordCommands(credentials, desk)
  addLooks(credentials, desk)
  addRights(credentials, desk)
  credentials.addCommand(applicationPasswords(desk))
  addGuesses(credentials, ask)
  return credentials
}

/** What `ask` answers while nothing runs. */
export function notRunning(): never {
  const advice = 'Start it (vorposten serve): it keeps the credentials.'
  throw new UserError('Vorposten is not running', advice, EXIT.unavailable)
}

function addPasswordCommands(credentials: Command, desk: Desk): void {
  const sources = (command: Command) =>
    command
      .option('--password-stdin', 'the password is the first line of standard input')
      .option('--generate', 'make a password, and show it once')
      .option('--json', 'as JSON')
  const add = credentials.command('add <tenant> <login>').description('a new login, unique in the relay')
  withLimits(sources(add))
    .option('--network <network...>', 'clients must have one of these addresses; any if not given')
    .option('--sender <sender...>', "anna@bakery.example, or @bakery.example; all of the tenant's if not given")
    .action(async (tenant: string, login: string, options: AddOptions) => {
      const { network: networks = [], sender: senders = [] } = options
      const password = await newPassword(options, terminal)
      const limits = limitsIn(options)
      const body = { tenant, login, networks, senders, limits, ...(password !== undefined && { password }) }
      showSet((await desk('add', body)) as PasswordSet, 'added', options.json)
    })
  sources(credentials.command('passwd <login>').description('another password')).action(
    async (login: string, options: AddOptions) => {
      const password = await newPassword(options, terminal)
      const answer = await desk('passwd', { login, ...(password !== undefined && { password }) })
      showSet(answer as PasswordSet, 'has another password', options.json)
    },
  )
  credentials
    .command('try <login>')
    .description('is this the password? asked of a worker, as a client would')
    .option('--password-stdin', 'the password is the first line of standard input')
    .action(async (login: string, options: PasswordOptions) => {
      const password = await knownPassword(options, terminal)
      const answer = (await desk('try', { login, password })) as PasswordAnswer
      out(answerText(login, answer))
      if (answer.kind !== 'right') process.exitCode = answer.kind === 'unknown' ? EXIT.unavailable : EXIT.data
    })
}

function addLooks(credentials: Command, desk: Desk): void {
  credentials
    .command('list')
    .description('all logins')
    .option('--tenant <tenant>', 'of this tenant')
    .option('--json', 'one JSON object per line')
    .action(async ({ tenant, json }: { tenant?: string; json?: boolean }) => {
      let after = ''
      for (;;) {
        const rows = (await desk('list', { after, ...(tenant !== undefined && { tenant }) })) as CredentialRow[]
        for (const row of rows) out(json ? JSON.stringify(row) : rowText(row))
        const last = rows.at(-1)
        if (last === undefined) break
        after = last.login
      }
      if (after === '' && !json) out('There are none. Add one: vorposten credentials add TENANT LOGIN.')
    })
  credentials
    .command('show <login>')
    .description('what a login may do, when and from where it was used, its application passwords')
    .option('--json', 'as JSON')
    .action(async (login: string, options) => {
      const shown = (await desk('show', { login })) as CredentialShown
      out(options.json === true ? JSON.stringify(shown) : shownText(shown))
    })
}

function addRights(credentials: Command, desk: Desk): void {
  const simple = (what: string, description: string, done: (row: CredentialMoved) => string) =>
    credentials
      .command(`${what} <login>`)
      .description(description)
      .action(async (login: string) => out(done((await desk(what, { login })) as CredentialMoved)))
  simple('disable', 'not to be used until it is enabled', ({ login }) => `${login} is disabled`)
  simple('enable', 'to be used again', ({ login }) => `${login} is enabled`)
  simple('unlock', 'to be used again after a lock; what is held for it goes out', unlockText)
  simple('remove', 'with its application passwords', ({ login, tenant }) => `${login} of ${tenant} is removed`)
  credentials
    .command('lock <login>')
    .description('not to be used until it is unlocked; its owner hears the reason')
    .requiredOption('--reason <text>', 'for its owner, and for whoever unlocks it')
    .action(async (login: string, { reason }: { reason: string }) => {
      const { login: name, locked, moved } = (await desk('lock', { login, reason })) as CredentialMoved
      const held = moved === 0 ? '' : `; held: ${countText(moved)} that it sent`
      out(locked ? `${name} was locked already: ${locked.reason}` : `${name} is locked${held}`)
    })
  credentials
    .command('restrict <login>')
    .description('from where it may be used, and for which senders; what is not named stays')
    .option('--network <network...>', 'clients must have one of these addresses')
    .option('--any-network', 'clients may have any address')
    .option('--sender <sender...>', 'anna@bakery.example, or @bakery.example')
    .option('--any-sender', "all of the tenant's domains")
    .action(async (login: string, options: RestrictionOptions) => {
      const networks = options.anyNetwork ? [] : options.network
      const senders = options.anySender ? [] : options.sender
      const set = (await desk('restrict', { login, ...(networks && { networks }), ...(senders && { senders }) })) as {
        row: CredentialRow
        notes: readonly string[]
      }
      out(rowText(set.row))
      for (const note of set.notes) out(`note: ${note}`)
    })
  const limit = credentials.command('limit <login>').description('how much it may send; what is not named stays')
  withLimits(limit)
    .option('--as-tenant', "the tenant's limits again")
    .action(async (login: string, options: LimitOptions) =>
      out(rowText((await desk('limit', { login, limits: limitsIn(options) })) as CredentialRow)),
    )
}

function applicationPasswords(desk: Desk): Command {
  const command = new Command('application-password').description('one password for each program or device')
  command
    .command('add <login> <label>')
    .description('make one, and show it once')
    .option('--json', 'as JSON')
    .action(async (login: string, label: string, options) => {
      const set = (await desk('application-password-add', { login, label })) as PasswordSet
      showSet(set, `has an application password ${label}`, options.json === true)
    })
  command
    .command('list <login>')
    .option('--json', 'one JSON object per line')
    .action(async (login: string, options) => {
      const { applicationPasswords } = (await desk('show', { login })) as CredentialShown
      for (const one of applicationPasswords) out(options.json === true ? JSON.stringify(one) : deviceText(one))
    })
  command.command('remove <login> <label>').action(async (login: string, label: string) => {
    await desk('application-password-remove', { login, label })
    out(`${label} is removed`)
  })
  return command
}

function addGuesses(credentials: Command, ask: Ask): void {
  const desk: Desk = (what, body) => ask({ kind: 'desk', about: `guesses/${what}`, body })
  credentials
    .command('guesses')
    .description('who has guessed passwords and is refused now, and which logins are under attack')
    .option('--json', 'as JSON')
    .action(async (options) => {
      const standing = (await desk('list', null)) as Standing
      out(options.json === true ? JSON.stringify(standing) : standingText(standing))
    })
  credentials
    .command('forgive <address>')
    .description('look at passwords from this address again; also from its network')
    .action(async (address: string) => {
      out((await desk('forgive', { address })) ? `${address} is forgiven` : `nothing was counted for ${address}`)
    })
}

function standingText({ addresses, networks, logins }: Standing): string {
  const refused = [...addresses, ...networks].map(({ key, forMs }) => `${key}: refused for another ${rough(forMs)}`)
  const attacked = logins.map(({ key, forMs }) => `${key}: under attack, for another ${rough(forMs)} at least`)
  return [...refused, ...attacked].join('\n') || 'Nobody has guessed too often.'
}

function showSet(set: PasswordSet, done: string, json = false): void {
  if (json) {
    out(JSON.stringify(set))
    return
  }
  out(`${set.login} ${done}`)
  if (set.password !== undefined) out(`password: ${set.password}\nIt is shown this once, and kept nowhere.`)
  for (const note of set.notes) out(`note: ${note}`)
}

function answerText(login: string, answer: PasswordAnswer): string {
  if (answer.kind === 'right') return `${login}: right`
  return answer.kind === 'wrong' ? `${login}: wrong password, or no such login` : `${login}: ${answer.text}`
}

function unlockText({ login, locked, moved }: CredentialMoved): string {
  const sent = moved === 0 ? '' : `\nwhat was held goes out: ${countText(moved)}`
  if (locked === undefined) return `${login} was not locked${sent}`
  return `${login} is unlocked; it was locked ${dateText(locked.atMs)} (${ago(locked.atMs)}): ${locked.reason}${sent}`
}

const countText = (messages: number): string => `${messages} ${messages === 1 ? 'message' : 'messages'}`

function rowText({ login, tenant, networks, senders, lastUsedAtMs, works, ...row }: CredentialRow): string {
  const state = [
    ...(works ? [] : ['its tenant is not configured']),
    ...(row.disabled ? ['disabled'] : []),
    ...(row.locked ? [`locked: ${row.locked.reason}`] : []),
    ...(networks.length > 0 ? [`from ${networks.join(', ')}`] : []),
    ...(senders.length > 0 ? [`as ${senders.join(', ')}`] : []),
    ...(row.limits ? [ownLimitsText(row.limits)] : []),
    lastUsedAtMs === undefined ? 'never used' : `used ${ago(lastUsedAtMs)}`,
  ]
  return `${login}  ${tenant}  ${state.join('; ')}`
}

function shownText(shown: CredentialShown): string {
  const first = (ms: number) => (ms === 0 ? '' : `, first on ${dateText(ms)}`)
  const networks = shown.usedFrom.map((at) => `  used from ${at.network} ${ago(at.lastAtMs)}${first(at.firstAtMs)}`)
  const devices = shown.applicationPasswords.map((one) => `  application password ${deviceText(one)}`)
  const since = `  added ${dateText(shown.createdAtMs)}, password of ${dateText(shown.changedAtMs)}`
  return [rowText(shown), since, ...devices, ...networks].join('\n')
}

function deviceText({ label, createdAtMs, lastUsedAtMs }: CredentialShown['applicationPasswords'][number]): string {
  return `${label}: of ${dateText(createdAtMs)}, ${lastUsedAtMs === undefined ? 'never used' : `used ${ago(lastUsedAtMs)}`}`
}

const ago = (ms: number): string => `${rough(Math.max(0, Date.now() - ms))} ago`
const dateText = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
