/**
 * From the points of other filters to log odds. Points are sums of weights that somebody tuned for a threshold, so what counts
 * is how far a score is on its way to the threshold: the share. Between two lines of a table the weight is on the straight
 * line between them, beyond its ends it stays.
 *
 * | share of Rspamd's `required_score` (15: reject) | | weight | | share of spamd's threshold (5) | | weight |
 * |---|---|---|---|---|---|---|
 * | -0.3 | many good signs | -4 | | -0.4 | | -4 |
 * | 0 | nothing in either direction | -2 | | 0 | | -2 |
 * | 0.27 | its level for greylisting | 2 | | 0.6 | | 0 |
 * | 0.4 | its level for a header | 5 | | 1 | called spam | 4 |
 * | 1 | its level for a refusal | 10 | | 2 | | 8 |
 * | 1.5 | | 12 | | 4 | | 12 |
 *
 * They are set by what the levels mean to whoever set them, not measured: what a filter is worth depends on what it is given.
 *
 * An action of Rspamd's may be somebody's own decision (a map, `force_actions`, settings of a user) that no score shows, so it
 * has the last word: each has a range that the weight cannot leave (`ACTION_WEIGHTS`).
 */

/** Of one engine, and of all together (`FAMILY_WEIGHT_MAX`): what nobody else knows anything of has 10.5 points then. */
export const WEIGHT_MAX = 12
const WEIGHT_MIN = -4

type Line = readonly (readonly [share: number, weight: number])[]

export const RSPAMD_LINE: Line = [
  [-0.3, WEIGHT_MIN],
  [0, -2],
  [0.27, 2],
  [0.4, 5],
  [1, 10],
  [1.5, WEIGHT_MAX],
]

export const SPAMD_LINE: Line = [
  [-0.4, WEIGHT_MIN],
  [0, -2],
  [0.6, 0],
  [1, 4],
  [2, 8],
  [4, WEIGHT_MAX],
]

/** By Rspamd's names; a site can make others, which bound nothing. */
const ACTION_WEIGHTS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  'no action': [WEIGHT_MIN, 2],
  greylist: [0, 4],
  'soft reject': [0, 4],
  'add header': [3, 8],
  'rewrite subject': [3, 8],
  quarantine: [3, 8],
  reject: [8, WEIGHT_MAX],
  discard: [8, WEIGHT_MAX],
}

/** `threshold` must be above 0. */
export function weightOf(line: Line, score: number, threshold: number, action = ''): number {
  const weight = along(line, score / threshold)
  if (!Object.hasOwn(ACTION_WEIGHTS, action)) return weight
  const [least, most] = ACTION_WEIGHTS[action]!
  return Math.min(Math.max(weight, least), most)
}

function along(line: Line, share: number): number {
  const after = line.findIndex(([at]) => at >= share)
  if (after < 0) return line.at(-1)![1]
  if (after === 0) return line[0]![1]
  const [[fromShare, from], [toShare, to]] = [line[after - 1]!, line[after]!]
  return from + ((to - from) * (share - fromShare)) / (toShare - fromShare)
}
