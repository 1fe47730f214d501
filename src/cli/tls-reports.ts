/** `vorposten tls-reports`: what other domains are told of TLS with their servers (RFC 8460), and what became of it. */
import { Command } from 'commander'
import type { ReportMark } from '#store/tls-report-marks.ts'
import type { TlsDay, TlsReportShown } from './clerks/tls-reports.ts'
import type { Ask } from './queue.ts'

const ROWS_DEFAULT = 200
const out = (text: string): void => void process.stdout.write(`${text}\n`)

interface DayOptions {
  readonly yesterday?: boolean
  readonly day?: string
}

const withDay = (command: Command): Command =>
  command.option('--yesterday', 'of yesterday (UTC)').option('--day <date>', 'of this day (UTC): 2026-11-24')
const dayOf = ({ yesterday, day }: DayOptions, otherwise = 'today'): string =>
  day ?? (yesterday ? 'yesterday' : otherwise)

export function tlsReportsCommand(ask: Ask): Command {
  const command = new Command('tls-reports').description('what other domains are told of TLS with their servers')
  const desk = (what: string, body: object) => ask({ kind: 'desk', about: `tls-reports/${what}`, body })
  withDay(command.command('list'))
    .description('sessions of today, by domain')
    .option('--limit <domains>', 'domains at most', String(ROWS_DEFAULT))
    .option('--json', 'one JSON object per line')
    .action(async ({ limit, json, ...options }) => {
      const rows = (await desk('list', { day: dayOf(options), rowsMax: Number(limit) })) as TlsDay[]
      print(rows, json, dayText, 'No session was counted on that day.')
    })
  withDay(command.command('show'))
    .description('the report to one domain, as it stands now')
    .argument('<domain>')
    .action(async (domain: string, options) => {
      const { report, places } = (await desk('show', { day: dayOf(options), domain })) as TlsReportShown
      out(JSON.stringify(report, undefined, 2))
      // Beside the report, which a program may read.
      process.stderr.write(`Reports are wanted: ${typeof places === 'string' ? places : places.join(', ')}\n`)
    })
  withDay(command.command('sent'))
    .description('what became of the reports of yesterday: to whom, with which result')
    .argument('[domain]')
    .option('--limit <rows>', 'rows at most', String(ROWS_DEFAULT))
    .option('--json', 'one JSON object per line')
    .action(async (domain: string | undefined, { limit, json, ...options }) => {
      const body = { day: dayOf(options, 'yesterday'), rowsMax: Number(limit), ...(domain !== undefined && { domain }) }
      const rows = (await desk('sent', body)) as ReportMark[]
      print(rows, json, markText, 'No report of that day was due yet.')
    })
  withDay(command.command('send'))
    .description('send the report of yesterday to one domain, now and once more')
    .argument('<domain>')
    .action(async (domain: string, options) => {
      const rows = (await desk('send', { day: dayOf(options, 'yesterday'), domain })) as ReportMark[]
      print(rows, false, markText, '')
    })
  return command
}

function print<Row>(rows: readonly Row[], json: unknown, text: (row: Row) => string, none: string): void {
  if (json === true) for (const row of rows) out(JSON.stringify(row))
  else if (rows.length === 0) out(none)
  else for (const row of rows) out(text(row))
}

function dayText({ domain, policies, succeeded, failed, failures }: TlsDay): string {
  const what = failures.length === 0 ? '' : `: ${failures.join(', ')}`
  return `${domain}  ${policies.join(', ')}  ${succeeded} with TLS, ${failed} failed${what}`
}

function markText({ domain, place, state, attempts, dueMs, said }: ReportMark): string {
  const tried = attempts > 1 ? ` (${attempts} attempts)` : ''
  const why = said === '' ? '' : `: ${said}`
  return `${domain}  ${place === '' ? '-' : place}  ${STATES[state]} ${momentText(dueMs)}${tried}${why}`
}

const STATES: { readonly [State in ReportMark['state']]: string } = {
  waiting: 'is due',
  handing: 'is being sent since',
  sent: 'sent',
  unclear: 'may have been sent',
  'given-up': 'given up',
  unwanted: 'wants no report,',
  asked: 'was asked where',
}

const momentText = (wallMs: number): string => new Date(wallMs).toISOString().replace(/T(\d\d:\d\d).*/, ' $1Z')
