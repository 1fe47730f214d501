/**
 * A DMARC policy record (RFC 9989 §4.7, §4.8). Only its version must be right: what else cannot be read is passed over, and
 * the default holds. No exceptions.
 */
import type { DmarcPolicy } from '#mail/authentication.ts'

/** Longer records are not read. */
const RECORD_CHARACTERS_MAX = 4096

export interface DmarcRecord {
  /** Undefined: the policy cannot be read, and the owner takes no reports: DMARC does not apply (§4.10.1). */
  readonly policy: DmarcPolicy | undefined
  readonly subdomains: DmarcPolicy | undefined
  readonly nonexistent: DmarcPolicy | undefined
  readonly strictDkim: boolean
  readonly strictSpf: boolean
  readonly psd: 'y' | 'n' | 'u'
  /** t=y */
  readonly isTest: boolean
}

const VERSION = /^v[ \t]{0,20}=[ \t]{0,20}DMARC1[ \t]{0,20}(?:;|$)/

/** Undefined: it is no DMARC record. */
export function readDmarc(text: string): DmarcRecord | undefined {
  if (text.length > RECORD_CHARACTERS_MAX || !VERSION.test(text)) return undefined
  const tags = new Map<string, string>()
  for (const part of text.split(';').slice(1)) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(0, equals)).trim().toLowerCase()
    if (/^[a-z]{1,20}$/.test(name) && !tags.has(name)) tags.set(name, part.slice(equals + 1).trim())
  }
  const value = (name: string): string => tags.get(name)?.toLowerCase() ?? ''
  const [policy, subdomains, nonexistent] = ['p', 'sp', 'np'].map((name) => policyOf(value(name)))
  const isFaulty = ['p', 'sp', 'np'].some((name) => tags.has(name) && policyOf(value(name)) === undefined)
  const usable = isFaulty ? (hasUri(tags.get('rua') ?? '') ? 'none' : undefined) : (policy ?? 'none')
  const psd = value('psd')
  return {
    policy: usable,
    subdomains: isFaulty ? undefined : subdomains,
    nonexistent: isFaulty ? undefined : nonexistent,
    strictDkim: value('adkim') === 's',
    strictSpf: value('aspf') === 's',
    psd: psd === 'y' || psd === 'n' ? psd : 'u',
    isTest: value('t') === 'y',
  }
}

const policyOf = (text: string): DmarcPolicy | undefined =>
  text === 'none' || text === 'quarantine' || text === 'reject' ? text : undefined

const hasUri = (list: string): boolean =>
  list.split(',').some((uri) => /^[a-z][a-z0-9+.-]{0,30}:[!-~]{1,500}$/i.test(uri.trim()))
