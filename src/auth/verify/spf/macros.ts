/**
 * Domain names with macros, as SPF records have them (RFC 7208 §7): read once, filled in for each message. `%{p}` must be
 * asked of DNS, so filling in may wait.
 */

/** One macro: `%{ir}`, `%{d2}`, `%{l1r-}`. */
interface Macro {
  readonly letter: Letter
  /** Labels kept, from the right; undefined: all. */
  readonly keep: number | undefined
  readonly reversed: boolean
  readonly delimiters: string
  readonly escaped: boolean
}

/** §7.2: those that may stand in a domain name. `c`, `r` and `t` are for explanations, which we do not fetch. */
const LETTERS = ['s', 'l', 'o', 'd', 'i', 'p', 'h', 'v'] as const
type Letter = (typeof LETTERS)[number]

export type MacroText = readonly (string | Macro)[]

/** Of a record; a longer text is no honest one. */
const PARTS_MAX = 100
const NAME_OCTETS_MAX = 253
const MACRO = /%(?:\{([a-zA-Z])(\d{0,9})(r?)([.\-+,/_=]{0,20})\}|([%_-]))/giy

/** A macro-string (§7.1); undefined: it is none. */
export function readMacros(text: string): MacroText | undefined {
  const parts: (string | Macro)[] = []
  for (let at = 0; at < text.length; ) {
    const percent = text.indexOf('%', at)
    const literal = text.slice(at, percent < 0 ? text.length : percent)
    // macro-literal: visible characters.
    if (/[^\x21-\x7e]/.test(literal) || parts.length > PARTS_MAX) return undefined
    if (literal !== '') parts.push(literal)
    if (percent < 0) break
    MACRO.lastIndex = percent
    const match = MACRO.exec(text)
    const part = match === null ? undefined : partOf(match)
    if (part === undefined) return undefined
    parts.push(part)
    at = MACRO.lastIndex
  }
  return parts
}

const ESCAPES: Readonly<Record<string, string>> = { '%': '%', _: ' ', '-': '%20' }

function partOf([, letter = '', digits = '', r = '', delimiters = '', literal]: RegExpExecArray):
  | string
  | Macro
  | undefined {
  if (literal !== undefined) return ESCAPES[literal]
  const lower = LETTERS.find((one) => one === letter.toLowerCase())
  const keep = digits === '' ? undefined : Number(digits)
  if (lower === undefined || keep === 0) return undefined
  return { letter: lower, keep, reversed: r !== '', delimiters: delimiters || '.', escaped: letter !== lower }
}

/** A domain-spec (§7.1): it ends in a macro, or in a label that can be a top-level domain. */
export function readDomainSpec(text: string): MacroText | undefined {
  const parts = readMacros(text)
  const last = parts?.at(-1)
  if (parts === undefined || last === undefined) return undefined
  if (typeof last !== 'string') return parts
  // `%%` and its like are literals by now, but as macros they may end a domain-spec.
  if (/%[%_-]$/.test(text)) return parts
  const label = /\.([^.]{1,63})\.?$/.exec(text)?.[1] ?? ''
  const isTop = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(label) && !/^\d+$/.test(label)
  return isTop ? parts : undefined
}

/** What macros speak of. */
export interface MacroFacts {
  /** Octets of the client's address: 4 or 16. */
  readonly ip: Uint8Array
  readonly localPart: string
  /** Of the sender's identity. */
  readonly senderDomain: string
  readonly helo: string
  /** `domain` of check_host: another one inside include and redirect. */
  readonly domain: string
  /** A name of the client that leads back to it, `unknown` if there is none (§7.3). */
  readonly clientName: () => Promise<string>
}

/** As a name to ask for: labels are cut from the left until it is short enough (§7.3). */
export async function fillIn(text: MacroText, facts: MacroFacts): Promise<string> {
  let filled = ''
  for (const part of text)
    filled += typeof part === 'string' ? part : transformed(part, await meant(part.letter, facts))
  let name = filled.endsWith('.') ? filled.slice(0, -1) : filled
  while (name.length > NAME_OCTETS_MAX) {
    const dot = name.indexOf('.')
    if (dot < 0) break
    name = name.slice(dot + 1)
  }
  return name
}

function transformed({ keep, reversed, delimiters, escaped }: Macro, value: string): string {
  const labels: string[] = []
  let label = ''
  for (const c of value) {
    if (!delimiters.includes(c)) label += c
    else {
      labels.push(label)
      label = ''
    }
  }
  labels.push(label)
  if (reversed) labels.reverse()
  const joined = (keep === undefined ? labels : labels.slice(-keep)).join('.')
  return escaped ? encodeURIComponent(joined.toWellFormed()).replace(/[!'()*]/g, hex) : joined
}

const hex = (c: string): string => `%${c.charCodeAt(0).toString(16).toUpperCase()}`

async function meant(letter: Letter, facts: MacroFacts): Promise<string> {
  switch (letter) {
    case 's':
      return `${facts.localPart}@${facts.senderDomain}`
    case 'l':
      return facts.localPart
    case 'o':
      return facts.senderDomain
    case 'd':
      return facts.domain
    case 'i':
      return dotted(facts.ip)
    case 'p':
      return facts.clientName()
    case 'h':
      return facts.helo
    case 'v':
      return facts.ip.length === 4 ? 'in-addr' : 'ip6'
  }
}

/** `192.0.2.1`, or the 32 nibbles of an IPv6 address. */
function dotted(ip: Uint8Array): string {
  if (ip.length === 4) return ip.join('.')
  return [...ip].flatMap((octet) => [(octet >> 4).toString(16), (octet & 15).toString(16)]).join('.')
}

/** Where PTR records of this address stand (RFC 1035 §3.5, RFC 3596 §2.5). */
export const reverseName = (ip: Uint8Array): string =>
  `${dotted(ip).split('.').reverse().join('.')}.${ip.length === 4 ? 'in-addr' : 'ip6'}.arpa`
