/** Who is trained with what, and judged by what (docs/adr/0023). */
import type { Labelled } from './corpora.ts'
import type { Filter } from './filters.ts'
import type { Scored } from './measures.ts'

export interface Corpora {
  readonly spamAssassin: readonly Labelled[]
  readonly mailOf2025: readonly Labelled[]
}

export interface Protocol {
  readonly name: string
  readonly question: string
  /** Each round is trained and judged on its own. */
  readonly rounds: (corpora: Corpora) => readonly Round[]
}

export interface Round {
  /** What the starter is made from; absent: there is none. */
  readonly starter?: Corpora
  readonly train: readonly Labelled[]
  readonly judge: readonly Labelled[]
}

const folds = (mail: readonly Labelled[], count: number): Round[] =>
  Array.from({ length: count }, (_, fold) => ({
    train: mail.filter(({ thread }) => thread % count !== fold),
    judge: mail.filter(({ thread }) => thread % count === fold),
  }))

export const PROTOCOLS: readonly Protocol[] = [
  {
    name: 'halves',
    question: "trained with one half of a site's mail, judged on the other",
    rounds: ({ spamAssassin }) => folds(inTime(spamAssassin), 2),
  },
  {
    name: 'in-time',
    question: 'trained with what came first, judged on what came later',
    rounds: ({ spamAssassin }) => {
      const dated = inTime(spamAssassin).filter(({ receivedMs }) => receivedMs !== undefined)
      return [{ train: dated.slice(0, dated.length / 2), judge: dated.slice(dated.length / 2) }]
    },
  },
  {
    name: 'first-day',
    question: 'the starter alone, made without the fifth of the mail of 2025 that it judges',
    rounds: ({ spamAssassin, mailOf2025 }) =>
      folds(inTime(mailOf2025), 5).map(({ train, judge }) => ({
        starter: { spamAssassin, mailOf2025: train },
        train: [],
        judge,
      })),
  },
  {
    name: 'folds-2025',
    question: 'trained with four fifths of the mail of 2025, judged on the last',
    rounds: ({ mailOf2025 }) => folds(inTime(mailOf2025), 5),
  },
]

/** As it came in; what has no time comes first. */
const inTime = (mail: readonly Labelled[]): Labelled[] =>
  [...mail].sort((a, b) => (a.receivedMs ?? 0) - (b.receivedMs ?? 0))

export interface Judged {
  readonly scored: readonly Scored[]
  /** Of all scores together; of the filter and of its children. */
  readonly cpuMs: number
}

/**
 * The sums of all rounds. Scores of rounds are compared with each other, as thresholds of a product would be. CPU is the best of
 * `runs`: another process can make it more, never less.
 */
export async function judged(filter: Filter, protocol: Protocol, corpora: Corpora, runs = 1): Promise<Judged> {
  const scored: Scored[] = []
  let cpuMs = 0
  for (const { train, judge, starter } of protocol.rounds(corpora)) {
    await filter.reset()
    await filter.train(train, starter)
    let best = Number.POSITIVE_INFINITY
    let scores: readonly number[] = []
    for (let run = 0; run < runs; run++) {
      const before = filter.cpuMs()
      scores = await filter.scores(judge)
      best = Math.min(best, filter.cpuMs() - before)
    }
    judge.forEach(({ isSpam }, i) => void scored.push({ isSpam, score: scores[i]! }))
    cpuMs += best
  }
  return { scored, cpuMs }
}
