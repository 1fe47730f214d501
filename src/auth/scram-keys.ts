/**
 * The keys of SCRAM-SHA-256 (RFC 5802 §3, RFC 7677): made when a password is set, so that it can be proved without being
 * sent. Whoever steals them may guess passwords with PBKDF2, which is weaker than argon2id: hence the many iterations.
 */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { ScramKeys } from './credentials.ts'

/** RFC 7677 §4 wants 4096 at least. Clients with Cyrus SASL refuse more than 65,536; the client does the work. */
export const SCRAM_ITERATIONS = 60_000

const SALT_OCTETS = 16
const KEY_OCTETS = 32

const derive = promisify(pbkdf2)

const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** For a prepared password. */
export async function scramKeysOf(
  password: string,
  salt: Uint8Array = randomBytes(SALT_OCTETS),
  iterations = SCRAM_ITERATIONS,
): Promise<ScramKeys> {
  const salted = await derive(password, salt, iterations, KEY_OCTETS, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
  return { salt, iterations, storedKey, serverKey: hmac(salted, 'Server Key') }
}

/** Of a login that does not exist: the same at every question, in every worker, after every restart; no password fits. */
export function nobodysScramKeys(login: string, secret: Uint8Array): ScramKeys {
  return {
    salt: hmac(secret, `salt ${login}`).subarray(0, SALT_OCTETS),
    iterations: SCRAM_ITERATIONS,
    storedKey: hmac(secret, `stored key ${login}`),
    serverKey: hmac(secret, `server key ${login}`),
  }
}
