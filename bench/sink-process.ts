/** The sink as a process of its own, so that it does not share a core with the driver. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { SinkStatus } from './sink.ts'

const POLL_MS = 10

export class SinkProcess {
  readonly ports: readonly number[]
  readonly #child: ChildProcess
  readonly #answers: ((status: SinkStatus) => void)[] = []

  private constructor(child: ChildProcess, ports: readonly number[]) {
    this.#child = child
    this.ports = ports
    child.on('message', (status) => this.#answers.shift()?.(status as SinkStatus))
  }

  /** `flags`: as `sink.ts` takes them. Rejects if a port is taken. */
  static start(flags: readonly string[]): Promise<SinkProcess> {
    const child = fork(join(import.meta.dirname, 'sink.ts'), flags)
    return new Promise((resolve, reject) => {
      child.once('message', (told) => resolve(new SinkProcess(child, (told as { ports: number[] }).ports)))
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`the sink ended with ${code}`)))
    })
  }

  status(): Promise<SinkStatus> {
    return new Promise((resolve) => {
      this.#answers.push(resolve)
      this.#child.send('status')
    })
  }

  /** Until so many different messages have arrived, or none has for `quietMsMax`. */
  async waitFor(distinct: number, quietMsMax: number): Promise<SinkStatus> {
    let status = await this.status()
    let movedMs = performance.now()
    while (status.distinct < distinct && performance.now() - movedMs < quietMsMax) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      const next = await this.status()
      if (next.distinct > status.distinct) movedMs = performance.now()
      status = next
    }
    return status
  }

  stop(): Promise<void> {
    if (this.#child.exitCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.kill('SIGTERM')
    })
  }
}
