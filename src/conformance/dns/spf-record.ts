/**
 * Reads the text of an SPF record (RFC 7208 §4.6, §5, §6). Syntax only; `spf-tree.ts` asks what it leads to. What cannot be
 * read comes back as a fault, never as an exception.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { RECORD_CHARACTERS_MAX } from './tags.ts'

const TERMS_MAX = 200

export type Qualifier = '+' | '-' | '~' | '?'

export type SpfTerm =
  | { readonly kind: 'all'; readonly qualifier: Qualifier }
  | { readonly kind: 'ip'; readonly qualifier: Qualifier; readonly address: string; readonly bits: number }
  | {
      readonly kind: 'a' | 'mx'
      readonly qualifier: Qualifier
      /** Undefined: the domain of the record. */
      readonly domain: string | undefined
      readonly bits4: number
      readonly bits6: number
    }
  | { readonly kind: 'include'; readonly qualifier: Qualifier; readonly domain: string }
  | { readonly kind: 'ptr' | 'exists'; readonly qualifier: Qualifier }

export type SpfRecord =
  | { readonly ok: true; readonly terms: readonly SpfTerm[]; readonly redirect: string | undefined }
  | { readonly ok: false; readonly fault: string }

/** RFC 7208 §4.5: the version stands alone, or before a space. */
export const isSpf = (text: string): boolean => /^v=spf1(?: |$)/i.test(text)

export function readSpf(text: string): SpfRecord {
  if (text.length > RECORD_CHARACTERS_MAX) return { ok: false, fault: 'it is too long' }
  if (!isSpf(text)) return { ok: false, fault: 'it does not begin with v=spf1' }
  const words = text.split(' ').slice(1).filter(Boolean)
  if (words.length > TERMS_MAX) return { ok: false, fault: `it has more than ${TERMS_MAX} terms` }
  const terms: SpfTerm[] = []
  const modifiers = new Map<string, string>()
  for (const word of words) {
    const [, name, value] = /^([a-z][\w.-]*)=(.*)$/i.exec(word) ?? []
    if (name !== undefined && value !== undefined) {
      const key = name.toLowerCase()
      if ((key === 'redirect' || key === 'exp') && modifiers.has(key))
        return { ok: false, fault: `${key}= stands twice` }
      modifiers.set(key, value)
      continue
    }
    const term = readTerm(word)
    if (term === undefined) return { ok: false, fault: `${JSON.stringify(word)} is no SPF term` }
    terms.push(term)
  }
  const redirect = modifiers.get('redirect')
  return redirect === '' ? { ok: false, fault: 'redirect= names no domain' } : { ok: true, terms, redirect }
}

function readTerm(word: string): SpfTerm | undefined {
  const [, sign = '', name = '', rest = ''] = /^([+?~-]?)([a-z0-9]+)(.*)$/is.exec(word) ?? []
  const qualifier = (sign || '+') as Qualifier
  const value = rest.startsWith(':') ? rest.slice(1) : undefined
  switch (name.toLowerCase()) {
    case 'all':
      return rest === '' ? { kind: 'all', qualifier } : undefined
    case 'include':
      return value ? { kind: 'include', qualifier, domain: value } : undefined
    case 'exists':
      return value ? { kind: 'exists', qualifier } : undefined
    case 'ptr':
      return rest === '' || value ? { kind: 'ptr', qualifier } : undefined
    case 'ip4':
    case 'ip6':
      return readNetwork(name.toLowerCase() === 'ip4' ? 32 : 128, value ?? '', qualifier)
    case 'a':
    case 'mx':
      return readHost(name.toLowerCase() as 'a' | 'mx', rest, qualifier)
    default:
      return undefined
  }
}

function readNetwork(width: 32 | 128, text: string, qualifier: Qualifier): SpfTerm | undefined {
  const [, address = '', length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const bits = length === undefined ? width : Number(length)
  const fits = width === 32 ? isIPv4(address) : isIPv6(address) && !address.includes('%')
  return fits && bits <= width ? { kind: 'ip', qualifier, address, bits } : undefined
}

// RFC 7208 §5.6: `a/24`, `a:mail.example//64`, `mx/24//64`.
function readHost(kind: 'a' | 'mx', rest: string, qualifier: Qualifier): SpfTerm | undefined {
  const match = /^(?::([^/]+))?(?:\/(\d{1,2}))?(?:\/\/(\d{1,3}))?$/.exec(rest)
  if (match === null) return undefined
  const [, domain, four, six] = match
  const [bits4, bits6] = [Number(four ?? 32), Number(six ?? 128)]
  return bits4 <= 32 && bits6 <= 128 ? { kind, qualifier, domain, bits4, bits6 } : undefined
}
