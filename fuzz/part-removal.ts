/**
 * Fuzzes the removal of parts: of a well-formed message, and of one with lines about which readers differ, some parts are
 * taken out. Either that is refused, or, for a reader that takes the message apart in every way,
 *
 * - nothing of those parts is left;
 * - what else is missing stood in what had to go with them;
 * - every octet outside is the same, and every other part is there, decodes to the same octets, and stands in the same order;
 * - a message without a doubt is still one.
 */
import { type Content, content } from '#mail/content.ts'
import { readEveryWay } from '#mime/readings/readings.ts'
import { partsOf, type RemovablePart } from '#mime/removal/parts.ts'
import { removeParts } from '#mime/removal/remove.ts'
import { type Chance, chances, madeMail, octetsOf, tricked } from './made-mail.ts'

type Remove = typeof removeParts

const NOTICE = Buffer.from('Content-Type: text/plain\r\n\r\nnotice')

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, removeParts)
}

/** One that takes the delimiter behind a part along. */
export function canary(): void {
  run(1, 2000, (message, parts, isOut, instead) => {
    const greedy = parts.map((part) => {
      const { removal } = part
      if (removal.kind === 'impossible') return part
      return { ...part, removal: { ...removal, range: { ...removal.range, end: removal.range.end + 5 } } }
    })
    return removeParts(message, greedy, (part) => isOut(parts[greedy.indexOf(part)]!), instead)
  })
}

function run(seed: number, iterations: number, remove: Remove): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const { lines } = madeMail(chance)
    const isPlain = chance(2) === 0
    const octets = octetsOf(isPlain ? lines : tricked(lines, chance))
    try {
      tried(octets, chance, remove)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : cause
      throw new Error(`${JSON.stringify(octets.toString('latin1'))}: ${why}`, { cause })
    }
  }
}

function tried(octets: Buffer, chance: Chance, remove: Remove): void {
  const found = partsOf(octets)
  if (found.kind === 'disputed') return
  const possible = found.parts.filter(({ removal }) => removal.kind === 'possible' || chance(10) === 0)
  if (possible.length === 0) return
  const out = new Set([possible[chance(possible.length)]!, ...possible.filter(() => chance(5) === 0)])
  const message = inChunks(octets, chance)
  const removed = remove(
    message,
    found.parts,
    (part) => out.has(part),
    () => NOTICE,
  )
  if (removed.kind === 'impossible') return
  compare(octets, Buffer.concat(removed.content.chunks), out)
}

function inChunks(octets: Buffer, chance: Chance): Content {
  const at = chance(octets.length)
  return content([octets.subarray(0, at), octets.subarray(at)])
}

const textsOf = (octets: Buffer): string[] =>
  readEveryWay(octets).readings.map(({ octets: one }) => one.toString('latin1').trimEnd())

function compare(before: Buffer, after: Buffer, out: ReadonlySet<RemovablePart>): void {
  const left = textsOf(after).filter((text) => text !== 'notice')
  const goes = new Set<string>()
  for (const { start, end, removal } of out) {
    for (const text of textsOf(before.subarray(start, end)).filter(isFile))
      if (left.some((one) => one.includes(text))) throw new Error(`still there: ${text}`)
    if (removal.kind === 'possible')
      for (const text of textsOf(before.subarray(removal.range.start, removal.range.end))) goes.add(text)
  }
  sameOctets(before, after, out)
  // What stands around a file that goes is another text without it.
  const expected = textsOf(before).filter((text) => !goes.has(text) && isFile(text))
  const got = left.filter(isFile)
  if (JSON.stringify(got) !== JSON.stringify(expected))
    throw new Error(`left: ${JSON.stringify(got)}; expected: ${JSON.stringify(expected)}`)
  if (readEveryWay(before).doubts.length === 0 && readEveryWay(after).doubts.length > 0) throw new Error('a new doubt')
}

/** Outside of what went, but for the word `alternative`. */
function sameOctets(before: Buffer, after: Buffer, out: ReadonlySet<RemovablePart>): void {
  const gone = Buffer.alloc(before.length)
  for (const { removal } of out) if (removal.kind === 'possible') gone.fill(1, removal.range.start, removal.range.end)
  const kept = Buffer.from(before.filter((_, at) => gone[at] === 0)).toString('latin1')
  const got = after.toString('latin1').replaceAll(NOTICE.toString(), '')
  const alike = (text: string) => text.replaceAll('multipart/alternative', 'multipart/mixed')
  if (alike(got) !== alike(kept)) throw new Error('another octet changed')
}

/** A file alone, not a message around it. */
const isFile = (text: string): boolean => /^file \d+ x*!$/.test(text)
