/**
 * Fuzzes the reader of TLS reporting records with text made of their own pieces:
 *
 * - it never throws, and names a few places at most, each of a kind that we send to;
 * - what it takes for a record is one by the grammar of RFC 8460 §3, written down a second time, as an expression;
 * - of several records it takes none;
 * - a place is written as something that it reads as the same again, on one line.
 */
import { PLACES_MAX, placeOf, placeText, type ReportPlace, reportPlaces } from '#report/tls/record.ts'

const PIECES = [
  ...'=;, \t!?%@:/\0\n"<>',
  'v=TLSRPTv1;',
  'v=TLSRPTv1 ;',
  'V=tlsrptv1;',
  'rua=',
  'RUA=',
  'ruf=',
  'x-1_.y=z',
  'mailto:',
  'MAILTO:',
  'https://',
  'http://',
  'a@b.example',
  'a%2Bb@b.example',
  '%0d%0aBcc:x@y.example',
  '%C3%A4@b.example',
  '%ff',
  '"a b"@c.example',
  'a@[127.0.0.1]',
  'r.example/v1',
  'me:secret@r.example',
  '[::1]:25/',
  '\u00fc',
  '\ud800',
  'n'.repeat(33),
]
const PIECES_MAX = 12

/** RFC 8460 §3; that rua stands once is checked by itself. */
const DELIMITER = '[ \\t]*;[ \\t]*'
const FIELD = '(?:rua=[^;]*|[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[!-:<>-~]+)'
const RECORD = new RegExp(`^v=TLSRPTv1(?:${DELIMITER}${FIELD})+(?:${DELIMITER})?$`)

type Read = (records: readonly string[]) => readonly ReportPlace[] | undefined

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, reportPlaces)
}

/** A reader that takes the first of several. */
export function canary(): void {
  run(1, 20_000, (records) => reportPlaces(records.slice(0, 1)))
}

function run(seed: number, iterations: number, read: Read): void {
  let state = seed >>> 0
  const chance = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const some = (): string => Array.from({ length: chance(PIECES_MAX) }, () => PIECES[chance(PIECES.length)]!).join('')
  const record = (): string => {
    const shape = chance(4)
    if (shape === 0) return some()
    return shape === 1 ? `v=TLSRPTv1;rua=mailto:a@b.example;${some()}` : `v=TLSRPTv1;rua=${some()}`
  }
  for (let i = 0; i < iterations; i++) {
    const records = Array.from({ length: 1 + chance(2) }, record)
    try {
      check(records, read)
    } catch (cause) {
      throw new Error(`${JSON.stringify(records)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

function check(records: readonly string[], read: Read): void {
  const places = read(records)
  if (places === undefined) return
  const ours = records.filter((text) => /^v=TLSRPTv1[ \t]*;/.test(text))
  if (ours.length !== 1) throw new Error(`${ours.length} records`)
  if (!RECORD.test(ours[0]!)) throw new Error('the grammar says no')
  if (places.length === 0 || places.length > PLACES_MAX) throw new Error(`${places.length} places`)
  for (const place of places) {
    const written = placeText(place)
    if (!/^(?:mailto:|https:\/\/)[\x21-\x7e]+$/.test(written)) throw new Error(`${written} is no place`)
    if (place.kind === 'https' && (place.url.username !== '' || place.url.password !== ''))
      throw new Error('a password')
    const again = placeOf(written)
    if (again === undefined || placeText(again) !== written) throw new Error(`${written} is not read again`)
  }
}
