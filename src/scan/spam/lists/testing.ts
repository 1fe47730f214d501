/** For tests of DNS lists: a DNS that says what it is told, a clock that is moved by hand, and a list that is one. */
import type { SpamListSettings } from '#mail/spam-list.ts'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import type { ListState } from './spam-list.ts'
import { SpamLists } from './spam-lists.ts'

/** `fails`: SERVFAIL. `silent`: no answer, ever. Names that are not there do not exist. */
export type Said = readonly string[] | 'fails' | 'silent'

export class FakeDns implements Dns {
  readonly asked: string[] = []
  readonly zone: Record<string, Said>
  /** What is said of names that are not in the zone. */
  otherwise: Said | undefined

  constructor(zone: Record<string, Said>) {
    this.zone = zone
  }

  lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
    this.asked.push(`${type} ${name}`)
    const said = this.zone[`${type} ${name}`] ?? (type === 'A' ? this.zone[name] : undefined) ?? this.otherwise
    if (said === 'silent') return new Promise(() => {})
    const of = { name, secure: false, ttlMs: 60_000 }
    if (said === undefined) return Promise.resolve({ kind: 'none', why: 'no-name', ...of })
    if (said === 'fails') return Promise.resolve({ kind: 'unknown', text: `SERVFAIL about ${name}` })
    return Promise.resolve({ kind: 'found', records: said, ...of } as unknown as Answer<T>)
  }
}

export class HandClock {
  nowMs = 0
  readonly #timers = new Set<{ readonly atMs: number; readonly call: () => void }>()
  readonly monotonic = (): number => this.nowMs

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  get timers(): number {
    return this.#timers.size
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms
    await quiet()
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs)
      if (next === undefined || next.atMs > untilMs) break
      this.#timers.delete(next)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.call()
      await quiet()
    }
    this.nowMs = untilMs
  }
}

/** Everything that can happen without time passing has happened. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
}

const ALIVE: Record<string, Said> = {
  '2.0.0.127.bl.test': ['127.0.0.2'],
  'test.dom.test': ['127.0.1.2'],
  '2.0.0.127.dom.test': ['127.0.1.2'],
}

export const BL: SpamListSettings = {
  name: 'bl',
  kinds: ['client'],
  zone: 'bl.test',
  welcome: false,
  weight: 4,
  codes: [],
}
export const DOM: SpamListSettings = { ...BL, name: 'dom', kinds: ['sender', 'link'], zone: 'dom.test', weight: 3 }

/** `bl.test` and `dom.test` are alive if `zone` says nothing else. */
export function listsWith(settings: readonly SpamListSettings[], zone: Record<string, Said> = {}) {
  const dns = new FakeDns({ ...ALIVE, ...zone })
  const clock = new HandClock()
  const told: [string, ListState][] = []
  const changed = (list: string, state: ListState) => void told.push([list, state])
  const lists = new SpamLists(settings, { dns, clock, random: () => 0.5, changed })
  return { lists, dns, clock, told }
}
