/**
 * TXT records of a name, asked of DNS each time: for an operator who has just changed them, not for the path of mail.
 * Whether there are none for certain, or nobody could say, are two answers (law 4).
 */
import { promises as dns, NODATA, NOTFOUND } from 'node:dns'

/** One query waits so long, and is sent so often. */
const QUERY_MS_MAX = 3_000
const QUERY_TRIES = 2

export type TxtAnswer =
  /** Each record with its strings joined. */
  | { readonly kind: 'found'; readonly records: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly text: string }

export type LookUpTxt = (name: string) => Promise<TxtAnswer>

/** Absent server: those of the system. */
export function txtLookup(server?: { readonly address: string; readonly port: number }): LookUpTxt {
  const resolver = new dns.Resolver({ timeout: QUERY_MS_MAX, tries: QUERY_TRIES })
  if (server !== undefined) {
    const host = server.address.includes(':') ? `[${server.address}]` : server.address
    resolver.setServers([`${host}:${server.port}`])
  }
  return async (name) => {
    try {
      const records = (await resolver.resolveTxt(name)).map((strings) => strings.join(''))
      return records.length === 0 ? { kind: 'none' } : { kind: 'found', records }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return code === NOTFOUND || code === NODATA
        ? { kind: 'none' }
        : { kind: 'unknown', text: code ?? 'unknown error' }
    }
  }
}
