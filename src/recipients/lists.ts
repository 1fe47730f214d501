/**
 * What a list says of a recipient, and what it means when there is no list. The lists themselves are kept elsewhere
 * (`store/`); an answer takes microseconds, so it is not cached.
 */
import type { ServedDomain } from '#tenant/directory.ts'

export interface ListReader {
  /** Undefined: no list was ever loaded for this name, so nobody knows who exists. */
  has(
    domain: string,
    key: string,
  ):
    | { readonly listed: boolean; readonly tenant?: string; readonly source: string; readonly loadedAtMs: number }
    | undefined
}

export type ListAnswer =
  | { readonly kind: 'listed'; readonly ageMs: number }
  | { readonly kind: 'absent'; readonly ageMs: number }
  /** Law 4: unknown is not no. */
  | { readonly kind: 'no-list'; readonly text: string }

/** `key` as `mailboxKey` makes it. Only for domains whose recipients are of the kind `directory`. */
export function askList(lists: ListReader | undefined, domain: ServedDomain, key: string, wallMs: number): ListAnswer {
  const { recipients } = domain
  const own = recipients.kind === 'directory' ? recipients : undefined
  const name = own?.list ?? domain.name
  const found = lists?.has(name, key)
  // A list that another tenant brought says nothing of this one's recipients.
  if (found === undefined || (found.tenant ?? domain.tenant.name) !== domain.tenant.name) {
    return { kind: 'no-list', text: `no list of recipients was loaded yet for ${name}` }
  }
  const ageMs = Math.max(0, wallMs - found.loadedAtMs)
  if (found.listed) return { kind: 'listed', ageMs }
  const base = own?.subaddressSeparator === undefined ? undefined : withoutSubaddress(key, own.subaddressSeparator)
  return { kind: base !== undefined && lists?.has(name, base)?.listed ? 'listed' : 'absent', ageMs }
}

/** `anna+shop@x` is `anna@x` (RFC 5233); undefined if there is no detail to take off. */
export function withoutSubaddress(key: string, separator: string): string | undefined {
  const at = key.lastIndexOf('@')
  const start = key.indexOf(separator)
  return start > 0 && start < at ? key.slice(0, start) + key.slice(at) : undefined
}
