/**
 * Addresses in running text and in header fields, as strangers write them. This is no parser of mailboxes (`mail/address.ts`
 * is): it finds what looks like one, so that a recipient of ours can be recognised by comparing. Linear in the text.
 */

/** RFC 5321 §4.5.3.1, and room for the long local parts of VERP and SRS. */
const LOCAL_CHARACTERS_MAX = 250
const DOMAIN_CHARACTERS_MAX = 255
/** Of one line that is searched; a line of text has 998 octets at most (RFC 5322 §2.1.1), JSON has more. */
export const LINE_CHARACTERS_MAX = 2000

export interface FoundAddress {
  readonly address: string
  readonly start: number
  readonly end: number
}

/** All addresses in a line, in order. */
export function addressesIn(line: string): FoundAddress[] {
  const found: FoundAddress[] = []
  let from = 0
  for (let at = line.indexOf('@'); at >= 0 && at < LINE_CHARACTERS_MAX; at = line.indexOf('@', at + 1)) {
    let start = at
    while (start > from && at - start < LOCAL_CHARACTERS_MAX && isLocal(line.charCodeAt(start - 1))) start--
    if (line[at - 1] === '"') start = quotedStart(line, at, from)
    let end = at + 1
    while (end < line.length && end - at < DOMAIN_CHARACTERS_MAX && isDomain(line.charCodeAt(end))) end++
    while (end > at + 1 && (line[end - 1] === '.' || line[end - 1] === '-')) end--
    while (start < at && (line[start] === "'" || line[start] === '.' || line[start] === '*')) start++
    // X.400 addresses and headers of old gateways write it so.
    if (/^smtp=/i.test(line.slice(start, start + 5))) start += 5
    const bracketed = isWide(line.charCodeAt(at - 1)) || isWide(line.charCodeAt(end)) ? inBrackets(line, at) : undefined
    if (bracketed !== undefined) {
      found.push(bracketed)
      from = bracketed.end
    } else if (start < at && end > at + 1) {
      found.push({ address: line.slice(start, end), start, end })
      from = end
    }
  }
  return found
}

// Where words are not set apart by spaces, angle brackets are what says how far an address goes (RFC 6531).
function inBrackets(line: string, at: number): FoundAddress | undefined {
  const start = line.lastIndexOf('<', at) + 1
  const end = line.indexOf('>', at)
  if (start === 0 || end < 0 || at - start > LOCAL_CHARACTERS_MAX || end - at > DOMAIN_CHARACTERS_MAX) return undefined
  const address = line.slice(start, end)
  return /\s/.test(address) ? undefined : { address, start, end }
}

function quotedStart(line: string, at: number, from: number): number {
  const open = line.lastIndexOf('"', at - 2)
  return open >= from && at - open < LOCAL_CHARACTERS_MAX ? open : at
}

const LOCAL_SPECIALS = new Set([..."!#$%&'*+-/=?^_`{|}~."].map((c) => c.charCodeAt(0)))
const isAlphanumeric = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c > 0xbf
const isLocal = (c: number): boolean => (isAlphanumeric(c) && !isWide(c)) || LOCAL_SPECIALS.has(c)
const isDomain = (c: number): boolean => (isAlphanumeric(c) && !isWide(c)) || c === 0x2d || c === 0x2e

// Scripts that write without spaces: an address stands directly behind a word there.
const isWide = (c: number): boolean => (c >= 0x3000 && c < 0xd800) || c >= 0xf900

/** The address of a From, To or path: in angle brackets if there is one, else the first that is found. */
export function fieldAddress(value: string): string | undefined {
  const text = value.slice(0, LINE_CHARACTERS_MAX)
  const bracket = /<([^<>\s]{1,500})>/.exec(text)?.[1]
  if (bracket?.includes('@')) return addressesIn(bracket)[0]?.address
  return addressesIn(text)[0]?.address
}

/** Two addresses that mean the same to a mail server of today; local parts are compared without case. */
export const sameAddress = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase()
