/**
 * `vorposten quarantine …`: what a policy keeps from its recipients. Contents are read from the data folder by this command
 * itself, after the running program has written down who wants to see them.
 */
import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { readDuration } from '#config/units.ts'
import { QUARANTINE_CLASSES } from '#mail/quarantine.ts'
import { factText, printable } from '#mail/scan.ts'
import { Contents } from '#quarantine/contents.ts'
import type { QuarantineRow } from '#store/quarantine.ts'
import type { AccessRow } from '#store/quarantine-access.ts'
import { systemDisk } from '#sys/disk.ts'
import { keyOf } from './clerks/quarantine-release.ts'
import { type Done, LIST_ROWS_MAX, type ShownEntry } from './clerks/quarantine-requests.ts'
import { EXIT, UserError } from './exit.ts'
import { quarantineFolder } from './folders.ts'
import type { Ask } from './queue.ts'

/** Enough of the header section to recognise a message by. */
const HEADER_OCTETS_SHOWN_MAX = 16 * 1024
const ROWS_DEFAULT = 1000
const DAY = /^\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?$/

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const moment = (ms: number): string => new Date(ms).toISOString().replace(/T(\d\d:\d\d).*/, ' $1Z')

interface ListOptions {
  readonly tenant?: string
  readonly class?: string
  readonly since?: number
  readonly recipient?: string
  readonly limit: number
  readonly json?: true
}

export function quarantineCommand(ask: Ask, dataFolder: () => Promise<string>): Command {
  const desk = (what: string, body: unknown) => ask({ kind: 'desk', about: `quarantine/${what}`, body })
  const command = new Command('quarantine').description('mail that a policy keeps from its recipients')
  command
    .command('list')
    .description('what is there, newest first')
    .option('--tenant <tenant>', 'of this tenant')
    .addOption(new Option('--class <class>', 'of this class').choices(QUARANTINE_CLASSES))
    .option('--since <when>', 'that came since: 2026-11-24, or 2d for the last two days', whenOf)
    .option('--recipient <address>', 'for this recipient, written in full')
    .option('--limit <rows>', 'rows at most', countOf, ROWS_DEFAULT)
    .option('--json', 'one JSON object per line')
    .action((options: ListOptions) => list(desk, options))
  command
    .command('show <id>')
    .description('one message: envelope, why, header section; it is written down that you looked')
    .option('--tenant <tenant>', 'only if it is of this tenant')
    .option('--json', 'as JSON, without the header section')
    .action(async (id: string, { json, ...of }: { tenant?: string; json?: true }) => {
      const entry = (await desk('show', { id, ...of, who: whoAmI() })) as ShownEntry
      if (json) return out(JSON.stringify({ ...entry, trace: undefined }))
      out(entryText(entry))
      out(`\n${headerOf(await contentOf(entry, await dataFolder()))}`)
    })
  command
    .command('export <id>')
    .description('the whole message as a file (.eml); it is written down that you have it')
    .option('--tenant <tenant>', 'only if it is of this tenant')
    .option('-o, --output <file>', 'into this new file, for its owner only; without it to standard output')
    .action(async (id: string, { output, ...of }: { tenant?: string; output?: string }) => {
      const entry = (await desk('export', { id, ...of, who: whoAmI() })) as ShownEntry
      const octets = await contentOf(entry, await dataFolder())
      if (output !== undefined) return writeFile(output, octets, { flag: 'wx', mode: 0o600 })
      await new Promise((resolve) => process.stdout.write(octets, resolve))
    })
  command.addCommand(releaseCommand(desk))
  command
    .command('delete <ids...>')
    .description('throw away; nobody is told')
    .option('--tenant <tenant>', 'only what is of this tenant')
    .option('--json', 'one JSON object per line')
    .action(async (ids: string[], { json, ...of }: { tenant?: string; json?: true }) =>
      shown((await desk('delete', { ids, ...of, who: whoAmI() })) as Done[], false, json),
    )
  command
    .command('log [id]')
    .description('who looked at what and did what with it, newest first')
    .option('--tenant <tenant>', 'of this tenant')
    .option('--limit <rows>', 'rows at most', countOf, ROWS_DEFAULT)
    .option('--json', 'one JSON object per line')
    .action((id: string | undefined, options: { tenant?: string; limit: number; json?: true }) =>
      log(desk, id, options),
    )
  return command
}

type AskClerk = (what: string, body: unknown) => Promise<unknown>

interface ReleaseOptions {
  readonly tenant?: string
  readonly recipient?: string
  readonly to?: string
  readonly force?: true
  readonly dryRun?: true
  readonly json?: true
}

const releaseCommand = (desk: AskClerk): Command =>
  new Command('release')
    .argument('<ids...>')
    .description('to its recipients; the engines look again, and what they find anew stops it')
    .option('--tenant <tenant>', 'only what is of this tenant')
    .option('--recipient <address>', 'only to this one of its recipients')
    .option('--to <address>', 'a copy to this address of the same tenant instead')
    .option('--force', 'whatever is found now')
    .option('-n, --dry-run', 'say what would be done, and do nothing')
    .option('--json', 'one JSON object per line')
    .action(async (ids: string[], { force, dryRun, json, ...of }: ReleaseOptions) => {
      const body = { ids, ...of, who: whoAmI(), force: force === true, dryRun: dryRun === true }
      shown((await desk('release', body)) as Done[], dryRun === true, json)
    })

async function list(desk: AskClerk, { limit, since, json, recipient, ...of }: ListOptions): Promise<void> {
  const query = {
    ...of,
    ...(recipient && { recipient: keyOf(recipient) }),
    ...(since !== undefined && { sinceMs: since }),
  }
  let left = limit
  let after: [number, string] | undefined
  for (;;) {
    const rowsMax = Math.min(left, LIST_ROWS_MAX)
    const rows =
      rowsMax === 0 ? [] : ((await desk('list', { ...query, rowsMax, ...(after && { after }) })) as QuarantineRow[])
    for (const row of rows) out(json ? JSON.stringify(row) : rowText(row))
    const last = rows.at(-1)
    if (last === undefined) break
    left -= rows.length
    after = [last.atMs, last.id]
  }
  if (left === limit && !json) out('Nothing is in quarantine.')
}

async function log(desk: AskClerk, id: string | undefined, { tenant, limit, json }: ListOptions): Promise<void> {
  const query = { ...(id !== undefined && { id: id.toUpperCase() }), ...(tenant !== undefined && { tenant }) }
  let before: number | undefined
  let left = limit
  for (;;) {
    const rowsMax = Math.min(left, LIST_ROWS_MAX)
    const page = { ...query, rowsMax, ...(before !== undefined && { before }) }
    const rows = rowsMax === 0 ? [] : ((await desk('log', page)) as AccessRow[])
    for (const row of rows) out(json ? JSON.stringify(row) : accessText(row))
    if (rows.length === 0) break
    left -= rows.length
    before = rows.at(-1)!.number
  }
  if (left === limit && !json) out('Nobody has done anything.')
}

function rowText({ id, atMs, tenant, class: of, octets, from, recipients, text, expiresMs }: QuarantineRow): string {
  const lines = recipients.map(({ address, releasedMs, releasedAs }) => {
    const released = releasedMs === undefined ? '' : `  released ${moment(releasedMs)} as ${releasedAs}`
    return `    <${printable(address)}>${released}`
  })
  const head = `${id}  ${moment(atMs)}  ${tenant}  ${of}  ${octets} octets  ${printable(from)}  until ${moment(expiresMs)}`
  return [head, ...lines, `    ${text}`].join('\n')
}

function entryText(entry: ShownEntry): string {
  const { clientAddress, greetingName, protocol } = entry.reception
  const facts = entry.facts.map((fact) => `    ${factText(fact)}`)
  const came = `    came from ${clientAddress} (${printable(greetingName)}) with ${protocol}, ${entry.service}; SHA-256 of what came ${entry.hash}`
  return [rowText(entry), came, '    found:', ...facts].join('\n')
}

const accessText = ({ atMs, who, action, id, tenant, text }: AccessRow): string =>
  `${moment(atMs)}  ${who}  ${action}  ${id}  ${tenant}${text === '' ? '' : `\n    ${printable(text)}`}`

function shown(results: readonly Done[], dryRun: boolean, json: true | undefined): void {
  for (const result of results) out(json ? JSON.stringify(result) : `${result.id}: ${result.text}`)
  if (!dryRun && results.some(({ done }) => !done)) process.exitCode = EXIT.unavailable
}

async function contentOf({ hash, trace, id }: ShownEntry, dataFolder: string): Promise<Buffer> {
  const found = await new Contents(quarantineFolder(dataFolder), systemDisk).read(hash)
  if (found.kind === 'content') return Buffer.concat([Buffer.from(trace, 'base64'), ...found.content.chunks])
  const advice = 'Look at the folder quarantine in the data folder, and at its disk.'
  throw new UserError(`the content of ${id} is ${found.kind}`, advice, EXIT.unavailable)
}

// What a stranger wrote must not move the cursor.
function headerOf(octets: Buffer): string {
  const text = octets.subarray(0, HEADER_OCTETS_SHOWN_MAX).toString('utf8')
  const end = text.indexOf('\r\n\r\n')
  return (end < 0 ? text : text.slice(0, end)).replaceAll('\r\n', '\n').replace(/[^\P{C}\n\t]/gu, '?')
}

/** The user of this machine; with sudo the one behind it, too. */
function whoAmI(): string {
  const { username } = userInfo()
  const behind = process.env['SUDO_USER']
  return (behind === undefined ? username : `${behind} (as ${username})`).slice(0, 100)
}

function whenOf(text: string): number {
  const ago = readDuration(text)
  if (ago !== undefined) return Date.now() - ago
  const ms = DAY.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Write a day such as 2026-11-24, or 2d for the last two days.')
  return ms
}

function countOf(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count > 0) return count
  throw new InvalidArgumentError('Write a whole number, 1 or more.')
}
