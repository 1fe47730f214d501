/**
 * The text of an SPF record (RFC 7208 §4.6, §5, §6), with its macros. An error anywhere makes all of it void, before anything
 * is evaluated (§4.6); it comes back as a fault, never as an exception. Unknown modifiers are passed over.
 */
import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { type MacroText, readDomainSpec, readMacros } from './macros.ts'

/** RFC 7208 §3.4 wants some 450 octets at most; DNS would carry 64 KB. */
export const RECORD_CHARACTERS_MAX = 4096
const TERMS_MAX = 200

export type Qualifier = 'pass' | 'fail' | 'softfail' | 'neutral'

export type Mechanism =
  | { readonly kind: 'all' }
  | { readonly kind: 'ip'; readonly network: Uint8Array; readonly bits: number }
  | { readonly kind: 'include' | 'exists'; readonly domain: MacroText }
  | { readonly kind: 'ptr' /** Undefined: the domain of the record. */; readonly domain: MacroText | undefined }
  | {
      readonly kind: 'a' | 'mx'
      readonly domain: MacroText | undefined
      readonly bits4: number
      readonly bits6: number
    }

export interface Directive {
  readonly qualifier: Qualifier
  readonly mechanism: Mechanism
}

export type SpfRecord =
  | { readonly ok: true; readonly directives: readonly Directive[]; readonly redirect: MacroText | undefined }
  | { readonly ok: false; readonly fault: string }

/** §4.5: the version stands alone, or before a space. */
export const isSpf = (text: string): boolean => /^v=spf1(?: |$)/i.test(text)

const fault = (text: string): SpfRecord => ({ ok: false, fault: text })
const QUALIFIERS: Readonly<Record<string, Qualifier>> = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' }

export function readSpf(text: string): SpfRecord {
  if (text.length > RECORD_CHARACTERS_MAX) return fault('the record is too long')
  const words = text.split(' ').slice(1).filter(Boolean)
  if (words.length > TERMS_MAX) return fault(`the record has more than ${TERMS_MAX} terms`)
  const directives: Directive[] = []
  const modifiers = new Map<string, MacroText>()
  for (const word of words) {
    const [, name, value = ''] = /^([a-z][a-z0-9_.-]{0,62})=(.*)$/is.exec(word) ?? []
    if (name !== undefined) {
      const problem = readModifier(name.toLowerCase(), value, modifiers)
      if (problem !== undefined) return fault(problem)
      continue
    }
    const [, sign = '', rest = ''] = /^([+?~-]?)(.*)$/s.exec(word)!
    const mechanism = readMechanism(rest)
    if (mechanism === undefined) return fault('a term of the record is no mechanism')
    directives.push({ qualifier: QUALIFIERS[sign || '+']!, mechanism })
  }
  return { ok: true, directives, redirect: modifiers.get('redirect') }
}

// §6: redirect and exp stand once; what others are may be anything that is a macro-string.
function readModifier(name: string, value: string, modifiers: Map<string, MacroText>): string | undefined {
  const isKnown = name === 'redirect' || name === 'exp'
  const text = isKnown ? readDomainSpec(value) : readMacros(value)
  if (text === undefined) return isKnown ? `${name}= names no domain` : 'a modifier of the record is none'
  if (isKnown && modifiers.has(name)) return `${name}= stands twice`
  if (isKnown) modifiers.set(name, text)
  return undefined
}

function readMechanism(text: string): Mechanism | undefined {
  const [, name = '', rest = ''] = /^([a-z0-9]{1,7})(?=[:/]|$)(.*)$/is.exec(text) ?? []
  const value = rest.startsWith(':') ? rest.slice(1) : undefined
  switch (name.toLowerCase()) {
    case 'all':
      return rest === '' ? { kind: 'all' } : undefined
    case 'include':
    case 'exists': {
      const domain = value === undefined ? undefined : readDomainSpec(value)
      return domain && { kind: name.toLowerCase() as 'include' | 'exists', domain }
    }
    case 'ptr': {
      const domain = value === undefined ? undefined : readDomainSpec(value)
      return rest === '' || domain !== undefined ? { kind: 'ptr', domain } : undefined
    }
    case 'ip4':
      return readNetwork(32, value ?? '')
    case 'ip6':
      return readNetwork(128, value ?? '')
    case 'a':
    case 'mx':
      return readHost(name.toLowerCase() as 'a' | 'mx', rest)
    default:
      return undefined
  }
}

function readNetwork(width: 32 | 128, text: string): Mechanism | undefined {
  const [, address = '', length] = /^([^/]{0,50})(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const bits = length === undefined ? width : bitsOf(length, width)
  const fits = width === 32 ? isIPv4(address) : isIPv6(address) && !address.includes('%')
  return fits && bits !== undefined ? { kind: 'ip', network: networkOctets(address), bits } : undefined
}

// §5.6: `a/24`, `a:mail.example//64`, `mx/24//64`. The lengths stand at the end; what is before them is the domain.
function readHost(kind: 'a' | 'mx', rest: string): Mechanism | undefined {
  const [, before = '', four, six] = /^(.*?)(?:\/(\d{1,3}))?(?:\/\/(\d{1,3}))?$/s.exec(rest)!
  const bits4 = four === undefined ? 32 : bitsOf(four, 32)
  const bits6 = six === undefined ? 128 : bitsOf(six, 128)
  if (bits4 === undefined || bits6 === undefined) return undefined
  if (before === '') return { kind, domain: undefined, bits4, bits6 }
  const domain = before.startsWith(':') ? readDomainSpec(before.slice(1)) : undefined
  return domain && { kind, domain, bits4, bits6 }
}

// No zeros before the number (§5.6).
function bitsOf(digits: string, most: 32 | 128): number | undefined {
  const bits = Number(digits)
  return bits <= most && String(bits) === digits ? bits : undefined
}

const networkOctets = (address: string): Uint8Array => Uint8Array.from(ipaddr.parse(address).toByteArray())

/** 4 or 16; an IPv4 address that is written as IPv6 is one of IPv4 (§5). `address` must be one. */
export function octetsOf(address: string): Uint8Array {
  return Uint8Array.from(ipaddr.process(address).toByteArray())
}

export function isIn(ip: Uint8Array, network: Uint8Array, bits: number): boolean {
  if (ip.length !== network.length) return false
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (ip[i] !== network[i]) return false
  const rest = bits & 7
  return rest === 0 || (ip[whole]! ^ network[whole]!) >> (8 - rest) === 0
}
