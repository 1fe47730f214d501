/**
 * The part that stands in the place of what the virus wall took out of a message: text for its recipient, in the language
 * of the tenant. It says what was removed, why, and whom to ask; names and words of strangers are made harmless and short.
 *
 * Its body is base64, whatever it says: no name of a file can then look like a delimiter of the message around it.
 */
import { type Mailbox, mailboxText } from '#mail/address.ts'
import type { ScanFact } from '#mail/scan.ts'
import { ENGLISH } from './english.ts'
import { GERMAN } from './german.ts'
import { shown, withoutLinks } from './harmless.ts'

/** Names of one part, and reasons: more say nothing new to a person. */
const LINES_MAX = 5
const NAME_CHARS_MAX = 120
const BASE64_LINE_CHARS = 76

export interface RemovedPart {
  readonly language: 'de' | 'en'
  readonly names: readonly string[]
  readonly facts: readonly ScanFact[]
  readonly postmaster?: Mailbox | undefined
  /** Trace id. */
  readonly id: string
}

/** Header and body, without a line end behind them. */
export function removedPart({ language, names, facts, postmaster, id }: RemovedPart): Buffer {
  const words = (language === 'de' ? GERMAN : ENGLISH).removed
  const files = distinct(names.map(harmless)).map((name) => `${words.files} ${name}`)
  const reasons = distinct(facts.flatMap((fact) => reasonOf(fact, words.because))).map((why) => `${words.why} ${why}`)
  const ask = words.ask(postmaster && mailboxText(postmaster), id)
  const lines = [words.opening, '', ...files, ...reasons, '', words.otherWay, ask, words.sender]
  const body = Buffer.from(lines.map((line) => `${line}\r\n`).join('')).toString('base64')
  const header = [
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: inline; filename=${words.fileName}`,
    `Content-Language: ${language}`,
  ]
  return Buffer.from([...header, '', ...(body.match(BASE64_LINE) ?? [])].join('\r\n'))
}

const BASE64_LINE = new RegExp(`.{1,${BASE64_LINE_CHARS}}`, 'g')
const harmless = (text: string): string => shown(withoutLinks(text), NAME_CHARS_MAX)
const distinct = (texts: readonly string[]): string[] => [...new Set(texts)].slice(0, LINES_MAX)

function reasonOf(fact: ScanFact, because: typeof ENGLISH.removed.because): string[] {
  switch (fact.kind) {
    case 'malware':
      return [because.malware(harmless(fact.name))]
    case 'suspicious':
      return [because.suspicious(fact.symbol)]
    case 'cannot-tell':
    case 'not-looked':
      return []
    default:
      return [because[fact.kind]]
  }
}
