/**
 * All engines of the virus wall, asked at the same time about one content. What they say is put together, and what becomes
 * of it is the policy's affair. An engine that throws has a defect; that it did not look is then a fact like any other.
 *
 * It remembers of each engine whether its last look failed, for health and metrics; `check` asks those again, so that a
 * relay that gets no mail because it is not ready still notices the recovery.
 */
import { type Content, content } from '#mail/content.ts'
import { FACTS_MAX, type ScanFact, type ScanResult } from '#mail/scan.ts'
import type { Clock } from '#sys/clock.ts'
import type { Engine, ScanObject } from './contract.ts'

/** Facts about the content, not about the engine: the next content may fare better. */
const OF_CONTENT: readonly string[] = ['too-large', 'busy']

export interface EngineState {
  readonly name: string
  /** Why its last look failed; absent: it did not. */
  readonly silent?: string
}

/** A look at nothing: header and body are empty. */
const NOTHING = content([Buffer.from('\r\n')])

export class Wall {
  readonly engines: readonly Engine[]
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #silent = new Map<string, string>()

  constructor(engines: readonly Engine[], clock: Pick<Clock, 'monotonic'>) {
    this.engines = engines
    this.#clock = clock
  }

  async scan(body: Content, extra: readonly ScanObject[] = []): Promise<ScanResult> {
    const startMs = this.#clock.monotonic()
    const answers = await Promise.all(this.engines.map((engine) => this.#ask(engine, body, extra)))
    const cleanBy = this.engines.flatMap(({ name }, i) => (answers[i]!.every(isNeutral) ? [name] : []))
    return { facts: bounded(answers.flat()), cleanBy, durationMs: this.#clock.monotonic() - startMs }
  }

  /** Asks the silent engines again. */
  async check(): Promise<readonly EngineState[]> {
    await Promise.all(
      this.engines.filter(({ name }) => this.#silent.has(name)).map((engine) => this.#ask(engine, NOTHING, [])),
    )
    return this.states()
  }

  states(): readonly EngineState[] {
    return this.engines.map(({ name }) => {
      const silent = this.#silent.get(name)
      return { name, ...(silent !== undefined && { silent }) }
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.close?.()))
  }

  async #ask(engine: Engine, body: Content, extra: readonly ScanObject[]): Promise<readonly ScanFact[]> {
    const { name } = engine
    let facts: readonly ScanFact[]
    try {
      facts = await engine.look(body, extra)
    } catch (error) {
      facts = [{ kind: 'not-looked', engine: name, why: 'crashed', text: (error as Error).message }]
    }
    const failed = facts.find((fact) => fact.kind === 'not-looked')
    if (failed === undefined) this.#silent.delete(name)
    else if (!OF_CONTENT.includes(failed.why)) this.#silent.set(name, `${failed.why}: ${failed.text}`)
    return facts
  }
}

// That there is a file is no finding.
const isNeutral = ({ kind }: ScanFact): boolean => kind === 'file'

/** What no policy lets through comes first, that there are files last: a flood of one kind hides nothing graver. */
const rank = ({ kind }: ScanFact): number => {
  if (kind === 'malware' || kind === 'not-looked') return 0
  return kind === 'file' ? 2 : 1
}

function bounded(found: readonly ScanFact[]): readonly ScanFact[] {
  // Also a record that keeps the first few only must have them.
  const facts = found.toSorted((a, b) => rank(a) - rank(b))
  if (facts.length <= FACTS_MAX) return facts
  const kept = facts.slice(0, FACTS_MAX - 1)
  const text = `${facts.length - kept.length} facts more`
  return [...kept, { kind: 'over-limit', limit: 'facts', where: 'message', text }]
}
