/**
 * Why another server refused, for now or for good, read from its reply: code, enhanced status (RFC 3463) and words. Servers
 * agree little on the first two, so the words come first; they are looked for in order, the surest ones first.
 *
 * A class decides when to try again, and what a person reads first. It never decides whether: 4yz stays 4yz, whatever the
 * words say (law 4). Texts are a stranger's: bounded, compared in lower case, no pattern that can run away.
 */
import type { Outcome } from './outcome.ts'
import { FOR_NOW, SURE, USUAL, type Words } from './refusal-words.ts'
import { type RemoteReply, remoteReplyLine } from './reply.ts'

/**
 * - `greylisted`: an unknown sender shall come again a little later
 * - `rate`: too many connections, messages or recipients in too short a time
 * - `mailbox-full`: over quota
 * - `recipient`: unknown, disabled, moved
 * - `policy`: this content or this sender is not wanted: spam, virus, size, form, SPF, DKIM, DMARC, relaying
 * - `reputation`: our address, or our name, is not wanted
 * - `local`: something is wrong over there
 * - `other`: the reply does not say
 */
export const REFUSAL_CLASSES = [
  'greylisted',
  'rate',
  'mailbox-full',
  'recipient',
  'policy',
  'reputation',
  'local',
  'other',
] as const
export type RefusalClass = (typeof REFUSAL_CLASSES)[number]

/** What is read of a reply, characters. */
const READ_MAX = 1000

/** Of an outcome; undefined where no server refused. */
export const classOfOutcome = (outcome: Outcome): RefusalClass | undefined =>
  outcome.kind === 'delivered' || outcome.reply === undefined ? undefined : refusalClass(outcome.reply)

const known = new WeakMap<RemoteReply, RefusalClass>()

export function refusalClass(reply: RemoteReply): RefusalClass {
  let found = known.get(reply)
  if (found === undefined) known.set(reply, (found = classOf(reply)))
  return found
}

function classOf(reply: RemoteReply): RefusalClass {
  const text = wordsOf(reply)
  const { code, status } = reply
  for (const [found, phrases] of code < 500 ? WORDS_FOR_NOW : WORDS_FOR_GOOD) {
    if (phrases.some((phrase) => text.includes(phrase))) return found
  }
  return (status && byStatus(status)) ?? BY_CODE.get(code) ?? 'other'
}

// Each line of a reply repeats its status, and some repeat the code; links are full of words that mean nothing.
const wordsOf = (reply: RemoteReply): string =>
  ` ${remoteReplyLine(reply)
    .slice(0, READ_MAX)
    .toLowerCase()
    .replaceAll(/\bhttps?:\/\/\S+/g, (link) => listIn(link))} `

/** Of a link only that it leads to a list of addresses. */
const listIn = (link: string): string => (LISTS.some((name) => link.includes(name)) ? 'dnsbl' : '')

const LISTS = ['spamhaus', 'spamcop', 'sorbs', 'barracudacentral', '/rbl', 'abuseat', 'csi.cloudmark', 'ipcheck.']

const WORDS_FOR_NOW: Words = [...SURE, ...FOR_NOW, ...USUAL]
/** Who refuses for good does not want us back. */
const WORDS_FOR_GOOD: Words = [...SURE, ...USUAL, ...FOR_NOW].filter(([found]) => found !== 'greylisted')

/** By subject and detail, RFC 3463 §3. */
function byStatus(status: string): RefusalClass | undefined {
  const [, subject, detail] = status.split('.').map(Number)
  if (subject === 1) return detail === 7 || detail === 8 ? 'policy' : 'recipient'
  if (subject === 2) return detail === 2 ? 'mailbox-full' : detail === 3 ? 'policy' : 'recipient'
  if (subject === 3) return detail === 4 ? 'policy' : 'local'
  if (subject === 4) return detail === 5 ? 'rate' : 'local'
  if (subject === 5) return detail === 3 ? 'rate' : undefined
  if (subject === 6) return 'policy'
  // RFC 7372 §3: 7.25 and those after it; of a 4yz, 7.1 alone is mostly greylisting.
  if (subject === 7) return detail === 25 ? 'reputation' : status === '4.7.1' ? 'greylisted' : 'policy'
  return undefined
}

/** Where nothing else is said: RFC 5321 §4.2.2. */
const BY_CODE: ReadonlyMap<number, RefusalClass> = new Map([
  [421, 'rate'],
  [450, 'local'],
  [451, 'local'],
  [452, 'local'],
  [550, 'recipient'],
  [551, 'recipient'],
  [552, 'mailbox-full'],
  [553, 'recipient'],
])

/** `in 300 seconds`, `for 5 minutes`, `in 00:05:00`. */
const AMOUNT =
  /\b(?:in|for|after|wait|within|least) (?:another |about |at least )?(\d{1,5}) ?(s|m|h)(?:ecs?|econds?|ins?|inutes?|rs?|ours?)?\b/i
const CLOCK = /\b(\d{2}):(\d{2}):(\d{2})\b/
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

/** ms after which the server wants to hear of us again, if it says so: a stranger's word, to be bounded. */
export function statedDelayMs(reply: RemoteReply): number | undefined {
  const text = reply.lines.join(' ').slice(0, READ_MAX)
  const amount = AMOUNT.exec(text)
  if (amount) return Number(amount[1]) * UNIT_MS[amount[2]!.toLowerCase()]!
  const clock = CLOCK.exec(text)
  if (clock === null) return undefined
  const [hours, minutes, seconds] = clock.slice(1).map(Number) as [number, number, number]
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}
