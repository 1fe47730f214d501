/**
 * `vorposten queue …`: looks at and acts on the queue of the running program. Commands that change something take ids,
 * or a choice of messages; a choice is first shown with `--dry-run`, and everything at once needs `--all`.
 */
import { Command, Option } from 'commander'
import { durationText } from '#config/units.ts'
import type { Action, ActionResult, QueueRow, Selection } from '#queue/operations.ts'
import type { ControlRequest, ListAnswer } from './control.ts'
import { EXIT, UserError } from './exit.ts'
import { choosesNothing, selectionOf, withSelection } from './selection-options.ts'

/** Sends a request to the running program. */
export type Ask = (request: ControlRequest) => Promise<unknown>

const ROWS_DEFAULT = 1000
const out = (text: string): void => void process.stdout.write(`${text}\n`)

export function queueCommand(ask: Ask): Command {
  const queue = new Command('queue').description('look at the queue, and act on it')
  withSelection(queue.command('list').description('what waits, oldest first'))
    .option('--state <state>', 'active or held')
    .option('--limit <rows>', 'rows at most', String(ROWS_DEFAULT))
    .option('--json', 'one JSON object per line')
    .action(async (options) => list(ask, selectionOf([], options), Number(options.limit), options.json === true))
  queue
    .command('show <id>')
    .description('one message: envelope, states, header section')
    .option('--json', 'as JSON')
    .action((id: string, options) => show(ask, id, options.json === true))
  const commands: [Action['kind'], string][] = [
    ['flush', 'attempt now, whatever the schedule says'],
    ['hold', 'stop attempts until released'],
    ['release', 'attempt held messages again, now; with --to at another address of the same tenant'],
    ['requeue', 'attempt again, now; with --to by another route'],
    ['delete', 'throw away; nobody is told'],
  ]
  for (const [kind, description] of commands) queue.addCommand(actionCommand(ask, kind, description))
  return queue
}

function actionCommand(ask: Ask, kind: Action['kind'], description: string): Command {
  const command = withSelection(new Command(kind).argument('[ids...]').description(description))
    .option('--all', 'every message')
    .option('-n, --dry-run', 'say what would be done, and do nothing')
    .option('--json', 'one JSON object per line')
    .addOption(new Option('--state <state>').choices(['active', 'held']))
  if (kind === 'release') {
    command.option('--to <address>', 'to this address instead; with --recipient only that one, written in full')
  }
  if (kind === 'requeue') command.option('--to <route>', 'another route (tenant/route)')
  return command.action(async (ids: string[], options) => {
    const selection = selectionOf(ids, options)
    if (choosesNothing(selection) && options.all !== true && kind !== 'flush') {
      throw new UserError(
        `queue ${kind}: no message is named`,
        'Name ids, choose by an option, or say --all.',
        EXIT.config,
      )
    }
    await act(ask, selection, actionOf(kind, options), options.dryRun === true, options.json === true)
  })
}

function actionOf(kind: Action['kind'], { to, recipient }: { to?: string; recipient?: string }): Action {
  if (kind === 'requeue' && to) return { kind, route: to }
  if (kind === 'release' && to) return { kind, redirect: { to, recipient } }
  return { kind }
}

async function list(ask: Ask, selection: Selection, rowsMax: number, json: boolean): Promise<void> {
  const { rows, more } = (await ask({ kind: 'queue-list', selection, rowsMax })) as ListAnswer
  if (json) {
    for (const row of rows) out(JSON.stringify(row))
    return
  }
  if (rows.length === 0) return out('The queue is empty.')
  for (const row of rows) out(rowText(row))
  out(`${rows.length} ${rows.length === 1 ? 'message' : 'messages'}${more ? ', and more (--limit)' : ''}`)
}

function rowText(row: QueueRow): string {
  const next =
    row.state !== 'active' ? row.state : row.nextAttemptInMs <= 0 ? 'due' : `in ${rough(row.nextAttemptInMs)}`
  const head = `${row.id}  ${rough(row.ageMs).padStart(4)}  ${sizeText(row.octets)}  ${next.padEnd(9)}  ${row.route}  ${row.from}`
  const recipients = row.to.map(
    ({ address, state, text, original }) =>
      `    ${state} <${address}>${original ? ` instead of <${original}>` : ''}${text ? `: ${text}` : ''}`,
  )
  const last = row.lastText ? [`    (${row.lastText})`] : []
  return [head, ...last, ...recipients, ...retentionLines(row)].join('\n')
}

function retentionLines({ heldSinceMs, keptUntilMs, notice }: QueueRow): string[] {
  const lines = notice ? ['    a notice of ours'] : []
  if (heldSinceMs === undefined) return lines
  const until = keptUntilMs === undefined ? '' : `, kept until ${dateText(keptUntilMs)}`
  return [...lines, `    held since ${dateText(heldSinceMs)}${until}`]
}

/** To the minute: `2026-11-24 08:00Z`. */
const dateText = (wallMs: number): string => new Date(wallMs).toISOString().replace(/T(\d\d:\d\d).*/, ' $1Z')

async function show(ask: Ask, id: string, json: boolean): Promise<void> {
  const found = (await ask({ kind: 'queue-show', id })) as { row: QueueRow; header: string } | null
  if (found === null) {
    const advice = `See what happened to it: vorposten trace ${id}`
    throw new UserError(`${id} is not in the queue`, advice, EXIT.unavailable)
  }
  if (json) return out(JSON.stringify(found))
  out(rowText(found.row))
  out(`\n${printable(found.header)}`)
}

async function act(ask: Ask, selection: Selection, action: Action, dryRun: boolean, json: boolean): Promise<void> {
  const results = (await ask({ kind: 'queue-act', selection, action, dryRun })) as ActionResult[]
  const shown = json ? results : results.slice(0, ROWS_DEFAULT)
  for (const result of shown) out(json ? JSON.stringify(result) : `${result.id}: ${result.text}`)
  if (shown.length < results.length) out(`and ${results.length - shown.length} more`)
  const done = results.filter((result) => result.done).length
  if (!json) out(dryRun ? `${results.length} chosen, nothing done (dry run)` : `${done} of ${results.length} done`)
  if (!dryRun && done < results.length) process.exitCode = EXIT.unavailable
}

/** `90s`, `12m`, `3h`, `4d`: one unit is enough to read. */
export function rough(ms: number): string {
  const unitMs = [86_400_000, 3_600_000, 60_000, 1000].find((unit) => ms >= 2 * unit) ?? 1000
  return durationText(Math.max(1, Math.round(ms / unitMs)) * unitMs)
}

const sizeText = (octets: number): string => `${Math.max(1, Math.round(octets / 1024))}K`.padStart(6)

// What senders wrote must not move the operator's cursor.
const printable = (text: string): string => text.replace(/\r\n/g, '\n').replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '?')
