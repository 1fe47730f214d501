/**
 * DNS lists of the spam filter: what each is asked about, where, and what its codes are worth. None is there by default: each
 * has conditions of use that only the operator can accept (docs/spam-lists.md).
 */
import { z } from 'zod'
import { choice, flag, oneOrMore, prose, section, setting } from './setting.ts'
import { readHostName } from './units.ts'

/** Log odds; what one family can add is 8 (scan/spam/combine.ts). */
const WEIGHT_MAX = 8
const MEANING_LENGTH_MAX = 60

const readWeight = (text: string): number | undefined =>
  /^\d(?:\.\d{1,2})?$/.test(text) && Number(text) <= WEIGHT_MAX ? Number(text) : undefined

const weight = setting({
  allowed: `a weight from 0 to ${WEIGHT_MAX}, such as 2.5`,
  brief: `0 to ${WEIGHT_MAX}`,
  read: readWeight,
  json: { type: 'number', minimum: 0, maximum: WEIGHT_MAX },
  hint: (text) => (text.startsWith('-') ? 'welcome: true turns the weights of a list round' : undefined),
})

const codeWeight = setting({
  allowed: `a weight from 0 to ${WEIGHT_MAX}, and what the code means behind it if you like, such as 5 phishing`,
  brief: 'a weight, and a meaning: `5 phishing`',
  read: (text) => {
    const [, number = '', meaning = ''] = /^(\S{1,4})(?: +(\S.{0,59}))?$/.exec(text) ?? []
    const read = readWeight(number)
    if (read === undefined || !/^[\x20-\x7e]*$/.test(meaning) || meaning.length > MEANING_LENGTH_MAX) return undefined
    return { weight: read, ...(meaning !== '' && { meaning: meaning.trimEnd() }) }
  },
  json: { type: ['number', 'string'], examples: [3, '5 phishing'] },
})

const zone = setting({
  allowed: 'the zone of a list, such as zen.list.example',
  brief: 'a domain name',
  read: (text) => readHostName(text),
  json: { type: 'string', examples: ['zen.list.example'] },
  hint: (text) => {
    if (text.endsWith('.')) return 'without the dot at the end'
    return text.startsWith('*') || /^\d/.test(text) ? 'the zone alone, without what is asked about' : undefined
  },
})

const accessKey = setting({
  allowed: 'the key of your account, letters and digits',
  brief: 'letters and digits',
  read: (text) => (/^[A-Za-z0-9_-]{1,63}$/.test(text) ? text.toLowerCase() : undefined),
  json: { type: 'string' },
})

const testEntry = setting({
  allowed: 'an address or a domain that the list has for tests, or none',
  brief: 'an address, a domain, or `none`',
  read: (text) => readHostName(text) ?? (/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text) ? text : undefined),
  json: { type: 'string', examples: ['127.0.0.2', 'none'] },
})

export const spamListSettings = section({
  kind: oneOrMore(choice('client', 'sender', 'link')).describe(
    prose(
      'What it is asked about. `client`: the address that connects. `sender`: the domains of reverse-path, From and',
      'greeting. `link`: domains and addresses in links. A list may be of several kinds.',
    ),
  ),
  zone: zone.describe('Where it is asked.'),
  weight: weight
    .optional()
    .describe(
      prose(
        'What a listing is worth, as natural log odds: 1 makes spam 2.7 times as likely, 4 55 times, 7 a thousand times. Of codes',
        'that `codes` does not name; without it they say nothing.',
      ),
    ),
  codes: z
    .record(z.string(), codeWeight)
    .meta({ 'x-allowed': 'weights by code: `127.0.0.2: 5 known spammers`' })
    .optional()
    .describe(
      prose(
        'Weights by the address that the list answers: `127.0.0.2`, `127.0.0.0/24`, `127.0.*.3`, or `bit-8` for lists that add',
        'up bits in the last number. The first that matches counts; of bits the weightiest.',
      ),
    ),
  welcome: flag
    .prefault(false)
    .describe('`true`: who is listed is good, and the weights count against spam. For `kind: client` only.'),
  'access-key': accessKey
    .optional()
    .describe(
      'Stands in front of the zone, as some services want it: `KEY.zen.list.example`. Better from the environment than here.',
    ),
  'test-entry': testEntry
    .optional()
    .describe(
      prose(
        'What the list must have, to show that it is alive; `127.0.0.2` and the domain `test` (RFC 5782 §5) if nothing is',
        'written. `none`: it has no such entry.',
      ),
    ),
})

const LIST_NAME = /^[a-z0-9-]{1,63}$/

export const spamLists = z.record(z.string().regex(LIST_NAME), spamListSettings)

export type SpamListWritten = z.output<typeof spamListSettings>
export type SpamListsWritten = z.output<typeof spamLists>
