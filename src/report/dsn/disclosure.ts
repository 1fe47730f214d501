/**
 * What of a remote server's words may be shown, and to whom. A sender outside hears why, but not how the customer's network
 * is built: names of hosts, addresses of machines and foreign mailboxes are taken out.
 *
 * A name without a dot is seen only if it is in `innerHosts`: nobody can tell other ones from words. Linear: every repetition
 * is bounded. Limit: characters, below.
 */
/** Of a remote server's words in a report. A reply line has 512 octets (RFC 5321 §4.5.3.1.5); some have several. */
export const QUOTED_CHARACTERS_MAX = 500

export interface Shown {
  /** In lower case: the mailboxes that the reader knows anyway, since they are in his own envelope. */
  readonly mailboxes: ReadonlySet<string>
  /** In lower case: their domains. */
  readonly domains: ReadonlySet<string>
  /** In lower case: names of the customer's servers, with or without a dot. */
  readonly innerHosts: ReadonlySet<string>
}

/** A stranger's text in one line, without controls and without what changes the direction of reading. */
export function oneLine(text: string, charactersMax = QUOTED_CHARACTERS_MAX): string {
  const line = text
    .slice(0, charactersMax * 4)
    .toWellFormed()
    .replace(/\p{Cf}+/gu, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return [...line].slice(0, charactersMax).join('').trim()
}

const MAILBOX = /[^\s<>()[\]",;:@]{1,64}@(?:[^\s<>()[\]",;:@]{1,255})?/u
const IPV6 = /(?:IPv6:)?[0-9a-f]{0,4}:[0-9a-f]{0,4}:[0-9a-f:.]{0,40}(?:%\w{1,16})?/u
const NAME = /[\p{L}\p{M}\p{N}_-]{1,63}(?:\.[\p{L}\p{M}\p{N}_-]{1,63}){0,20}/u
const NAMES = new RegExp([MAILBOX, IPV6, NAME].map((one) => one.source).join('|'), 'giu')

/** The text without inner names. */
export function withoutInnerNames(text: string, shown: Shown): string {
  return text.replace(NAMES, (found) => replacement(found, shown)).replace(/\[\[(address|name|mailbox)\]\]/g, '[$1]')
}

function replacement(found: string, { mailboxes, domains, innerHosts }: Shown): string {
  const word = found.toLowerCase()
  if (word.includes('@')) return mailboxes.has(trimmed(word)) ? found : '[mailbox]'
  if (innerHosts.has(word)) return '[name]'
  // With two colons it is an address with or without a port, unless it is a time of day, or the port of what stands before.
  if (word.includes(':')) return /^(?:\d{1,2}:\d\d:\d\d|:+|:\d{1,5}:)$/.test(word) ? found : '[address]'
  // Also in the form of `ip-10-0-0-5.corp.example`.
  if (/\d{1,3}(?:[.-]\d{1,3}){3}/.test(word)) return '[address]'
  // Unlike a status or a version, a name ends in letters.
  const isName = /\.(?=[^.]*\p{L})[^.]{2,63}$/u.test(word)
  return isName && !domains.has(word) ? '[name]' : found
}

// A full stop at the end belongs to the sentence.
const trimmed = (word: string): string => word.replace(/[.!?']{1,10}$/, '')
