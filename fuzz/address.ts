/**
 * Fuzzes the address parser with text made of pieces on which parsers stumble:
 *
 * - it never throws, and what it takes for an address is well-formed, without controls, and within its limits;
 * - what it has read is written as something that it reads as the same again;
 * - on plain ASCII it agrees with the grammar of RFC 5321 §4.1.2, written down a second time, as an expression;
 * - a path in brackets holds just what the bare mailbox holds, wherever it stands in the line.
 */
import { type Mailbox, mailboxKey, mailboxText, type Parsed, parseForwardPath, parseMailbox } from '#mail/address.ts'

const PIECES = [
  ...'ab1.@"\\<>[]:,;() -_%+\t\0',
  '\r\n',
  '..',
  'anna',
  'bakery.example',
  '@bakery.example',
  '"an na"',
  '\\"',
  '[192.0.2.1]',
  '[IPv6:2001:db8::1]',
  '[IPv6:',
  'xn--',
  'xn--bcher-kva',
  '\u00fc',
  'e\u0301',
  '\u0130',
  '\u00df',
  '\u3002',
  '\uff20',
  '\u00ad',
  '\u200d',
  '\ufffd',
  '\u009b',
  '\ud800',
  '\udc00',
  '\u{1f606}',
  'a'.repeat(63),
  'b'.repeat(64),
  'c.'.repeat(60),
]
const PIECES_MAX = 10

/** What is under test; the canary breaks one of them. */
interface Subject {
  readonly parse: (text: string) => Parsed<Mailbox>
  readonly write: (mailbox: Mailbox) => string
}

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, { parse: parseMailbox, write: mailboxText })
}

/** A writer that forgets the quotes. */
export function canary(): void {
  run(1, 20_000, { parse: parseMailbox, write: (mailbox) => mailboxText(mailbox).replaceAll('"', '') })
}

function run(seed: number, iterations: number, subject: Subject): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const text = sample(chance)
    try {
      check(text, subject)
    } catch (cause) {
      throw new Error(`${JSON.stringify(text)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

/** A linear congruential generator; the high bits are the good ones. */
function chances(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

function sample(chance: (n: number) => number): string {
  const some = (most: number) => Array.from({ length: chance(most + 1) }, () => PIECES[chance(PIECES.length)]!).join('')
  const shape = chance(4)
  if (shape === 0) return some(PIECES_MAX)
  if (shape === 1) return `anna@${some(4)}`
  return shape === 2 ? `${some(4)}@bakery.example` : `"${some(4)}"@${some(2)}`
}

function check(text: string, { parse, write }: Subject): void {
  const parsed = parse(text)
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('[') && parsed.ok !== isMailbox(text)) {
    throw new Error(parsed.ok ? 'the grammar says no' : `${parsed.fault}: the grammar says yes`)
  }
  const path = parseForwardPath(`TO:<${text}> SIZE=1`, 3)
  if (!parsed.ok) {
    if (path.ok && path.value.kind === 'mailbox' && path.end === text.length + 5 && !text.startsWith('@')) {
      throw new Error('a path of what is no mailbox')
    }
    return
  }
  if (path.ok && path.value.kind === 'mailbox') same(path.value.mailbox, parsed.value)
  else throw new Error('a mailbox, but no path')
  const written = write(parsed.value)
  if (!written.isWellFormed() || /[\x00-\x1f\x7f-\x9f]/.test(written)) throw new Error('not clean')
  if (Buffer.byteLength(written) > 254) throw new Error('too long for a path')
  const again = parse(written)
  if (!again.ok) throw new Error(`written as ${JSON.stringify(written)}, which is refused: ${again.fault}`)
  same(again.value, parsed.value)
}

function same(one: Mailbox, other: Mailbox): void {
  const texts = [one, other].map((mailbox) => JSON.stringify([mailbox, mailboxKey(mailbox)]))
  if (texts[0] !== texts[1]) throw new Error(`${texts[0]} is not ${texts[1]}`)
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
const QUOTED = '"(?:[ !#-\\[\\]-~]|\\\\[ -~])*"'
// The underscore in a label is ours: docs/deviations.md.
const MAILBOX = new RegExp(`^(?=.{1,254}$)(${ATOM}(?:\\.${ATOM})*|${QUOTED})@${LABEL}(?:\\.${LABEL})*$`)

function isMailbox(text: string): boolean {
  const local = MAILBOX.exec(text)?.[1]
  return local !== undefined && local.length <= 64
}
