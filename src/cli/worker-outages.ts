/** How a worker hears of outages: it asks the supervisor now and then, and takes what the supervisor says in between. */
import { setImmediate } from 'node:timers/promises'
import type { Outages, OutagesNews } from '#queue/outages.ts'
import type { Spool } from '#spool/contract.ts'
import type { Clock } from '#sys/clock.ts'
import type { Waiting, WaitingQuestion } from './clerks/outages.ts'
import type { AskDesk } from './serve/worker.ts'

/** Changes are sent at once; this is for what got lost, and for a supervisor that has gone silent. */
const ASK_EVERY_MS = 15_000
const ANSWER_MS_MAX = 5_000
/** After so much silence nobody knows any more what is up. */
const SILENCE_MS_MAX = 60_000

/** Asks until the first answer, for a moment at most, then goes on asking. The result ends it. */
export async function followOutages(outages: Outages, desk: AskDesk, clock: Clock): Promise<() => void> {
  let heardMs = clock.monotonic()
  let ended = false
  let cancel = () => {}
  const ask = async (): Promise<void> => {
    try {
      outages.learn((await desk('outages/news', undefined, ANSWER_MS_MAX)) as OutagesNews)
      heardMs = clock.monotonic()
    } catch {
      if (clock.monotonic() - heardMs > SILENCE_MS_MAX) outages.forgetPrimaries()
    }
    if (!ended) cancel = clock.after(ASK_EVERY_MS, () => void ask())
  }
  await ask()
  return () => {
    ended = true
    cancel()
  }
}

/** A server that takes our mail need not be asked whether it is up: that would only take a connection from the mail. */
const MET_EVERY_MS = 5_000

/**
 * Says now and then which routes took a message, and which had nobody to take it: then the server is asked at once. Who
 * does not hear it asks the server, as ever.
 */
export function meetings(desk: AskDesk, clock: Clock): (routeId: string, up: boolean) => void {
  const said = { up: new Map<string, number>(), down: new Map<string, number>() }
  return (route, up) => {
    const nowMs = clock.monotonic()
    const saidMs = up ? said.up : said.down
    if (nowMs - (saidMs.get(route) ?? Number.NEGATIVE_INFINITY) < MET_EVERY_MS) return
    saidMs.set(route, nowMs)
    desk('outages/met', { route, up }, ANSWER_MS_MAX).catch(() => {})
  }
}

/** Looked at in one turn; mail passes between the turns. */
const ENTRIES_PER_TURN = 10_000

/** Goes through the whole spool: for what is asked seldom. */
export async function waitingFor(spool: Pick<Spool, 'entries'>, question: WaitingQuestion): Promise<Waiting> {
  const { route, upMs = Number.POSITIVE_INFINITY } = question
  const waiting = { messages: 0, backlog: 0, held: 0 }
  let oldestMs = Number.POSITIVE_INFINITY
  let seen = 0
  for (const entry of spool.entries()) {
    if (++seen % ENTRIES_PER_TURN === 0) await setImmediate()
    if (entry.route !== route) continue
    const isOld = entry.receivedMs < upMs
    if (entry.state === 'active') {
      waiting.messages++
      if (isOld) waiting.backlog++
      oldestMs = Math.min(oldestMs, entry.receivedMs)
    } else if (isOld && (entry.heldSinceMs ?? 0) >= upMs) waiting.held++
  }
  return waiting.messages === 0 ? waiting : { ...waiting, oldestMs }
}
