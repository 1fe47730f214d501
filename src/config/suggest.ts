/**
 * "Did you mean": the known name nearest to what was written, if it is near enough to be a slip of the keyboard.
 */

/** A name longer than this is no slip of a known one; it also bounds the work. */
const WORD_CHARS_MAX = 64

/** The known word within a third of its length (at least 1, at most 3 edits); case and `_` for `-` count nothing. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  if (written.length > WORD_CHARS_MAX) return undefined
  const plain = kebab(written)
  let best: string | undefined
  let bestEdits = Number.POSITIVE_INFINITY
  for (const word of known) {
    const edits = editDistance(plain, word)
    const editsMax = Math.min(3, Math.max(1, Math.floor(word.length / 3)))
    if (edits <= editsMax && edits < bestEdits) {
      best = word
      bestEdits = edits
    }
  }
  return best
}

// `sizeMax`, `size_max` and `Size-Max` are all meant as `size-max`.
const kebab = (word: string): string =>
  word
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase()

/** Levenshtein's distance, with two neighbours exchanged counted as one edit. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (exchanged) edits = Math.min(edits, beforeLast[j - 2]! + 1)
      row.push(edits)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
