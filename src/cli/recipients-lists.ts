/**
 * `vorposten recipients import|export|refresh|status`: the lists of recipients of the running program. A file, or standard
 * input, is sent in small pieces; the program reads and checks it, and puts it in the place of the old list as a whole.
 */
import { createReadStream } from 'node:fs'
import { type Command, Option } from 'commander'
import { addressOf, CSV_HEADER, csvRow, type ListFormat } from '#recipients/list-file.ts'
import type { Difference } from '#store/recipient-lists.ts'
import type { RefreshAnswer } from './clerks/ldap-schedule.ts'
import type { ExportAnswer, ImportAnswer, ListStatus } from './clerks/lists.ts'
import { EXIT, UserError } from './exit.ts'
import { type Ask, rough } from './queue.ts'

/** A request to the running program holds 64 KiB; in base64 this is 60. */
const PIECE_OCTETS = 45 * 1024

const out = (text: string): void => void process.stdout.write(`${text}\n`)

interface ImportOptions {
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly format?: ListFormat
  readonly json?: boolean
}

/** Adds to `recipients`. */
export function addListCommands(recipients: Command, ask: Ask): void {
  const formats = ['text', 'csv'] as const
  recipients
    .command('import')
    .description('replace the list of a domain; all of it or nothing')
    .argument('<domain>')
    .argument('[file]', 'one address on a line, or CSV; - for standard input', '-')
    .option('-n, --dry-run', 'say what would change, and change nothing')
    .option('--force', 'also if a fifth or more of the list would go')
    .addOption(
      new Option('--format <format>', 'what the file is; its first line tells if this is not given').choices(formats),
    )
    .option('--json', 'as JSON')
    .action((domain: string, file: string, options: ImportOptions) => importList(ask, domain, file, options))
  recipients
    .command('export')
    .description('the list of a domain')
    .argument('<domain>')
    .addOption(new Option('--format <format>', 'with notes (csv) or without (text)').choices(formats).default('csv'))
    .action((domain: string, options: { format: ListFormat }) => exportList(ask, domain, options.format))
  recipients
    .command('refresh')
    .description('read the list of a domain again, from its directory (LDAP) or its file, now')
    .argument('<domain>')
    .option('--force', 'also if there is nobody, or a fifth or more of the list would go')
    .option('--json', 'as JSON')
    .action((domain: string, options: { force?: boolean; json?: boolean }) => refresh(ask, domain, options))
  recipients
    .command('drop')
    .description('delete the list of a domain, such as one that is served no more')
    .argument('<domain>')
    .option('--force', 'also if the list is in use')
    .action(async (domain: string, options: { force?: boolean }) => {
      const { entries } = (await desk(ask, 'drop', { domain, force: options.force === true })) as { entries: number }
      out(`${domain}: the list is gone (${entries} ${entries === 1 ? 'entry' : 'entries'})`)
    })
  recipients
    .command('status')
    .description('the lists: how many entries, how old, what went wrong last')
    .argument('[domain]')
    .option('--failing', 'those alone that could not be read or fetched; exit code 69 if there are any')
    .option('--json', 'one JSON object per line')
    .action((domain: string | undefined, options: StatusOptions) => status(ask, domain, options))
}

const desk = (ask: Ask, what: string, body: unknown): Promise<unknown> =>
  ask({ kind: 'desk', about: `lists/${what}`, body })

async function importList(ask: Ask, domain: string, file: string, options: ImportOptions): Promise<void> {
  const { dryRun = false, force = false, format, json } = options
  const upload = (await desk(ask, 'begin', { domain, ...(format && { format }) })) as number
  for await (const piece of pieces(file)) {
    if (await desk(ask, 'piece', { upload, octets: piece.toString('base64') })) break
  }
  const answer = (await desk(ask, 'end', { upload, dryRun, force })) as ImportAnswer
  if (json) out(JSON.stringify(answer))
  else for (const line of importLines(answer, domain, file === '-' ? 'standard input' : file)) out(line)
  if (answer.kind === 'faulty' || answer.kind === 'shrinks') process.exitCode = EXIT.data
}

async function* pieces(file: string): AsyncIterable<Buffer> {
  const stream = file === '-' ? process.stdin : createReadStream(file)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += PIECE_OCTETS) yield chunk.subarray(at, at + PIECE_OCTETS)
  }
}

async function refresh(ask: Ask, domain: string, options: { force?: boolean; json?: boolean }): Promise<void> {
  const answer = (await desk(ask, 'refresh', { domain, force: options.force === true })) as RefreshAnswer
  if (options.json) return out(JSON.stringify(answer))
  const { difference, unreadable, firstUnreadable } = answer
  for (const line of differenceLines(domain, difference)) out(line)
  if (unreadable > 0) out(`note: ${unreadable} values are no addresses, such as ${JSON.stringify(firstUnreadable)}`)
}

function importLines(answer: ImportAnswer, domain: string, file: string): string[] {
  if (answer.kind === 'faulty') {
    const { faults, more } = answer
    const count = `${faults.length}${more ? ' faults or more' : faults.length === 1 ? ' fault' : ' faults'}`
    const lines = faults.map(({ line, column, text }) => `${file}:${line}:${column}: ${text}`)
    return [...lines, `${count}; nothing was changed. Correct the list, then import it again.`]
  }
  const { before, removed } = answer.difference
  const lines = differenceLines(domain, answer.difference)
  if (answer.kind === 'shrinks') {
    const why = `${Math.round((removed / before) * 100)} % of the list would go; nothing was changed.`
    return [...lines, `${why} If that is right, say --force.`]
  }
  const twice = answer.duplicates > 0 ? [`${answer.duplicates} stood twice`] : []
  const dry = answer.kind === 'dry-run' ? ['Nothing was changed (dry run).'] : []
  return [...lines, ...twice, ...answer.notes.map((note) => `note: ${note}`), ...dry]
}

function differenceLines(domain: string, difference: Difference): string[] {
  const { before, after, added, removed, firstAdded, firstRemoved } = difference
  return [
    ...firstAdded.map((key) => `  + ${key}`),
    ...(added > firstAdded.length ? [`  + and ${added - firstAdded.length} more`] : []),
    ...firstRemoved.map((key) => `  - ${key}`),
    ...(removed > firstRemoved.length ? [`  - and ${removed - firstRemoved.length} more`] : []),
    `${domain}: ${before} before, ${after} after: ${added} added, ${removed} removed`,
  ]
}

async function exportList(ask: Ask, domain: string, format: ListFormat): Promise<void> {
  let first: number | undefined
  if (format === 'csv') out(CSV_HEADER)
  for (let after = ''; ; ) {
    const { entries, loadedAtMs } = (await desk(ask, 'export', { domain, after })) as ExportAnswer
    first ??= loadedAtMs
    if (loadedAtMs !== first) {
      throw new UserError(
        'the list was replaced meanwhile',
        'Export it again: this one is not whole.',
        EXIT.unavailable,
      )
    }
    const last = entries.at(-1)
    if (last === undefined) return
    const lines = entries.map(({ key, note }) =>
      format === 'text' ? addressOf(key) : csvRow([addressOf(key), note ?? '']),
    )
    out(lines.join('\n'))
    after = last.key
  }
}

interface StatusOptions {
  readonly failing?: boolean
  readonly json?: boolean
}

async function status(ask: Ask, domain: string | undefined, { failing, json }: StatusOptions): Promise<void> {
  const all = (await desk(ask, 'status', domain === undefined ? {} : { domain })) as ListStatus[]
  const rows = failing ? all.filter((row) => row.recipients === 'directory' && (row.failures ?? 0) > 0) : all
  if (failing && rows.length > 0) process.exitCode = EXIT.unavailable
  if (failing && rows.length === 0 && !json) return out('No list is failing.')
  for (const row of rows) out(json ? JSON.stringify(row) : statusText(row))
  if (rows.length === 0 && !json) out('No domain has a list. Import one: vorposten recipients import DOMAIN FILE.')
}

function statusText({ domain, recipients, source, entries, ageMs, error, failures, nextInMs }: ListStatus): string {
  const loaded =
    ageMs === undefined
      ? 'no list was loaded yet'
      : `${entries} ${entries === 1 ? 'entry' : 'entries'}, ${source}, ${rough(ageMs)} old`
  const why = recipients === 'none' ? 'the domain is not served' : `the domain has recipients: ${recipients}`
  const unused = recipients === 'directory' || ageMs === undefined ? '' : `, not used: ${why}`
  const fault = error === undefined ? '' : `\n    ${failures} ${failures === 1 ? 'try' : 'tries'} failed: ${error}`
  const next = nextInMs === undefined ? '' : `, fetched again in ${rough(nextInMs)}`
  return `${domain}: ${loaded}${unused}${next}${fault}`
}
