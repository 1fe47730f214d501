/** Driver to sink without a relay: the ceiling of the load tools themselves, to be far above what they measure. */
import { drive, uniformMessages } from '../driver.ts'
import type { Pace } from '../load-session.ts'
import { type BenchOptions, MANY_PER_SESSION, MESSAGES_MAX, sizeText } from '../options.ts'
import { SinkProcess } from '../sink-process.ts'
import type { Cell, Table } from '../table.ts'

const PACES: readonly Pace[] = ['lock-step', 'pipelined', 'behind-dot']

export async function direct(options: BenchOptions): Promise<Table> {
  const rows: Cell[][] = []
  const sink = await SinkProcess.start(['--port', '0'])
  try {
    for (const pace of PACES) {
      for (const octets of options.sizes) {
        for (const mode of options.modes) {
          for (const sessions of options.sessions) {
            const { rate, dotMs } = await drive({
              host: '127.0.0.1',
              port: sink.ports[0]!,
              sessions,
              messagesMax: MESSAGES_MAX,
              durationMsMax: options.seconds * 1000,
              messagesPerSession: mode === 'single' ? 1 : MANY_PER_SESSION,
              pace,
              message: uniformMessages(octets, ['dest.test'], 1),
            })
            rows.push([pace, `${sizeText(octets)} s=${sessions} ${mode}`, rate, dotMs.p50, dotMs.p95])
          }
        }
      }
    }
  } finally {
    await sink.stop()
  }
  return { title: 'Driver to sink, no relay', columns: ['pace', 'cell', 'msg/s', 'dot p50 ms', 'dot p95 ms'], rows }
}
