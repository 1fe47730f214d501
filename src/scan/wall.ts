/**
 * All engines of the virus wall, asked at the same time about one content. What they say is put together, and what becomes
 * of it is the policy's affair. An engine that throws has a defect; that it did not look is then a fact like any other.
 *
 * It remembers of each engine whether its last look failed, for health and metrics; `check` asks those again, so that a
 * relay that gets no mail because it is not ready still notices the recovery.
 */
import { type Content, content } from '#mail/content.ts'
import { FACTS_MAX, type ScanFact, type ScanResult } from '#mail/scan.ts'
import type { Parts } from '#mime/removal/parts.ts'
import type { Clock } from '#sys/clock.ts'
import type { Engine, NotSaid, Reader, Reading } from './contract.ts'
import { Results, type Whose } from './results.ts'
import { allKnown } from './signature-tag.ts'

/** Facts about the content, not about the engine: the next content may fare better. */
const OF_CONTENT: readonly string[] = ['too-large', 'busy']

export interface EngineState {
  readonly name: string
  /** Why its last look failed; absent: it did not. */
  readonly silent?: string
}

/** A look at nothing: header and body are empty. */
const NOTHING = content([Buffer.from('\r\n')])

/** One of those that answer for a content. */
interface Asked {
  readonly name: string
  ask(body: Content, reading: Reading | undefined): Promise<readonly ScanFact[]>
}

export class Wall {
  readonly #engines: readonly Engine[]
  readonly #reader: Reader | undefined
  readonly #asked: readonly Asked[]
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #results: Results
  readonly #silent = new Map<string, string>()

  /** Without a reader, engines see the content and nothing else. */
  constructor(engines: readonly Engine[], clock: Pick<Clock, 'monotonic'>, reader?: Reader) {
    this.#engines = engines
    this.#reader = reader
    this.#clock = clock
    this.#results = new Results(clock)
    this.#asked = [
      ...engines.map((engine) => ({
        name: engine.name,
        ask: async (body: Content, reading: Reading | undefined) => engine.look(body, extraOf(reading)),
      })),
      ...(reader
        ? [{ name: reader.name, ask: async (_: Content, reading: Reading | undefined) => reading!.facts }]
        : []),
    ]
  }

  /** `whose`: what was found in the same content a short time ago may be the answer. */
  scan(body: Content, whose?: Whose): Promise<ScanResult> {
    const signatures = whose && this.#signatures()
    if (whose === undefined || signatures === undefined) return this.#scan(body)
    return this.#results.of(body, whose, signatures, () => this.#scan(body))
  }

  /** Nothing that was found before counts any more. */
  forget(): void {
    this.#results.forget()
  }

  /** Undefined: those of an engine are not known now, and nothing may be remembered. The rules of our own threads are code. */
  #signatures(): string | undefined {
    return allKnown(this.#engines.map((engine) => (engine.signatures ? engine.signatures() : '')))
  }

  async #scan(body: Content): Promise<ScanResult> {
    const startMs = this.#clock.monotonic()
    const reading = this.#read(body)
    const answers = await Promise.all(this.#asked.map((asked) => this.#ask(asked, body, reading)))
    const facts = bounded(answers.flat())
    // An engine that has not been given what only some readers see has not looked at all of it.
    const sawAll = reading === undefined || (await reading.extra) !== undefined
    const cleanBy = this.#asked.flatMap(({ name }, i) => {
      const mayJudge = name === this.#reader?.name ? this.#reader.examines : sawAll
      return mayJudge && answers[i]!.every(isNeutral) ? [name] : []
    })
    return { facts, cleanBy, durationMs: this.#clock.monotonic() - startMs }
  }

  /** The parts of a message that can be taken out of it. */
  async parts(body: Content): Promise<Parts | NotSaid> {
    return this.#reader?.parts(body) ?? { kind: 'not-said', text: 'nobody reads messages here' }
  }

  /** Asks the silent engines again. */
  async check(): Promise<readonly EngineState[]> {
    const silent = this.#asked.filter(({ name }) => this.#silent.has(name))
    if (silent.length > 0) {
      const reading = this.#read(NOTHING)
      await Promise.all(silent.map((asked) => this.#ask(asked, NOTHING, reading)))
    }
    return this.states()
  }

  states(): readonly EngineState[] {
    return this.#asked.map(({ name }) => {
      const silent = this.#silent.get(name)
      return { name, ...(silent !== undefined && { silent }) }
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#engines.map((engine) => engine.close?.()), this.#reader?.close()])
  }

  #read(body: Content): Reading | undefined {
    return this.#reader?.read(body, this.#engines.length > 0)
  }

  async #ask({ name, ask }: Asked, body: Content, reading: Reading | undefined): Promise<readonly ScanFact[]> {
    let facts: readonly ScanFact[]
    try {
      facts = await ask(body, reading)
    } catch (error) {
      facts = [{ kind: 'not-looked', engine: name, why: 'crashed', text: (error as Error).message }]
    }
    const failed = facts.find((fact) => fact.kind === 'not-looked')
    if (failed === undefined) this.#silent.delete(name)
    else if (!OF_CONTENT.includes(failed.why)) this.#silent.set(name, `${failed.why}: ${failed.text}`)
    return facts
  }
}

const extraOf = async (reading: Reading | undefined) => (await reading?.extra) ?? []

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
