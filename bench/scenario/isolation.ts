/**
 * A black hole beside good neighbours. Load at a fixed rate for a good domain, first alone, then with many messages queued
 * for a domain whose next hop takes connections and never says a word. Latency at the dot, and from MAIL to the arrival
 * at the sink.
 */
import { drive, uniformMessages } from '../driver.ts'
import {
  COLUMNS,
  change,
  GOOD,
  Neighbour,
  OCTETS,
  pause,
  RATE_PER_SECOND,
  row,
  SESSIONS,
  SETTLE_MS,
} from '../neighbour.ts'
import { type BenchOptions, MANY_PER_SESSION } from '../options.ts'
import { RelayUnderTest } from '../relay-under-test.ts'
import { Sink } from '../sink.ts'
import type { Table } from '../table.ts'

const HOLE = 'hole.test'
const FILL_MS_MAX = 600_000
/** Numbers of the black hole's messages; none of them ever arrives. */
const HOLE_NUMBERS = 8_000_000

export async function isolation(options: BenchOptions): Promise<Table> {
  const neighbour = new Neighbour()
  const sink = new Sink({ ports: [0], blackHoles: [0], arrived: ({ number }) => neighbour.arrived(number) })
  const [goodPort, holePort] = await sink.listen()
  const relay = await RelayUnderTest.create('spool', { [GOOD]: goodPort!, [HOLE]: holePort! })
  try {
    await relay.start()
    await neighbour.measure(relay.port, 2)
    const alone = await neighbour.measure(relay.port, options.seconds)
    const hole = await drive({
      host: '127.0.0.1',
      port: relay.port,
      sessions: SESSIONS,
      messagesMax: options.blackHole,
      firstNumber: HOLE_NUMBERS,
      durationMsMax: FILL_MS_MAX,
      messagesPerSession: MANY_PER_SESSION,
      pace: 'pipelined',
      message: uniformMessages(OCTETS, [HOLE], 1),
    })
    await pause(SETTLE_MS)
    const beside = await neighbour.measure(relay.port, options.seconds)
    return {
      title: `A good domain at ${RATE_PER_SECOND} messages/s, beside ${hole.fates.acknowledged} for a black hole`,
      columns: COLUMNS,
      rows: [row('alone', alone), row('beside it', beside), change(alone, beside)],
    }
  } finally {
    await relay.remove()
    await sink.close()
  }
}
