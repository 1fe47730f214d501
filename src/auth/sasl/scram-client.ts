/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677, RFC 9266), the client's side. The server proves that it knows our
 * keys, or the login is not taken for done.
 *
 * PBKDF2 runs beside the event loop, once for each salt and count of iterations that a server names; the last
 * `SALTED_MAX` results are kept. A count outside `ITERATIONS_MIN` to `ITERATIONS_MAX` is refused. Nothing throws for what a
 * server says: it is answered with a text.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { LoginExchange } from '#smtp/client/contract.ts'
import { preparePassword } from '../prepare-password.ts'

/** RFC 7677 §4. With fewer, whoever plays the server could try out passwords offline in no time. */
export const ITERATIONS_MIN = 4096
/** Some 0.3 s of one core; servers in the field have up to 600,000. A server must not make us work for minutes. */
export const ITERATIONS_MAX = 1_000_000
/** A server has one salt for a login, several hosts may have several. */
const SALTED_MAX = 16
const SALT_OCTETS_MAX = 256
const NONCE_CHARACTERS_MAX = 512
const KEY_OCTETS = 32

const derive = promisify(pbkdf2)

/** The salted password of one login, by salt and iterations. */
export class ScramSecrets {
  readonly #password: string
  readonly #salted = new Map<string, Promise<Buffer>>()

  constructor(password: string) {
    const prepared = preparePassword(password)
    // RFC 5802 §2.2 wants it prepared. One that cannot be may still be what the server has.
    this.#password = prepared.ok ? prepared.password : password
  }

  salted(salt: Buffer, iterations: number): Promise<Buffer> {
    const key = `${iterations} ${salt.toString('base64')}`
    const known = this.#salted.get(key)
    if (known !== undefined) return known
    const made = derive(this.#password, salt, iterations, KEY_OCTETS, 'sha256')
    this.#salted.set(key, made)
    if (this.#salted.size > SALTED_MAX) this.#salted.delete(this.#salted.keys().next().value!)
    return made
  }
}

export interface ScramClientParts {
  readonly mechanism: string
  readonly name: string
  readonly nonce: string
  readonly secrets: ScramSecrets
  /** Without a binding (RFC 5802 §6): we cannot bind, or we could and the server did not offer it. */
  readonly flag: 'n' | 'y'
  readonly binding?: () => Buffer
}

export function scramExchange(parts: ScramClientParts): LoginExchange {
  const { mechanism, name, nonce, secrets, flag, binding } = parts
  const header = `${binding ? 'p=tls-exporter' : flag},,`
  const bare = `n=${escaped(name)},r=${nonce}`
  let state: 'first' | 'proving' | 'final' | 'proved' = 'first'
  let signature: Buffer | undefined

  async function prove(message: string): Promise<Buffer | string> {
    const first = readServerFirst(message, nonce)
    if (typeof first === 'string') return first
    const bound = Buffer.concat([Buffer.from(header), binding?.() ?? Buffer.alloc(0)]).toString('base64')
    const withoutProof = `c=${bound},r=${first.nonce}`
    const authMessage = `${bare},${message},${withoutProof}`
    const salted = await secrets.salted(first.salt, first.iterations)
    const clientKey = hmac(salted, 'Client Key')
    const mask = hmac(createHash('sha256').update(clientKey).digest(), authMessage)
    signature = hmac(hmac(salted, 'Server Key'), authMessage)
    state = 'final'
    const proof = clientKey.map((octet, i) => octet ^ mask[i]!)
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  }

  function finish(message: string): Buffer | string {
    const said = /^v=([A-Za-z0-9+/]{43}=)(?:,.*)?$/.exec(message)?.[1]
    if (said === undefined) return 'the last message of the server is not readable'
    if (!timingSafeEqual(Buffer.from(said, 'base64'), signature!))
      return 'the server does not know the keys of the login'
    state = 'proved'
    return Buffer.alloc(0)
  }

  return {
    mechanism,
    initial: Buffer.from(header + bare),
    answer(challenge) {
      const message = challenge.toString('latin1')
      if (state === 'final') return Promise.resolve(finish(message))
      if (state !== 'first') return Promise.resolve('the server goes on after the end')
      state = 'proving'
      return prove(message)
    },
    get proved() {
      return state === 'proved'
    },
  }
}

interface ServerFirst {
  readonly nonce: string
  readonly salt: Buffer
  readonly iterations: number
}

// RFC 5802 §7: server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]. "m=" must fail.
function readServerFirst(message: string, ours: string): ServerFirst | string {
  const match = /^r=([!-+\--~]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})(?:,.*)?$/.exec(message)
  if (match === null) return 'the first message of the server is not readable'
  const [, nonce = '', salt = '', count = ''] = match
  if (!nonce.startsWith(ours) || nonce.length === ours.length) return 'the server answers somebody else: not our nonce'
  if (nonce.length > NONCE_CHARACTERS_MAX) return 'the nonce of the server is too long'
  const octets = Buffer.from(salt, 'base64')
  if (octets.length === 0 || octets.length > SALT_OCTETS_MAX) return 'the salt of the server has an unusable length'
  const iterations = Number(count)
  if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
    return `the server wants ${iterations} iterations; ${ITERATIONS_MIN} to ${ITERATIONS_MAX} are allowed`
  }
  return { nonce, salt: octets, iterations }
}

// RFC 5802 §5.1.
const escaped = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C')
const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
