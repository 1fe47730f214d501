/**
 * What speaks for and against a message, from everybody who knows something of it, in two stages: what the session says and
 * who vouches for it; then, knowing that, what it reads like, and what is known of what it links to and resembles.
 *
 *     client ────────┬─► engines ────────────┐
 *     authentication ┴─► reader ─┬─► lists ──┤
 *                                └─► memory ─┴─► signs
 *
 * Each is optional and has until a deadline. Who does not answer by then, or fails, is silent: a sign that weighs nothing, and
 * a name in `silent`; the rest decides. A session waits `GATHER_MS_MAX` at most.
 */
import { mailboxText, pathText } from '#mail/address.ts'
import type { Authentication } from '#mail/authentication.ts'
import type { Content } from '#mail/content.ts'
import type { Transaction } from '#mail/session.ts'
import type { SpamSign } from '#mail/spam.ts'
import type { Gathered } from '#scan/spam/combine.ts'
import { type SpamAbout, signOf } from '#scan/spam/contract.ts'
import type { ReaderAnswer, SpamReading } from '#scan/spam/reader.ts'
import { SILENCE, SILENT_SYMBOLS, type Source } from '#scan/spam/silence.ts'
import type { Clock } from '#sys/clock.ts'
import type { Way } from '#tenant/directory.ts'

/** All together; the sender's server waits at the dot. */
export const GATHER_MS_MAX = 5_000
/** For the filters beside us: a little less, so that they can say which of them is silent, and why. */
const ENGINES_MS_MAX = 4_800
/** What the reader waits for: after it there must be time left for the lists. */
export const BEFORE_READER_MS_MAX = 2_500

export interface Subject {
  readonly transaction: Transaction
  readonly way: Way
  /** As it came, without fields of ours. */
  readonly content: Content
  readonly about: SpamAbout
  /** Absent: nobody has looked. */
  readonly authentication?: Authentication
}

export interface Evidence {
  readonly signs: readonly SpamSign[]
  /** What of it did not answer, by name; it has said so in signs. */
  readonly silent?: readonly string[]
}

type ClientName = NonNullable<SpamAbout['session']>['clientName']

/** Everybody who may know something. They may reject: that is silence. */
export interface Sources {
  /** Lists and names of the client. */
  readonly client?: (subject: Subject) => Promise<Evidence & { readonly clientName?: ClientName }>
  readonly authentication?: (subject: Subject) => Promise<Evidence & Pick<SpamAbout, 'authenticated'>>
  /** Filters beside us. They judge a client by its name, too. `endMs`: of the clock; who is silent then must have been said. */
  readonly engines?: (subject: Subject, endMs: number) => Promise<Evidence>
  /** The reading thread. */
  readonly reader?: (content: Content, about: SpamAbout, tenant: string) => Promise<ReaderAnswer>
  /** Of what it links to. Not asked about what was not read. */
  readonly lists?: (subject: Subject, reading: SpamReading) => Promise<Evidence>
  readonly memory?: (subject: Subject, reading: SpamReading) => Promise<Evidence>
}

export class Gathering {
  readonly #clock: Pick<Clock, 'after' | 'monotonic'>
  readonly #sources: Sources

  constructor(clock: Pick<Clock, 'after' | 'monotonic'>, sources: Sources) {
    this.#clock = clock
    this.#sources = sources
  }

  async gather(subject: Subject): Promise<Gathered> {
    const startedMs = this.#clock.monotonic()
    const signs: SpamSign[] = []
    const silent: string[] = []
    const fallsSilent = (source: Source, detail: string): void => {
      silent.push(source)
      signs.push(signOf(SILENCE, { symbol: SILENT_SYMBOLS[source], detail }))
    }
    const ask = async <Said extends Evidence>(source: Source, work: Promise<Said> | undefined, msMax: number) => {
      if (work === undefined) return undefined
      const leftMs = startedMs + msMax - this.#clock.monotonic()
      const said = await this.#within(leftMs, work)
      if (typeof said === 'string') {
        fallsSilent(source, said)
        return undefined
      }
      signs.push(...said.signs)
      const unheard = said.silent ?? []
      silent.push(...unheard)
      // They have names of their own; a policy speaks of all of them.
      if (source === 'engines' && unheard.length > 0) silent.push(source)
      return said
    }
    const { client, authentication, engines, reader, lists, memory } = this.#sources
    const clientSaid = ask('client', client?.(subject), BEFORE_READER_MS_MAX)
    const named = async () => ({
      ...subject,
      about: withKnown(subject.about, (await clientSaid)?.clientName, undefined),
    })
    const enginesEndMs = startedMs + ENGINES_MS_MAX
    const beside = ask('engines', engines && named().then((one) => engines(one, enginesEndMs)), GATHER_MS_MAX)
    const [from, vouched] = await Promise.all([
      clientSaid,
      ask('authentication', authentication?.(subject), BEFORE_READER_MS_MAX),
    ])
    const known = { ...subject, about: withKnown(subject.about, from?.clientName, vouched?.authenticated) }
    const reading = await ask(
      'reader',
      reader && readingOf(reader(known.content, known.about, known.way.tenant.name)),
      GATHER_MS_MAX,
    )
    await Promise.all([
      beside,
      reading && ask('lists', lists?.(known, reading), GATHER_MS_MAX),
      reading && ask('memory', memory?.(known, reading), GATHER_MS_MAX),
    ])
    return { signs, silent, durationMs: this.#clock.monotonic() - startedMs }
  }

  /** Why there is no answer, as a text. */
  #within<Said extends object>(ms: number, work: Promise<Said>): Promise<Said | string> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(Math.max(0, ms), () => resolve('it took too long'))
      const end = (said: Said | string): void => {
        cancel()
        resolve(said)
      }
      work.then(end, (error: unknown) => end(error instanceof Error ? error.message : String(error)))
    })
  }
}

async function readingOf(answer: Promise<ReaderAnswer>): Promise<SpamReading & Evidence> {
  const read = await answer
  if (read.kind === 'silent') throw new Error(read.text)
  return read
}

/** What the envelope and the session say. */
export function aboutOf({ session, envelope }: Transaction): SpamAbout {
  const { client, greetingName, tls } = session
  return {
    session: {
      client: client.address,
      ...(greetingName !== undefined && { greetingName }),
      tls: tls !== undefined,
    },
    reversePath: envelope.reversePath.kind === 'null' ? '<>' : mailboxText(envelope.reversePath.mailbox),
    recipients: envelope.recipients.map(({ forwardPath }) => pathText(forwardPath).replace(/^<|>$/g, '')),
  }
}

function withKnown(about: SpamAbout, clientName: ClientName, authenticated: SpamAbout['authenticated']): SpamAbout {
  const { session } = about
  return {
    ...about,
    ...(session && clientName && { session: { ...session, clientName } }),
    ...(authenticated && { authenticated }),
  }
}
