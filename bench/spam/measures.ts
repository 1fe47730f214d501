/**
 * What the scores of a filter are worth: how well they tell spam from ham, whatever the threshold (1 - AUC), how much spam
 * is caught when a given share of the ham is flagged, and both at a fixed threshold.
 */
export interface Scored {
  readonly isSpam: boolean
  /** Higher is more likely spam. */
  readonly score: number
}

export interface Caught {
  readonly spam: number
  readonly ofSpam: number
  readonly ham: number
  readonly ofHam: number
}

/** The chance that a ham scores higher than a spam; ties count half. 0 is perfect, 0.5 is guessing. */
export function oneMinusAuc(scored: readonly Scored[]): number {
  const sorted = [...scored].sort((a, b) => a.score - b.score)
  const spam = sorted.filter(({ isSpam }) => isSpam).length
  const ham = sorted.length - spam
  let ranks = 0
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (to < sorted.length && sorted[to]!.score === sorted[from]!.score) to++
    const spamHere = sorted.slice(from, to).filter(({ isSpam }) => isSpam).length
    ranks += spamHere * ((from + 1 + to) / 2)
    from = to
  }
  return 1 - (ranks - (spam * (spam + 1)) / 2) / (spam * ham)
}

export function caughtAbove(scored: readonly Scored[], threshold: number): Caught {
  const count = (isSpam: boolean, above: boolean): number =>
    scored.filter((one) => one.isSpam === isSpam && (!above || one.score > threshold)).length
  return { spam: count(true, true), ofSpam: count(true, false), ham: count(false, true), ofHam: count(false, false) }
}

/** At the lowest threshold that flags at most this share of the ham. */
export function caughtAtRate(scored: readonly Scored[], hamRate: number): Caught {
  const ham = scored.filter(({ isSpam }) => !isSpam).sort((a, b) => b.score - a.score)
  const allowed = Math.floor(ham.length * hamRate)
  return caughtAbove(scored, ham[allowed]?.score ?? Number.NEGATIVE_INFINITY)
}

/** The curve of all thresholds, from the strictest: how much spam and how much ham is above each. */
export function curve(scored: readonly Scored[]): readonly (Caught & { readonly threshold: number })[] {
  const sorted = [...scored].sort((a, b) => b.score - a.score)
  const ofSpam = sorted.filter(({ isSpam }) => isSpam).length
  const points: (Caught & { readonly threshold: number })[] = []
  let spam = 0
  for (const [i, { score, isSpam }] of sorted.entries()) {
    if (isSpam) spam++
    if (sorted[i + 1]?.score === score) continue
    points.push({ threshold: score, spam, ofSpam, ham: i + 1 - spam, ofHam: sorted.length - ofSpam })
  }
  return points
}
