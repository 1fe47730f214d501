/**
 * Fuzzes the rules of the spam filter that look at content, with messages made of their words and tricks:
 *
 * - they never throw, say only what their tables hold, with a strength between 0 and 1, and say the same again;
 * - what is not seen hides nothing: words that fire a rule fire it with invisible characters, tags or look-alike letters
 *   between and for their letters.
 */
import type { SpamAbout } from '#scan/spam/contract.ts'
import { DOMAINS_MAX, linkDomains, TARGETS_MAX, targetsOf } from '#scan/spam/links.ts'
import { lookAt } from '#scan/spam/look.ts'
import { readMessage } from '#scan/spam/message.ts'
import { RULES } from '#scan/spam/rules.ts'
import { type Chance, chances } from './made-mail.ts'

const PIECES = [
  ...'<>"\'=&;:/?#@%.,\0\t ()[]{}|\\',
  '\r\n',
  '\r\n\r\n',
  'From: "PayPal Support" <a@b.co>\r\n',
  'From: =?utf-8?B?VA==?= <x@x.org> <y@y.org>\r\n',
  'Reply-To: c@gmail.com\r\n',
  'To: ben@mill-town.org\r\n',
  'Subject: your account is suspended\r\n',
  'References: <a@b>\r\n',
  'Content-Type: text/html; charset=utf-8\r\n',
  'Content-Type: multipart/alternative; boundary=b\r\n',
  '\r\n--b\r\n',
  '<a href="https://user:pw@203.0.113.9:8080/#ben@mill-town.org">',
  '<a href="http://xn--pypal-4ve.com/?u=https%3A%2F%2Fx.pages.dev%2F%zz">verify</a>',
  '<a href="https:\\\\bit.ly\\x">unsubscribe</a>',
  '<form action="//x.org"><input type=password>',
  '<meta http-equiv=refresh content="0;url=http://[::1]/">',
  '<div style="display:none;color:#fff;background:#fff">',
  '<span style="color:rgb(1,2,3)">',
  '</div>',
  'https://',
  'www.',
  'xn--',
  '@gmail.com',
  '.sa.com/',
  'bitcoin webcam trojan 48 hours 1F1tAaz5x1HUXrCNLbtMDqcw6o5GNn4xqX ',
  'dear beneficiary $12,500,000.00 next of kin reply ',
  'mailbox quota exceeded verify within 24 hours ',
  'viagra cialis levitra ',
  '\u200b',
  '\u0430',
  '\ud800',
  '𝗕',
  '➤➤',
  'a1b2c3d4 '.repeat(30),
  '1.'.repeat(200),
  '@'.repeat(100),
  'a.'.repeat(100),
  '$1,000,'.repeat(50),
]
const PIECES_COUNT_MAX = 60
const ABOUT: SpamAbout = {
  recipients: ['ben@mill-town.org'],
  tenant: { domains: ['mill-town.org'], people: ['Anna Beck'] },
}

export function fuzz(seed: number, iterations: number): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const text = Array.from({ length: chance(PIECES_COUNT_MAX) }, () => PIECES[chance(PIECES.length)]!).join('')
    try {
      check(Buffer.from(text))
      if (i % 10 === 0) dressed(chance, dress)
    } catch (cause) {
      throw new Error(`${JSON.stringify(text)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

/** A trick that the rules do not know: a letter of an alphabet that looks like none. */
export function canary(): void {
  const chance = chances(1)
  for (let i = 0; i < 100; i++) dressed(chance, (word) => word.replace('i', '\u16c1'))
}

function check(octets: Buffer): void {
  const message = readMessage(octets)
  if (targetsOf(message).length > TARGETS_MAX || linkDomains(message).length > DOMAINS_MAX)
    throw new Error('too many links')
  for (const { symbols, look } of RULES)
    for (const { symbol, strength = 1 } of look(message, ABOUT)) {
      if (symbols[symbol] === undefined) throw new Error(`${symbol} is in no table`)
      if (!(strength >= 0 && strength <= 1)) throw new Error(`${symbol} has strength ${strength}`)
    }
  const signs = JSON.stringify(lookAt(octets, ABOUT).signs)
  if (signs !== JSON.stringify(lookAt(octets, ABOUT).signs)) throw new Error('not the same again')
}

const WORDS = ['viagra', 'cialis', 'levitra', 'kamagra', 'tadalafil']

/** Words that fire a rule by themselves, in disguise. */
function dressed(chance: Chance, disguise: (word: string, chance: Chance) => string): void {
  const text = WORDS.map((word) => disguise(word, chance)).join(', ')
  const html = `Content-Type: text/html; charset=utf-8\r\n\r\n<p>${text}</p><a href="https://x.org/">here</a>`
  const { signs } = lookAt(Buffer.from(html), {})
  if (!signs.some(({ symbol }) => symbol === 'TEXT_DRUGS')) throw new Error(`${text} is not read`)
}

const BETWEEN = [
  '\u200b',
  '\u00ad',
  '\u2060',
  '<b></b>',
  '<!-- x -->',
  '<span style="display:none">q</span>',
  '&#8203;',
]
const LOOK_ALIKE: Readonly<Record<string, string>> = { a: '\u0430', i: '\u0456', c: '\u0441', e: '\u0435' }

function dress(word: string, chance: Chance): string {
  const letters = [...word]
  const at = chance(letters.length - 1)
  const [first, ...others] = letters.map((letter, i) => (i === at ? (LOOK_ALIKE[letter] ?? letter) : letter))
  return [first, ...others.map((letter) => (chance(2) === 0 ? BETWEEN[chance(BETWEEN.length)]! : '') + letter)].join('')
}
