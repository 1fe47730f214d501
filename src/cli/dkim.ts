/**
 * `vorposten dkim …`: the keys that sign mail on its way out, and the records that they need in DNS. All of it is asked of
 * the running program, which keeps the keys; a private key is never printed.
 */
import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { PEM_CHARACTERS_MAX } from '#auth/dkim/keys.ts'
import type { Resealed } from './clerks/dkim-reseal.ts'
import type { DkimList, KeyRow } from './clerks/dkim-rows.ts'
import { EXIT, UserError } from './exit.ts'
import { type Ask, rough } from './queue.ts'

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const desk = (ask: Ask, what: string, body: unknown): Promise<unknown> =>
  ask({ kind: 'desk', about: `dkim/${what}`, body })

interface Options {
  readonly json?: boolean
  readonly activate?: boolean
  readonly force?: boolean
  readonly algorithm?: string
  readonly selector?: string
  readonly domain?: string
  readonly tenant?: string
  readonly oldKey?: string
}

const TENANT = ['--tenant <name>', 'which one, of several that send as this domain'] as const
/** For the body of a request: an older program knows no tenant in it. */
const of = (tenant: string | undefined) => (tenant === undefined ? {} : { tenant })

/** Longer is no key. */
const SECRET_CHARACTERS_MAX = 4096

export function dkimCommand(ask: Ask): Command {
  const dkim = new Command('dkim').description('the keys that sign outgoing mail')
  addMakingCommands(dkim, ask)
  addShowingCommands(dkim, ask)
  dkim
    .command('activate <domain> [selector]')
    .description('sign with a key from now on, although its record was not seen in DNS; others of its kind retire')
    .option(...TENANT)
    .option('--json', 'one JSON object per line')
    .action(async (domain: string, selector: string | undefined, { json, tenant }: Options) =>
      show((await desk(ask, 'activate', { domain, ...of(tenant), ...(selector && { selector }) })) as KeyRow[], json),
    )
  dkim
    .command('delete <domain> <selector>')
    .description('forget a key; then its record may go')
    .option('--force', 'also one that signs, or whose mail may still be on its way')
    .option(...TENANT)
    .action(async (domain: string, selector: string, { force = false, tenant }: Options) => {
      const [row] = (await desk(ask, 'delete', { domain, ...of(tenant), selector, force })) as KeyRow[]
      out(`deleted. Remove its record: ${row!.recordName}`)
    })
  dkim
    .command('reseal')
    .description('after a change of the master key: seal with the new one what the old one has sealed')
    .requiredOption('--old-key <file>', 'the file that holds the old master key; it is not kept')
    .action(async ({ oldKey }: Options) => {
      const secret = await readFile(oldKey!, 'utf8')
      const { resealed, left } = (await desk(ask, 'reseal', {
        secret: secret.slice(0, SECRET_CHARACTERS_MAX),
      })) as Resealed
      out(`${resealed} keys are sealed with the new master key.`)
      if (left === 0) return
      out(`${left} need yet another one: see vorposten dkim list.`)
      process.exitCode = EXIT.unavailable
    })
  return dkim
}

function addMakingCommands(dkim: Command, ask: Ask): void {
  const now = ['--activate', 'sign at once, without waiting for the record'] as const
  dkim
    .command('create <domain>')
    .description('make a key, and print the record to publish; it signs when the record is seen')
    .addOption(new Option('--algorithm <algorithm>', 'kind of key').choices(['rsa', 'ed25519', 'both']).default('rsa'))
    .option('--selector <name>', 'name of the key in DNS; one with the date if not given')
    .option(...TENANT)
    .option(...now)
    .option('--json', 'one JSON object per line')
    .action(async (domain: string, { algorithm, selector, tenant, activate = false, json }: Options) => {
      const body = { domain, ...of(tenant), algorithm, activate, ...(selector !== undefined && { selector }) }
      show((await desk(ask, 'create', body)) as KeyRow[], json, true)
    })
  dkim
    .command('rotate <domain>')
    .description('make the next key; the present one signs until the record of the next is seen')
    .option(...TENANT)
    .option(...now)
    .option('--json', 'one JSON object per line')
    .action(async (domain: string, { activate = false, tenant, json }: Options) =>
      show((await desk(ask, 'rotate', { domain, ...of(tenant), activate })) as KeyRow[], json, true),
    )
  dkim
    .command('import <file>')
    .description('take over a private key (PEM), such as one of OpenDKIM or Rspamd')
    .requiredOption('--domain <domain>', 'whose mail it signs')
    .requiredOption('--selector <name>', 'under which name its record is published')
    .option(...TENANT)
    .option(...now)
    .option('--json', 'one JSON object per line')
    .action(async (file: string, { domain, selector, tenant, activate = false, json }: Options) => {
      const pem = await readFile(file, 'utf8')
      if (pem.length > PEM_CHARACTERS_MAX)
        throw new UserError(`${file} is too long for a key`, 'Name a PEM file.', EXIT.data)
      show((await desk(ask, 'import', { domain, ...of(tenant), selector, pem, activate })) as KeyRow[], json, true)
    })
}

function addShowingCommands(dkim: Command, ask: Ask): void {
  const list = async (domain: string | undefined, tenant: string | undefined) =>
    (await desk(ask, 'list', { ...(domain !== undefined && { domain }), ...of(tenant) })) as DkimList
  dkim
    .command('list [domain]')
    .alias('status')
    .description('all keys, and the domains that have none')
    .option(...TENANT)
    .option('--json', 'one JSON object per line')
    .action(async (domain: string | undefined, { json, tenant }: Options) => listText(await list(domain, tenant), json))
  dkim
    .command('show <domain>')
    .description('the keys of a domain, with their records')
    .option(...TENANT)
    .option('--json', 'one JSON object per line')
    .action(async (domain: string, { json, tenant }: Options) => show((await list(domain, tenant)).keys, json, true))
  dkim
    .command('dns <domain>')
    .description('the records that must be published, ready to paste')
    .option(...TENANT)
    .action(async (domain: string, { tenant }: Options) => {
      const { keys } = await list(domain, tenant)
      if (keys.length === 0) out(`; ${domain} has no key`)
      for (const key of keys) out(recordLines(key).join('\n'))
    })
  dkim
    .command('check <domain>')
    .description('look the records up now')
    .option(...TENANT)
    .option('--json', 'one JSON object per line')
    .action(async (domain: string, { json, tenant }: Options) => {
      const rows = (await desk(ask, 'check', { domain, ...of(tenant) })) as KeyRow[]
      show(rows, json)
      if (rows.some(({ state, found }) => state !== 'retired' && found !== 'there')) process.exitCode = EXIT.unavailable
    })
}

function listText({ keys, unsigned }: DkimList, json?: boolean): void {
  if (json) {
    for (const key of keys) out(JSON.stringify(key))
    for (const row of unsigned) out(JSON.stringify({ ...row, state: 'unsigned' }))
    return
  }
  for (const key of keys) out(keyText(key))
  for (const { tenant, domain } of unsigned) {
    out(`${tenant}: ${domain}: nothing signs its mail. Make a key: vorposten dkim create ${domain}`)
  }
  if (keys.length + unsigned.length === 0) out('No key, and no tenant sends through this relay.')
}

function show(keys: readonly KeyRow[], json?: boolean, withRecords = false): void {
  for (const key of keys) {
    out(json ? JSON.stringify(key) : keyText(key))
    if (withRecords && !json) out(recordLines(key).join('\n'))
  }
}

const STATES = {
  pending: 'waits for its record in DNS, then it signs',
  active: 'signs',
  retired: 'signs no more',
} as const
const FOUND: Readonly<Record<string, string>> = {
  there: 'its record is there',
  missing: 'its record is not there',
  revoked: 'its record says that it is revoked (p= is empty)',
  'another-key': 'the record holds another key',
  'not-readable': 'what is there is no record for it',
  several: 'there are several TXT records, of which receivers may take any',
}

function keyText(key: KeyRow): string {
  const { tenant, domain, selector, algorithm, bits, state, found, foundAgeMs = 0, removableInMs, trouble, note } = key
  const kind = algorithm === 'rsa-sha256' ? `RSA ${bits}` : 'Ed25519'
  const seen = found === undefined ? 'not looked up yet' : `${FOUND[found] ?? found} (${rough(foundAgeMs)} ago)`
  const keep =
    removableInMs === undefined
      ? ''
      : removableInMs > 0
        ? `; keep its record for another ${rough(removableInMs)}`
        : `; remove its record, and then: vorposten dkim delete ${domain} ${selector}`
  const lines = [`${tenant}: ${domain}: ${selector} (${kind}) ${STATES[state]}; ${seen}${keep}`]
  if (trouble !== undefined) lines.push(`    trouble: ${trouble}`)
  if (note !== undefined) lines.push(`    note: ${note}`)
  return lines.join('\n')
}

/** For a zone file, and for forms that want the text in one piece. */
function recordLines({ tenant, state, zoneLine, recordName, record }: KeyRow): string[] {
  return [`; ${tenant}: ${state}: ${STATES[state]}`, zoneLine, `; in one piece, for ${recordName}:`, `; ${record}`]
}
