/**
 * A file or descriptor that is written to in lines, in batches, without waiting: for logs and traces. When the disk or
 * the reader is slow, lines wait in memory up to a limit and are then dropped and counted; the mail does not wait.
 * Nothing is synced.
 */
import sonicBoom, { type SonicBoomOpts } from 'sonic-boom'

/** Octets that wait for a write at most. */
const WAITING_OCTETS_MAX = 4 * 1024 * 1024

export interface LogWriterOptions {
  /** A path (made if absent, appended to), or a file descriptor. */
  readonly to: string | number
  /** Octets to gather before a write; `flush` writes less. */
  readonly gatherOctets: number
  /** Octets of one write at most. */
  readonly writeOctetsMax?: number
}

export class LogWriter {
  /** Lines dropped, and writes that failed. */
  lost = 0
  readonly #out: InstanceType<typeof sonicBoom.SonicBoom>

  constructor({ to, gatherOctets, writeOctetsMax }: LogWriterOptions) {
    const options: SonicBoomOpts = {
      ...(typeof to === 'number' ? { fd: to } : { dest: to, mkdir: true, append: true, mode: 0o600 }),
      minLength: gatherOctets,
      maxLength: WAITING_OCTETS_MAX,
      sync: false,
    }
    if (writeOctetsMax !== undefined) options.maxWrite = writeOctetsMax
    this.#out = new sonicBoom.SonicBoom(options)
    this.#out.on('error', () => void this.lost++)
    this.#out.on('drop', () => void this.lost++)
  }

  write(line: string): void {
    this.#out.write(line)
  }

  /** Call from time to time: what was written gets out soon even when little happens. */
  flush(): void {
    // With a callback it would fsync, and the disk is needed for promises.
    this.#out.flush()
  }

  /** Writes what waits, now, and closes. */
  end(): void {
    try {
      this.#out.flushSync()
    } catch {
      this.lost++
    }
    this.#out.end()
  }
}
