/**
 * The standing of a sender: how his earlier mail was found, as log odds.
 *
 * | evidence | counts |
 * |---|---|
 * | the filter was sure, without asking this memory | 1 |
 * | somebody took it out of quarantine, or called it spam | 10, at once and for sure |
 * | it went to an address that is only there to catch spam; malware; one session asked for many who do not exist | 5, 5, 3, for sure |
 *
 * Counts halve in `HALF_LIFE_MS`, and of verdicts no more than `VERDICTS_MAX` are kept, in their proportion: ten thousand good
 * messages of last year are no more than a hundred of last week, and who turns bad has a bad name after some eighty messages.
 *
 * How odds are made of counts: from the general to the special (network, domain, address), each beginning with half the
 * log odds of the one before as `PRIOR_COUNT` messages (beta-binomial). So a new address of a bad network is a little
 * suspicious, and one with a record of its own is judged by that.
 *
 * What verdicts alone say moves `VERDICTS_STRENGTH_MAX` at most, and good ones count in full only after `TRUST_MS` of
 * acquaintance. Whoever wants to be thought well of must send wanted mail for two weeks, gets half of what people's word gives,
 * and a dozen reports, or a morning of spam, are the end of it.
 */
import type { SenderCounts } from '#store/spam-senders.ts'
import type { Said } from '../contract.ts'
import type { Sender } from './facts.ts'

const DAY_MS = 86_400_000
export const HALF_LIFE_MS = 14 * DAY_MS
export const VERDICTS_MAX = 100
export const SURE_MAX = 200
/** A sender of whom less is left is forgotten. */
const FORGOTTEN_BELOW = 0.1
/** Messages that the general record stands for where the special one begins. */
const PRIOR_COUNT = 4
/** Of its log odds, what the general record gives on. */
const INHERITED = 0.5
/** Log odds, as a part of the weight of a sign. */
export const ODDS_MAX = 3
export const VERDICTS_STRENGTH_MAX = 0.5
export const TRUST_MS = 14 * DAY_MS
/** What is known to all tenants counts so much beside a tenant's own. */
const OTHERS_WEIGHT = 0.5
/** Of one tenant's evidence about one sender, good or bad, so much reaches all tenants: no tenant alone makes a name for all. */
export const SHARED_MAX = 20
/** Messages before anything is said, and log odds. */
const COUNT_MIN = 3
const ODDS_MIN = 0.5
/** Less than one count of people or facts is none. */
const SURE_MIN = 1

export type Evidence = Pick<SenderCounts, 'good' | 'bad' | 'sureGood' | 'sureBad'>

const NONE: Evidence = { good: 0, bad: 0, sureGood: 0, sureBad: 0 }

export const EVIDENCE = {
  'judged-good': { ...NONE, good: 1 },
  'judged-bad': { ...NONE, bad: 1 },
  released: { ...NONE, sureGood: 10 },
  reported: { ...NONE, sureBad: 10 },
  honeypot: { ...NONE, sureBad: 5 },
  malware: { ...NONE, sureBad: 5 },
  harvest: { ...NONE, sureBad: 3 },
} as const satisfies Record<string, Evidence>
export type EvidenceKind = keyof typeof EVIDENCE

export const sumOf = ({ good, bad, sureGood, sureBad }: Evidence): number => good + bad + sureGood + sureBad

export const scaled = ({ good, bad, sureGood, sureBad }: Evidence, by: number): Evidence => ({
  good: good * by,
  bad: bad * by,
  sureGood: sureGood * by,
  sureBad: sureBad * by,
})

export const together = (a: Evidence, b: Evidence): Evidence => ({
  good: a.good + b.good,
  bad: a.bad + b.bad,
  sureGood: a.sureGood + b.sureGood,
  sureBad: a.sureBad + b.sureBad,
})

/** What is left of it now. */
export const leftOf = (counts: SenderCounts, nowMs: number): Evidence => scaled(counts, remainder(counts, nowMs))

const remainder = ({ atMs }: SenderCounts, nowMs: number): number => 2 ** (-Math.max(0, nowMs - atMs) / HALF_LIFE_MS)

/** `shared`: what of it all tenants hear. */
export function learned(
  before: SenderCounts | undefined,
  evidence: Evidence,
  nowMs: number,
  shared: Evidence = NONE,
): SenderCounts {
  const { good, bad, sureGood, sureBad } = together(before ? leftOf(before, nowMs) : NONE, evidence)
  const verdicts = atMost(VERDICTS_MAX, good + bad)
  const sure = atMost(SURE_MAX, sureGood + sureBad)
  const left = before === undefined ? 0 : remainder(before, nowMs)
  return {
    good: good * verdicts,
    bad: bad * verdicts,
    sureGood: sureGood * sure,
    sureBad: sureBad * sure,
    sharedGood: (before?.sharedGood ?? 0) * left + shared.good + shared.sureGood,
    sharedBad: (before?.sharedBad ?? 0) * left + shared.bad + shared.sureBad,
    sinceMs: before?.sinceMs ?? nowMs,
    atMs: nowMs,
  }
}

const atMost = (max: number, sum: number): number => (sum > max ? max / sum : 1)

/** When too little of it will be left to be kept. */
export const forgottenMs = (counts: SenderCounts): number =>
  counts.atMs + HALF_LIFE_MS * Math.max(0, Math.log2(sumOf(counts) / FORGOTTEN_BELOW))

/** What of a tenant's evidence counts for all, by what of it they have heard before. */
export function sharedOf(before: SenderCounts | undefined, evidence: Evidence, nowMs: number): Evidence {
  const left = before === undefined ? 0 : remainder(before, nowMs)
  const part = (heard: number, more: number) => Math.min(1, Math.max(0, SHARED_MAX - heard * left) / more)
  const { good, bad, sureGood, sureBad } = evidence
  const goodPart = good + sureGood > 0 ? part(before?.sharedGood ?? 0, good + sureGood) : 0
  const badPart = bad + sureBad > 0 ? part(before?.sharedBad ?? 0, bad + sureBad) : 0
  return { good: good * goodPart, bad: bad * badPart, sureGood: sureGood * goodPart, sureBad: sureBad * badPart }
}

/** What is on record of one sender: the tenant's own, and what all tenants know. */
export interface OnRecord {
  readonly sender: Sender
  readonly own?: SenderCounts | undefined
  readonly everybody?: SenderCounts | undefined
}

export interface Standing {
  /** Above 0: bad. */
  readonly odds: number
  /** The most special of whom enough is known. */
  readonly by?: { readonly sender: Sender; readonly counts: Evidence }
  /** Nothing is known of any but his network. */
  readonly isNew: boolean
}

/** `records`: the most general first. */
export function standingOf(records: readonly OnRecord[], nowMs: number): Standing {
  let odds = 0
  let all = NONE
  let by: Standing['by']
  let isNew = true
  let sinceMs = nowMs
  for (const { sender, own, everybody } of records) {
    const counts = together(
      own ? leftOf(own, nowMs) : NONE,
      everybody ? scaled(leftOf(everybody, nowMs), OTHERS_WEIGHT) : NONE,
    )
    const [good, bad] = [counts.good + counts.sureGood, counts.bad + counts.sureBad]
    const expected = PRIOR_COUNT / (1 + Math.exp(-within(odds, ODDS_MAX) * INHERITED))
    odds = Math.log((bad + expected) / (good + PRIOR_COUNT - expected))
    all = together(all, counts)
    if (good + bad >= FORGOTTEN_BELOW && sender.kind !== 'network') isNew = false
    if (good + bad < COUNT_MIN) continue
    by = { sender, counts }
    sinceMs = Math.min(own?.sinceMs ?? nowMs, everybody?.sinceMs ?? nowMs)
  }
  return { odds: bounded(odds, all, nowMs - sinceMs), isNew, ...(by && { by }) }
}

function bounded(odds: number, { sureGood, sureBad }: Evidence, ageMs: number): number {
  const isSure = (odds > 0 ? sureBad : sureGood) >= SURE_MIN
  const most = ODDS_MAX * (isSure ? 1 : VERDICTS_STRENGTH_MAX * (odds > 0 ? 1 : Math.min(1, ageMs / TRUST_MS)))
  return within(odds, most)
}

const within = (odds: number, most: number): number => Math.max(-most, Math.min(most, odds))

export function reputationSigns(standing: Standing): Said[] {
  const { odds, by, isNew } = standing
  const signs: Said[] = isNew ? [{ symbol: 'REPUTATION_NEW_SENDER' }] : []
  if (by === undefined || Math.abs(odds) < ODDS_MIN) return signs
  const symbol = odds > 0 ? 'REPUTATION_BAD' : 'REPUTATION_GOOD'
  return [...signs, { symbol, strength: Math.abs(odds) / ODDS_MAX, detail: recordText(by) }]
}

function recordText({ sender, counts }: NonNullable<Standing['by']>): string {
  const count = (n: number) => String(Math.round(n))
  return `${sender.name}: ${count(counts.good + counts.sureGood)} good, ${count(counts.bad + counts.sureBad)} bad`
}
