/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), the server's side: the client proves that it knows the password,
 * we prove that we know its keys, and the password is never sent. PLUS also proves that nobody stands in between, by what only
 * the two ends of the TLS connection know (`tls-exporter`, RFC 9266).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { ScramKeys } from '../credentials.ts'
import { type Exchange, LOGIN_OCTETS_MAX, malformed, type Step, textOf } from './exchange.ts'

const NONCE_CHARACTERS_MAX = 256
const BINDING_TYPE = 'tls-exporter'

export interface ScramParts {
  /** Printable, without a comma (RFC 5802 §5.1); 18 random octets in base64 or more. */
  readonly nonce: string
  /** Of this connection. Absent: none can be given. */
  readonly channelBinding?: () => Buffer
  /** The mechanism is PLUS. */
  readonly plus: boolean
  /** PLUS was offered: a client that believes it was not has been lied to (RFC 5802 §6). */
  readonly plusOffered: boolean
}

interface First {
  readonly login: string
  /** The header with its commas, as sent; what `c=` must repeat. */
  readonly header: string
  readonly binding: boolean
  readonly bare: string
  readonly nonce: string
}

export function scram(parts: ScramParts): Exchange {
  let first: First | undefined
  let known: { keys: ScramKeys; serverFirst: string } | undefined
  let proved: string | undefined
  return {
    receive(message) {
      // RFC 4954 §4 has no place for our last message in the 235: it was a challenge, and this is its empty answer.
      if (proved !== undefined)
        return message.length === 0 ? { kind: 'proved', login: proved } : malformed('SCRAM goes on after its end')
      if (first === undefined) {
        const read = readFirst(message, parts)
        if (typeof read === 'string') return malformed(read)
        first = read
        return { kind: 'keys', login: read.login }
      }
      if (known === undefined) return malformed('SCRAM out of order')
      const step = finish(message, first, known, parts)
      if (step.kind === 'challenge') proved = first.login
      return step
    },
    keys(keys) {
      const serverFirst = `r=${first!.nonce}${parts.nonce},s=${base64(keys.salt)},i=${keys.iterations}`
      known = { keys, serverFirst }
      return { kind: 'challenge', challenge: Buffer.from(serverFirst) }
    },
  }
}

// RFC 5802 §7: client-first-message = gs2-header "n=" saslname ",r=" c-nonce [extensions].
function readFirst(message: Buffer, { plus, plusOffered }: ScramParts): First | string {
  const text = textOf(message, 2 * LOGIN_OCTETS_MAX + NONCE_CHARACTERS_MAX)
  const match = /^((n|y|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,]*))?,)(n=([^,]*),r=([!-+\--~]+)(?:,.*)?)$/.exec(text ?? '')
  if (match === null) return 'SCRAM with an unreadable first message'
  const [, header = '', flag = '', type, authorization, bare = '', name = '', nonce = ''] = match
  if (plus ? type !== BINDING_TYPE : type !== undefined) return `SCRAM with an unsuitable channel binding: ${flag}`
  if (flag === 'y' && plusOffered) return 'SCRAM: somebody hid from the client that channel binding is offered'
  const login = unescaped(name)
  if (!login || Buffer.byteLength(login) > LOGIN_OCTETS_MAX) return 'SCRAM with an unreadable name'
  if (authorization && unescaped(authorization) !== login) return 'nobody may act for another login'
  return nonce.length > NONCE_CHARACTERS_MAX
    ? 'SCRAM with an endless nonce'
    : { login, header, binding: type !== undefined, bare, nonce }
}

// RFC 5802 §5.1: "=2C" and "=3D", and no other "=".
function unescaped(name: string): string | undefined {
  return /=(?!2C|3D)/.test(name) ? undefined : name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

// RFC 5802 §3 and §7: client-final-message = "c=" cbind ",r=" nonce [extensions] ",p=" proof.
function finish(
  message: Buffer,
  first: First,
  { keys, serverFirst }: { keys: ScramKeys; serverFirst: string },
  parts: ScramParts,
): Step {
  const match = /^(c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)(?:,[^,]*)*),p=([A-Za-z0-9+/]{43}=)$/.exec(
    message.toString('latin1'),
  )
  if (match === null) return malformed('SCRAM with an unreadable last message')
  const [, withoutProof = '', binding = '', nonce, proof = ''] = match
  const { login, header } = first
  const expected = Buffer.concat([Buffer.from(header), first.binding ? (parts.channelBinding?.() ?? NOTHING) : NOTHING])
  if (nonce !== `${first.nonce}${parts.nonce}` || binding !== expected.toString('base64'))
    return { kind: 'wrong', login }
  const authMessage = `${first.bare},${serverFirst},${withoutProof}`
  const signature = hmac(keys.storedKey, authMessage)
  const clientKey = Buffer.from(proof, 'base64').map((octet, i) => octet ^ signature[i]!)
  const isRight = timingSafeEqual(createHash('sha256').update(clientKey).digest(), keys.storedKey)
  if (!isRight) return { kind: 'wrong', login }
  return { kind: 'challenge', challenge: Buffer.from(`v=${base64(hmac(keys.serverKey, authMessage))}`) }
}

const NOTHING = Buffer.alloc(0)
const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64')
