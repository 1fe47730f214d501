/**
 * HTTPS to a host that somebody outside named. Whoever owns the name says where it leads, so each address is judged first, and
 * the connection goes to the address that was judged; the certificate must be one of a trusted authority for the name. No
 * redirect is followed, nothing is kept open.
 *
 * Bounded: `msMax` for everything, `ADDRESSES_MAX` addresses, `octetsMax` of the answer's body. Never rejects.
 */
import type { ClientRequest } from 'node:http'
import { request } from 'node:https'
import { isIP } from 'node:net'
import type { AddressGuard } from './address-guard.ts'
import type { Dns } from './dns/answer.ts'

const ADDRESSES_MAX = 4
const HEADER_OCTETS_MAX = 16 * 1024

export interface HttpsQuestion {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly octetsMax: number
  readonly msMax: number
}

export type HttpsAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly contentType: string
      readonly body: Buffer
      /** `text`: why the body is not all of it. */
      readonly end: { readonly kind: 'whole' | 'too-long' | 'broken'; readonly text: string }
    }
  /** The question cannot have arrived. `certificate`: whoever is there does not prove that it is the host. */
  | { readonly kind: 'failed'; readonly why: 'unreachable' | 'certificate'; readonly text: string }
  /** It may have arrived: the connection stood, and no answer came. */
  | { readonly kind: 'unclear'; readonly text: string }

export interface HttpsParts {
  readonly dns: Dns
  readonly guard: AddressGuard
}

export async function askHttps(question: HttpsQuestion, parts: HttpsParts): Promise<HttpsAnswer> {
  const signal = AbortSignal.timeout(question.msMax)
  const addresses = await addressesOf(hostOf(question.url), parts)
  if (!Array.isArray(addresses)) return addresses
  let last: HttpsAnswer = unreachable('no address')
  for (const address of addresses.slice(0, ADDRESSES_MAX)) {
    last = await new Asking(question, address, signal).answer
    if (last.kind !== 'failed' || signal.aborted) break
  }
  return last
}

const unreachable = (text: string): HttpsAnswer => ({ kind: 'failed', why: 'unreachable', text })

/** Without the brackets of IPv6. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

async function addressesOf(host: string, { dns, guard }: HttpsParts): Promise<string[] | HttpsAnswer> {
  const answers = isIP(host) ? [] : await Promise.all([dns.lookup(host, 'AAAA'), dns.lookup(host, 'A')])
  const found = isIP(host) ? [host] : answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
  const allowed = found.filter((address) => guard(address) === undefined)
  if (allowed.length > 0) return allowed
  const silent = answers.find((answer) => answer.kind === 'unknown')
  if (silent?.kind === 'unknown') return unreachable(`${host}: ${silent.text}`)
  const [refused] = found
  if (refused === undefined) return unreachable(`${host} has no address`)
  return unreachable(`${host} leads to ${refused} (${guard(refused)}), where nothing from outside must lead us`)
}

/** X.509 errors of OpenSSL, and Node's own about names. */
const CERTIFICATE_FAULT =
  /^(?:ERR_TLS_CERT|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_)/

class Asking {
  readonly answer: Promise<HttpsAnswer>
  readonly #question: HttpsQuestion
  readonly #name: string
  readonly #signal: AbortSignal
  #isConnected = false
  #done: (answer: HttpsAnswer) => void = () => {}

  constructor(question: HttpsQuestion, address: string, signal: AbortSignal) {
    this.#question = question
    this.#signal = signal
    this.#name = `${hostOf(question.url)}[${address}]`
    this.answer = new Promise((resolve) => {
      this.#done = resolve
      const asked = this.#request(address)
      asked.on('socket', (socket) => socket.once('secureConnect', () => (this.#isConnected = true)))
      asked.on('error', (error: NodeJS.ErrnoException) => this.#failed(error))
      this.#listen(asked)
      asked.end(question.body)
    })
  }

  #request(address: string): ClientRequest {
    const { url, method, headers, body } = this.#question
    const host = hostOf(url)
    return request({
      host: address,
      port: url.port === '' ? 443 : Number(url.port),
      path: `${url.pathname}${url.search}`,
      method,
      // Also the name that the certificate must have; an address cannot be one here (RFC 6066 §3).
      ...(isIP(host) === 0 && { servername: host }),
      headers: { host: url.host, ...headers, ...(body && { 'content-length': String(body.length) }) },
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      agent: false,
      maxHeaderSize: HEADER_OCTETS_MAX,
      signal: this.#signal,
    })
  }

  #text({ message }: Error): string {
    return `${this.#name}: ${this.#signal.aborted ? 'too slow' : message}`
  }

  #failed(error: NodeJS.ErrnoException): void {
    const text = this.#text(error)
    if (this.#isConnected) this.#done({ kind: 'unclear', text })
    else
      this.#done({
        kind: 'failed',
        why: CERTIFICATE_FAULT.test(error.code ?? '') ? 'certificate' : 'unreachable',
        text,
      })
  }

  #listen(asked: ClientRequest): void {
    const { octetsMax } = this.#question
    asked.on('response', (response) => {
      const parts: Buffer[] = []
      let octets = 0
      const end = (kind: 'whole' | 'too-long' | 'broken', text = ''): void => {
        const { statusCode: status = 0, headers } = response
        const contentType = headers['content-type'] ?? ''
        this.#done({ kind: 'answered', status, contentType, body: Buffer.concat(parts), end: { kind, text } })
        asked.destroy()
      }
      response.on('error', (error: Error) => end('broken', this.#text(error)))
      response.on('data', (part: Buffer) => {
        octets += part.length
        if (octets > octetsMax) end('too-long', `more than ${octetsMax} octets`)
        else parts.push(part)
      })
      response.on('end', () => (response.complete ? end('whole') : end('broken', `${this.#name}: ends early`)))
    })
  }
}
