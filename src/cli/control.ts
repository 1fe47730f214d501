/**
 * What the tools may ask of the running program over the control socket, and how the supervisor answers: it asks every
 * worker and puts the answers together. Requests are checked here; whoever may open the socket is the operator.
 */
import { z } from 'zod'
import type { ActionResult, QueueRow } from '#queue/operations.ts'
import { EXIT, UserError } from './exit.ts'
import type { WorkerAnswer } from './serve/ipc.ts'
import type { Running } from './serve.ts'

const selection = z.strictObject({
  ids: z.array(z.string().max(64)).max(1000).readonly().optional(),
  tenant: z.string().max(64).optional(),
  route: z.string().max(400).optional(),
  state: z.enum(['active', 'held']).optional(),
  sender: z.string().max(400).optional(),
  recipient: z.string().max(400).optional(),
  olderThanMs: z.number().nonnegative().optional(),
})

const action = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['flush', 'hold', 'release', 'delete']) }),
  z.strictObject({ kind: z.literal('requeue'), route: z.string().max(400).optional() }),
])

const request = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('queue-list'), selection, rowsMax: z.number().int().positive().max(10_000) }),
  z.strictObject({ kind: z.literal('queue-show'), id: z.string().max(64) }),
  z.strictObject({ kind: z.literal('queue-act'), selection, action, dryRun: z.boolean() }),
  /** To a clerk of the desk, which checks the body itself. */
  z.strictObject({ kind: z.literal('desk'), about: z.string().max(100), body: z.unknown() }),
  z.strictObject({ kind: z.literal('reload') }),
  z.strictObject({ kind: z.literal('status') }),
])
export type ControlRequest = z.infer<typeof request>

/** For a bulk command on a large queue. */
const ASK_MS_MAX = 120_000

export interface ListAnswer {
  readonly rows: readonly QueueRow[]
  /** There are more than were asked for. */
  readonly more: boolean
}

export async function answerControl(body: unknown, running: Running): Promise<unknown> {
  const parsed = request.safeParse(body)
  if (!parsed.success) {
    throw new UserError(
      `the request was not understood: ${z.prettifyError(parsed.error).replace(/\s+/g, ' ')}`,
      'Use the command line of the same release as the running program.',
      EXIT.unavailable,
    )
  }
  const asked = parsed.data
  switch (asked.kind) {
    case 'queue-list':
      return listAnswer(await ask(running, asked), asked.rowsMax)
    case 'queue-show':
      return (await ask(running, asked)).find((found) => found !== undefined) ?? null
    case 'queue-act':
      return ((await ask(running, asked)) as ActionResult[][]).flat()
    case 'desk':
      return running.desk.command(asked.about, asked.body)
    case 'reload':
      await running.reload()
      return 'reloaded'
    case 'status':
      return running.supervisor.health()
  }
}

function listAnswer(answers: readonly unknown[], rowsMax: number): ListAnswer {
  const lists = answers as ListAnswer[]
  const rows = lists.flatMap((list) => list.rows).sort((a, b) => b.ageMs - a.ageMs)
  return { rows: rows.slice(0, rowsMax), more: rows.length > rowsMax || lists.some((list) => list.more) }
}

async function ask(running: Running, asked: { readonly kind: string }): Promise<unknown[]> {
  const { kind, ...body } = asked
  const answers: WorkerAnswer[] = await running.supervisor.askAll(kind, body, ASK_MS_MAX)
  const failed = answers.find((answer) => answer.kind === 'failed')
  if (failed)
    throw new UserError(`a worker gave no answer: ${failed.text}`, 'Try again; see the log.', EXIT.unavailable)
  return answers.map((answer) => (answer.kind === 'failed' ? undefined : answer.body))
}
