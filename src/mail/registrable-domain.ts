/**
 * The part of a host name that somebody has registered: `example.co.uk` of `www.example.co.uk`, by the public suffix list that
 * the library carries. What a provider lets its customers name counts as registered by them (`anna.github.io`): whoever
 * judges one of them must not judge all.
 *
 * The list is as old as the installed library; a suffix that it does not know is taken for one label.
 */
import { getDomain } from 'tldts'

/** `host`: lower case, A-labels. Undefined: a suffix itself (`co.uk`), or a single label. */
export function registrableDomain(host: string): string | undefined {
  return getDomain(host, { allowPrivateDomains: true, detectIp: false, validateHostname: false }) ?? undefined
}

/** The same, or the name itself where that is not known. */
export const registrant = (host: string): string => registrableDomain(host) ?? host
