/**
 * A TLS report over HTTPS (RFC 8460 §5.4): POST, to wherever a record of a stranger points, so past the address guard and
 * without redirects. The certificate is verified, although RFC 8460 §3 would allow to look away: who cannot be reached so
 * may name an address for mail as well.
 *
 * Limits: `POST_MS_MAX` for everything; of the answer the status counts, and `ANSWER_OCTETS_MAX` of it are read.
 */
import { askHttps, type HttpsParts } from '#sys/guarded-https.ts'
import { REPORT_TYPE } from './message.ts'

export const POST_MS_MAX = 60_000
const ANSWER_OCTETS_MAX = 16 * 1024

/** `text` is for people. `failed`: it was not taken, and may be sent again. `unclear`: it may have been taken. */
export interface Handed {
  readonly kind: 'sent' | 'failed' | 'unclear'
  readonly text: string
}

export async function postReport(url: URL, octets: Buffer, parts: HttpsParts, msMax = POST_MS_MAX): Promise<Handed> {
  const headers = { 'content-type': REPORT_TYPE }
  const question = { url, method: 'POST', headers, body: octets, octetsMax: ANSWER_OCTETS_MAX, msMax } as const
  const answer = await askHttps(question, parts)
  if (answer.kind !== 'answered') return { kind: answer.kind, text: answer.text }
  const { status } = answer
  const kind = status >= 200 && status < 300 ? 'sent' : 'failed'
  return { kind, text: `${url.host} answers ${status}` }
}
