/** `vorposten tls-reports`: what other domains would be told of TLS with their servers (RFC 8460). */
import { Command } from 'commander'
import type { TlsDay, TlsReportShown } from './clerks/tls-reports.ts'
import type { Ask } from './queue.ts'

const ROWS_DEFAULT = 200
const out = (text: string): void => void process.stdout.write(`${text}\n`)

export function tlsReportsCommand(ask: Ask): Command {
  const command = new Command('tls-reports').description('what other domains would be told of TLS with their servers')
  command
    .command('list')
    .description('sessions of today, by domain')
    .option('--yesterday', 'of yesterday (UTC)')
    .option('--limit <domains>', 'domains at most', String(ROWS_DEFAULT))
    .option('--json', 'one JSON object per line')
    .action(async ({ yesterday, limit, json }) => {
      const body = { yesterday: yesterday === true, rowsMax: Number(limit) }
      const rows = (await ask({ kind: 'desk', about: 'tls-reports/list', body })) as TlsDay[]
      if (json === true) for (const row of rows) out(JSON.stringify(row))
      else if (rows.length === 0) out('No session was counted on that day.')
      else for (const row of rows) out(rowText(row))
    })
  command
    .command('show')
    .description('the report to one domain, as it stands now')
    .argument('<domain>')
    .option('--yesterday', 'of yesterday (UTC)')
    .action(async (domain: string, { yesterday }) => {
      const body = { yesterday: yesterday === true, domain }
      const { report, places } = (await ask({ kind: 'desk', about: 'tls-reports/show', body })) as TlsReportShown
      out(JSON.stringify(report, undefined, 2))
      // Beside the report, which a program may read.
      process.stderr.write(`Reports are wanted: ${typeof places === 'string' ? places : places.join(', ')}\n`)
    })
  return command
}

function rowText({ domain, policies, succeeded, failed, failures }: TlsDay): string {
  const what = failures.length === 0 ? '' : `: ${failures.join(', ')}`
  return `${domain}  ${policies.join(', ')}  ${succeeded} with TLS, ${failed} failed${what}`
}
