/** `vorposten maintenance …`: holds the mail of a domain or route back on purpose, until a given moment. */
import { Command } from 'commander'
import { readDuration } from '#config/units.ts'
import type { MaintenanceRow } from './clerks/maintenance.ts'
import { EXIT, UserError } from './exit.ts'
import type { Ask } from './queue.ts'

const out = (text: string): void => void process.stdout.write(`${text}\n`)

export function maintenanceCommand(ask: Ask): Command {
  const maintenance = new Command('maintenance').description('hold mail back on purpose, until a given moment')
  maintenance
    .command('start <domain|route>')
    .description('deliver nothing to the servers of this domain or route; for one that is held already, move the end')
    .requiredOption(
      '--until <time>',
      'when delivery begins again: 2026-12-01T06:00, with Z for UTC, or a duration such as 4h',
    )
    .option('--reason <text>', 'for the tenant and for yourself')
    .option('--json', 'as JSON')
    .action(async (target: string, options) => {
      const untilMs = readMoment(options.until, Date.now())
      const body = { target, untilMs, ...(options.reason !== undefined && { reason: options.reason }) }
      show(await ask({ kind: 'desk', about: 'outages/maintenance-start', body }), options.json === true)
    })
  maintenance
    .command('end <domain|route>')
    .description('deliver again, gently at first')
    .option('--json', 'as JSON')
    .action(async (target: string, options) =>
      show(await ask({ kind: 'desk', about: 'outages/maintenance-end', body: { target } }), options.json === true),
    )
  maintenance
    .command('list')
    .description('what is held back now')
    .option('--json', 'one JSON object per line')
    .action(async (options) => {
      const rows = (await ask({ kind: 'desk', about: 'outages/maintenance-list', body: null })) as MaintenanceRow[]
      if (rows.length === 0 && options.json !== true) out('Nothing is in maintenance.')
      for (const row of rows) show(row, options.json === true)
    })
  return maintenance
}

/** Local time unless it says otherwise, as ISO 8601 has it; or a duration from now. */
export function readMoment(text: string, nowMs: number): number {
  const durationMs = readDuration(text)
  const ms = durationMs === undefined ? momentMs(text) : nowMs + durationMs
  if (!Number.isNaN(ms)) return ms
  throw new UserError(`--until ${text} is no time`, 'Write 2026-12-01T06:00, or a duration such as 4h.', EXIT.config)
}

const momentMs = (text: string): number =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.test(text) ? Date.parse(text) : Number.NaN

function show(answer: unknown, json: boolean): void {
  const row = answer as MaintenanceRow
  if (json) {
    out(JSON.stringify(row))
    return
  }
  const { route, domains, beginsMs, untilMs, reason, warning } = row
  const serves = domains.length === 0 ? 'no domain' : domains.join(', ')
  out(`${route} (${serves}): from ${localTime(beginsMs)} to ${localTime(untilMs)}${reason ? `: ${reason}` : ''}`)
  if (warning) out(`warning: ${warning}`)
}

const localTime = (ms: number): string => new Date(ms).toLocaleString('sv-SE', { timeZoneName: 'short' })
