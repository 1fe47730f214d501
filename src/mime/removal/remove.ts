/**
 * Takes parts out of a message and puts others in their place, octet by octet: everything else stays what it was, and nothing of
 * it is copied.
 */
import { type Content, content } from '#mail/content.ts'
import type { Range, RemovablePart } from './parts.ts'

/** What comes instead of a part, and of all that goes with it: its header and its body. */
export type Instead = (parts: readonly RemovablePart[]) => Buffer

export type Removed =
  | { readonly kind: 'removed'; readonly content: Content }
  | { readonly kind: 'impossible'; readonly text: string }

/** `parts` are those of the message, `isOut` says which of them go. */
export function removeParts(
  message: Content,
  parts: readonly RemovablePart[],
  isOut: (part: RemovablePart) => boolean,
  instead: Instead,
): Removed {
  const out = parts.filter(isOut)
  const ranges: Range[] = []
  const words = new Map<number, Range>()
  for (const { removal } of out) {
    if (removal.kind === 'impossible') return removal
    ranges.push(removal.range)
    if (removal.alternative) words.set(removal.alternative.start, removal.alternative)
  }
  const outermost = withoutInner(ranges)
  const goes = (part: RemovablePart): boolean => outermost.some((range) => isWithin(part, range))
  if (parts.every(goes)) return { kind: 'impossible', text: 'nothing would be left of it' }
  const edits: Edit[] = outermost.map((range) => ({
    ...range,
    octets: instead(out.filter((part) => isWithin(part, range))),
  }))
  // One that stands in what goes as a whole goes with it.
  for (const word of words.values())
    if (!outermost.some((range) => isWithin(word, range))) edits.push({ ...word, octets: MIXED })
  return {
    kind: 'removed',
    content: edited(
      message,
      edits.toSorted((a, b) => a.start - b.start),
    ),
  }
}

const MIXED = Buffer.from('mixed')

interface Edit extends Range {
  readonly octets: Buffer
}

const isWithin = (inner: Range, outer: Range): boolean => inner.start >= outer.start && inner.end <= outer.end

function withoutInner(ranges: readonly Range[]): Range[] {
  const kept: Range[] = []
  for (const range of ranges.toSorted((a, b) => a.start - b.start || b.end - a.end))
    if (!kept.some((outer) => isWithin(range, outer))) kept.push(range)
  return kept
}

/** `edits` in ascending order, none in another. */
function edited({ chunks }: Content, edits: readonly Edit[]): Content {
  const made: Buffer[] = []
  let base = 0
  let next = 0
  let skipTo = 0
  for (const chunk of chunks) {
    const end = base + chunk.length
    let at = Math.max(base, skipTo)
    for (let edit = edits[next]; edit !== undefined && edit.start < end; edit = edits[++next]) {
      if (edit.start > at) made.push(chunk.subarray(at - base, edit.start - base))
      made.push(edit.octets)
      skipTo = edit.end
      at = Math.min(end, skipTo)
    }
    if (at < end) made.push(chunk.subarray(at - base))
    base = end
  }
  return content(made)
}

/** A range of a message as a content of its own, with something before it. Copies nothing. */
export function rangeOf({ chunks }: Content, { start, end }: Range, before: Buffer): Content {
  const found = [before]
  let base = 0
  for (const chunk of chunks) {
    const from = Math.max(start - base, 0)
    const to = Math.min(end - base, chunk.length)
    if (from < to) found.push(chunk.subarray(from, to))
    base += chunk.length
  }
  return content(found)
}
