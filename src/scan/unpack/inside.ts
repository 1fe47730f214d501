/**
 * The words of all openers: an object inside another one, and the facts that they say about a container. Names come out of
 * the container as they are; in `where` they are printable and cut.
 */
import { type ScanFact, type ScanLimit, WHERE_LENGTH_MAX } from '#mail/scan.ts'
import type { Opened, ScanBudget, ScanObject } from '../contract.ts'

/** Of one name; what is longer is cut at its front: the extension is at the end. */
const NAME_LENGTH_MAX = 1_024
const SHOWN_NAME_LENGTH_MAX = 80

export function whereInside(where: string, name: string): string {
  const shown = printable(name.length > SHOWN_NAME_LENGTH_MAX ? `…${name.slice(1 - SHOWN_NAME_LENGTH_MAX)}` : name)
  const whole = `${where} › ${shown}`
  if (whole.length <= WHERE_LENGTH_MAX) return whole
  const half = Math.floor(WHERE_LENGTH_MAX / 2) - 1
  return `${whole.slice(0, half)}…${whole.slice(-half)}`
}

/** `label` stands in `where` if the container gives no name. */
export function inside(parent: ScanObject, names: readonly string[], label: string, octets: Buffer): ScanObject {
  const known = [...new Set(names.filter((name) => name !== '').map((name) => name.slice(-NAME_LENGTH_MAX)))]
  return { where: whereInside(parent.where, known[0] ?? label), names: known, octets, depth: parent.depth + 1 }
}

/** The object, if the budget has room for it; the limit that it breaks, if not. */
export function charged(object: ScanObject, inputOctets: number, budget: ScanBudget): Opened {
  const limit = budget.take(object.octets.length, inputOctets)
  return limit === undefined ? { object } : overLimit(limit, object.where)
}

export function overLimit(limit: ScanLimit, where: string, text = LIMIT_TEXTS[limit]): { fact: ScanFact } {
  return { fact: { kind: 'over-limit', limit, where, text } }
}

export function broken(container: string, where: string, text: string): { fact: ScanFact } {
  return { fact: { kind: 'broken', container, where, text } }
}

export function encrypted(container: string, where: string): { fact: ScanFact } {
  return { fact: { kind: 'encrypted', container, where } }
}

export function cannotTell(symbol: string, where: string, text: string): { fact: ScanFact } {
  return { fact: { kind: 'cannot-tell', symbol, where, text } }
}

const LIMIT_TEXTS: Readonly<Record<ScanLimit, string>> = {
  depth: 'containers are nested deeper than the scanner follows',
  objects: 'there are more objects than the scanner looks at',
  octets: 'it holds more than the scanner unpacks',
  ratio: 'it unpacks to far more than its size',
  time: 'it takes longer to unpack than the scanner has',
  memory: 'it takes more memory than the scanner has',
  facts: 'there is more to say than the scanner keeps',
}

function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
