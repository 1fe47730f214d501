/**
 * Free space, asked of the disk at most once a second, and a reserve: a file of 1 MiB that is given up when the disk is
 * full, so that what deliveries change can still be written (some 4,000 changes) and mail can flow out.
 */
import type { Clock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'

/** Between two looks at the disk. */
export const LOOK_MS = 1000
export const RESERVE_OCTETS = 1024 * 1024
/** The reserve is made again only with this much room beyond it, or it would take back what it has just given. */
const RESERVE_MARGIN_OCTETS = 3 * RESERVE_OCTETS
export const RESERVE_NAME = 'reserve'

export class Space {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #folder: string
  readonly #freeOctetsMin: number
  #free = Number.POSITIVE_INFINITY
  #lookedMs = Number.NEGATIVE_INFINITY
  #reserved: boolean | undefined

  constructor(disk: Disk, clock: Clock, folder: string, freeOctetsMin: number) {
    this.#disk = disk
    this.#clock = clock
    this.#folder = folder
    this.#freeOctetsMin = freeOctetsMin
  }

  /** By the last look. */
  get low(): boolean {
    return this.#free < this.#freeOctetsMin
  }

  /** What may be written before it is full, by the last look. */
  get roomOctets(): number {
    return this.#free - this.#freeOctetsMin
  }

  /** Looks again if the last look is old. A disk that does not answer is not called full. */
  async look(now = false): Promise<void> {
    if (!now && this.#clock.monotonic() - this.#lookedMs < LOOK_MS) return
    this.#lookedMs = this.#clock.monotonic()
    this.#free = await this.#disk.freeOctets(this.#folder).catch(() => Number.POSITIVE_INFINITY)
  }

  written(octets: number): void {
    this.#free -= octets
  }

  /** Makes the reserve if there is none and room enough. Never rejects. */
  async keepReserve(): Promise<void> {
    if (this.#reserved || this.#free < this.#freeOctetsMin + RESERVE_OCTETS + RESERVE_MARGIN_OCTETS) return
    const path = `${this.#folder}/${RESERVE_NAME}`
    try {
      if (!(await this.#disk.list(this.#folder)).includes(RESERVE_NAME)) await fill(this.#disk, path)
      this.#reserved = true
    } catch {
      // Half a reserve is better than none; it is looked at again at the next start.
      this.#reserved = true
    }
  }

  /** True if that made room. Never rejects. */
  async giveUpReserve(): Promise<boolean> {
    if (this.#reserved === false) return false
    this.#reserved = false
    return this.#disk.unlink(`${this.#folder}/${RESERVE_NAME}`).then(
      () => true,
      () => false,
    )
  }
}

export const isNoSpace = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')

async function fill(disk: Disk, path: string): Promise<void> {
  const file = await disk.open(path, 'create')
  try {
    // A sparse file would reserve nothing.
    await file.writeAll([Buffer.alloc(RESERVE_OCTETS)], 0)
  } finally {
    await file.close()
  }
}
