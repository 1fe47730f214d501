/**
 * Fuzzes what the spam filter reads of a message, with mail made of tricks:
 *
 * - it never throws, reads no more than its limits, and says the same again;
 * - what is not seen changes nothing: invisible characters put between the letters of a text leave its words alone.
 */
import { featuresOf, type MessageFeatures } from '#scan/spam/classifier/features.ts'
import { FEATURES_MAX, PLACES } from '#scan/spam/classifier/gathering.ts'
import { plainText, wordsOf } from '#scan/spam/classifier/words.ts'
import { readMessage } from '#scan/spam/message.ts'
import { type Chance, chances } from './made-mail.ts'

const PIECES = [
  ...'<>"\'=&;:/?#@%\0\t ',
  '\r\n',
  '\r\n\r\n',
  'From: "A" <a@b.example>\r\n',
  'Subject: =?utf-8?B?dmlhZ3Jh?=\r\n',
  'Subject: =?x?q?=ff=?=\r\n',
  'Content-Type: text/html; charset=x\r\n',
  'Content-Type: multipart/mixed; boundary=b\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  '\r\n--b\r\n',
  '--b--',
  '<a href="https://x.example/',
  '">www.bank.example</a>',
  '<div style="display:none">',
  '<table>',
  '</table>',
  '<!--',
  '-->',
  '<![CDATA[',
  '&#0;',
  '&#x10ffff;',
  '<img width=1 height=1 src=http://a.example/>',
  '\u200b',
  '\u0430',
  '\ud800',
  '发',
  'e\u0301'.repeat(20),
  'A'.repeat(70),
  'free money ',
]
const PIECES_COUNT_MAX = 60
const UNSEEN = ['\u200b', '\u00ad', '\u2060', '\ufeff']

type Words = (text: string) => readonly number[]
const words: Words = (text) => wordsOf(plainText(text).text)

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, words)
}

/** Words of a text with its tricks in it. */
export function canary(): void {
  run(1, 1_000, (text) => wordsOf(text.toLowerCase()))
}

function run(seed: number, iterations: number, read: Words): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const text = some(chance)
    try {
      check(Buffer.from(text))
      unseen(text, chance, read)
    } catch (cause) {
      throw new Error(`${JSON.stringify(text)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

const some = (chance: Chance): string =>
  Array.from({ length: chance(PIECES_COUNT_MAX) }, () => PIECES[chance(PIECES.length)]!).join('')

function check(octets: Buffer): void {
  const features = featuresOf(readMessage(octets), octets)
  for (const { places, scale } of views(features)) {
    if (places.length > FEATURES_MAX) throw new Error(`${places.length} features`)
    if (new Set(places).size !== places.length) throw new Error('a feature counts twice')
    if (places.some((place) => place >= PLACES)) throw new Error('a place that is none')
    if (places.length > 0 && Math.abs(scale * scale * places.length - 1) > 1e-6) throw new Error(`scale ${scale}`)
  }
  const again = featuresOf(readMessage(octets), octets)
  if (JSON.stringify(views(again)) !== JSON.stringify(views(features))) throw new Error('not the same again')
}

const views = ({ words, header, body }: MessageFeatures) => [words, header, body]

function unseen(text: string, chance: Chance, read: Words): void {
  const plain = text.replace(/[^a-z ]/g, '')
  const dressed = [...plain].map((letter) => (chance(3) === 0 ? letter + UNSEEN[chance(UNSEEN.length)]! : letter))
  if (JSON.stringify(read(dressed.join(''))) !== JSON.stringify(words(plain))) throw new Error('the unseen is seen')
}
