/**
 * Fetches the addresses of a domain from a directory by LDAP (RFC 4511): bind, one filter, page by page
 * (RFC 2696). Whoever takes the pages decides what becomes of them; nothing is kept here.
 *
 * One fetch is one connection. If it breaks, the fetch has failed as a whole: a new connection would be without TLS and
 * without the bind, and half an answer looks like a customer who lost half of the staff. Faults are `LdapFault`s, with
 * words for the operator. Limits: `ADDRESSES_MAX`, `ADDRESS_CHARS_MAX`, `FETCH_MS_MAX`, and the source's own times.
 */
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import tls from 'node:tls'
import type { LdapSource } from '#config/config.ts'
import { recipientKey } from '#config/recipients.ts'
import type { Secret } from '#config/secret.ts'

/** A domain of more addresses is a filter that finds too much. */
export const ADDRESSES_MAX = 5_000_000
/** A value that is longer is no address (RFC 5321 §4.5.3.1.3: 254, and a prefix). */
export const ADDRESS_CHARS_MAX = 300
/** For all pages; a million entries take some minutes. */
export const FETCH_MS_MAX = 30 * 60_000

export class LdapFault extends Error {}

export interface LdapPage {
  /** Of the domain, as `mailboxKey` makes them. */
  readonly keys: readonly string[]
  /** Values that are no addresses. */
  readonly unreadable: readonly string[]
}

/** `domain` in A-labels; may begin with `*.`. Addresses of other domains are left out. Throws an LdapFault. */
export async function* fetchKeys(
  source: LdapSource,
  password: Secret | undefined,
  domain: string,
): AsyncGenerator<LdapPage> {
  const { Client, InvalidCredentialsError } = await import('ldapts')
  const faults: string[] = []
  for (const url of source.urls) {
    const connection = await connectionTo(source, url)
    const client = new Client({
      url,
      timeout: source.timeMsMax,
      connectTimeout: source.timeMsMax,
      ...connection.options,
    })
    const close = deadline(FETCH_MS_MAX, connection)
    try {
      await inTime(source.timeMsMax, connection, async () => {
        if (connection.startTls !== undefined) await client.startTLS(connection.startTls)
        if (source.bindDn !== undefined) await client.bind(source.bindDn, password?.reveal() ?? '')
      })
    } catch (error) {
      close()
      faults.push(`${url}: ${wordsOf(error)}`)
      // Each further server would count one more wrong password, and lock the account.
      if (error instanceof InvalidCredentialsError) break
      continue
    }
    try {
      yield* pagesOf(client, connection, source, domain)
      return
    } catch (error) {
      throw error instanceof LdapFault ? error : new LdapFault(`${url}: ${wordsOf(error)}`)
    } finally {
      close()
    }
  }
  throw new LdapFault(faults.join('; '))
}

async function* pagesOf(
  client: InstanceType<typeof import('ldapts').Client>,
  connection: Connection,
  source: LdapSource,
  domain: string,
): AsyncGenerator<LdapPage> {
  let addresses = 0
  const pages = client.searchPaginated(source.base, {
    scope: 'sub',
    filter: source.filter ?? filterFor(source.attributes),
    attributes: [...source.attributes],
    paged: { pageSize: source.pageSize },
  })
  for (;;) {
    // Of a connection that closed after StartTLS the client hears nothing.
    const next = await Promise.race([pages.next(), connection.closed])
    if (next.done) return
    const page = pageOf(next.value.searchEntries, source.attributes, domain)
    addresses += page.keys.length
    if (addresses > ADDRESSES_MAX) throw new LdapFault(`the directory has more than ${ADDRESSES_MAX} addresses`)
    yield page
  }
}

const filterFor = (attributes: readonly string[]): string =>
  attributes.length === 1 ? `(${attributes[0]}=*)` : `(|${attributes.map((name) => `(${name}=*)`).join('')})`

/** Exported for its test. */
export function pageOf(
  entries: readonly Readonly<Record<string, unknown>>[],
  attributes: readonly string[],
  domain: string,
): LdapPage {
  const keys: string[] = []
  const unreadable: string[] = []
  const wanted = new Set(attributes.map((name) => name.toLowerCase()))
  for (const entry of entries) {
    for (const [name, values] of Object.entries(entry)) {
      const [type = '', ...options] = name.toLowerCase().split(';')
      if (!wanted.has(type)) continue
      // Active Directory gives 1,500 values at most, and this name to what it cut off.
      if (options.some((option) => option.startsWith('range=') && !option.endsWith('-*'))) {
        throw new LdapFault(`${String(entry['dn'])} has more values of ${type} than the directory gives at once`)
      }
      for (const value of Array.isArray(values) ? values : [values]) take(String(value), domain, keys, unreadable)
    }
  }
  return { keys, unreadable }
}

// `SMTP:anna@x` is the first address and `smtp:a@x` a further one; `x500:`, `sip:` and others are not for mail.
function take(value: string, domain: string, keys: string[], unreadable: string[]): void {
  const prefix = /^[A-Za-z][A-Za-z0-9]*:/.exec(value)?.[0]
  if (prefix !== undefined && prefix.toLowerCase() !== 'smtp:') return
  const address = value.slice(prefix?.length ?? 0).trim()
  if (address === '') return
  const at = address.lastIndexOf('@')
  if (at < 0 || address.length > ADDRESS_CHARS_MAX) {
    unreadable.push(value.slice(0, ADDRESS_CHARS_MAX))
    return
  }
  const read = recipientKey(address, domain)
  if (read.ok) keys.push(read.key)
  else if (recipientKey(address, address.slice(at + 1).toLowerCase()).ok === false) unreadable.push(value)
}

interface Connection {
  readonly options: Partial<ConstructorParameters<typeof import('ldapts').Client>[0]>
  readonly startTls: tls.ConnectionOptions | undefined
  /** Rejects when the other side has closed it. */
  readonly closed: Promise<never>
  /** Ends it at once. */
  destroy(): void
}

/** The client opens its connection again by itself, without TLS and without bind; so the second time it gets none. */
async function connectionTo(source: LdapSource, url: string): Promise<Connection> {
  const { protocol, hostname } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const secure = protocol === 'ldaps:'
  const trust: tls.ConnectionOptions = {
    host,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...(source.caFile === undefined ? {} : { ca: await authorities(source.caFile) }),
  }
  const closed = Promise.withResolvers<never>()
  closed.promise.catch(() => {})
  const sockets: net.Socket[] = []
  let opened = false
  const once = <Arguments extends unknown[]>(open: (...given: Arguments) => net.Socket) =>
    ((...given: Arguments) => {
      if (opened) throw new LdapFault('the directory closed the connection')
      opened = true
      const socket = open(...given)
      sockets.push(socket)
      socket.once('close', () => closed.reject(new LdapFault('the directory closed the connection')))
      return socket
    }) as never
  const options = secure
    ? { tlsOptions: trust, createSecureConnection: once(tls.connect as (...given: unknown[]) => net.Socket) }
    : { createConnection: once(net.connect as (...given: unknown[]) => net.Socket) }
  return {
    options,
    startTls: secure || source.tls === 'never' ? undefined : trust,
    closed: closed.promise,
    destroy: () => sockets.forEach((socket) => void socket.destroy()),
  }
}

async function authorities(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new LdapFault(`the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** Ends the connection after so long, or when called. */
function deadline(ms: number, connection: Connection): () => void {
  const timer = setTimeout(() => connection.destroy(), ms)
  return () => {
    clearTimeout(timer)
    connection.destroy()
  }
}

// The handshake of StartTLS has no time limit of its own.
async function inTime(ms: number, connection: Connection, work: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    connection.destroy()
    late.reject(new LdapFault(`no answer within ${ms} ms`))
  }, ms)
  try {
    await Promise.race([work(), late.promise, connection.closed])
  } finally {
    clearTimeout(timer)
    late.promise.catch(() => {})
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: number | string }
  const name = typeof code === 'number' ? `${error.name.replace(/Error$/, '')}, LDAP code ${code}` : code
  const text = (error.message || error.name).trim()
  return (name === undefined || text.includes(`${name}`) ? text : `${text} (${name})`).slice(0, 300)
}
