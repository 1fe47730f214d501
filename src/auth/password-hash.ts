/**
 * Passwords as they are kept: argon2id (RFC 9106) in a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`. A check takes
 * its cost from the string, so the cost of new ones may change at any time.
 *
 * Memory in KiB. A string that is no such thing, or costs more than `COST_MAX`, is not read: undefined. Work runs in
 * libuv's threads; it rejects only for want of memory.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

export interface HashCost {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

/**
 * OWASP's second choice of equal strength. RFC 9106 §4 recommends 64 MiB with three passes; a relay checks many passwords
 * at once beside its mail, and 19 MiB are as hard for a guesser where the check is throttled.
 */
export const HASH_COST: HashCost = { memoryKib: 19 * 1024, passes: 2, lanes: 1 }

/** What a string from elsewhere may ask for: about a second. */
export const COST_MAX: HashCost = { memoryKib: 256 * 1024, passes: 16, lanes: 16 }

/** RFC 9106 §4 */
const SALT_OCTETS = 16
const HASH_OCTETS = 32

export interface PasswordHash extends HashCost {
  readonly salt: Buffer
  readonly hash: Buffer
}

const argon2id = promisify(argon2)

const derive = (password: string, { memoryKib, passes, lanes }: HashCost, salt: Uint8Array, tagLength: number) =>
  argon2id('argon2id', { message: password, nonce: salt, parallelism: lanes, tagLength, memory: memoryKib, passes })

/** A new string for a prepared password. */
export async function hashPassword(password: string, cost: HashCost = HASH_COST): Promise<string> {
  const salt = randomBytes(SALT_OCTETS)
  return hashText({ ...cost, salt, hash: await derive(password, cost, salt, HASH_OCTETS) })
}

export async function passwordFits(password: string, kept: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, kept, kept.salt, kept.hash.length), kept.hash)
}

/** As much work as a check, for a login that does not exist. No password fits. */
export const nobodysHash = (): PasswordHash => ({
  ...HASH_COST,
  salt: randomBytes(SALT_OCTETS),
  hash: randomBytes(HASH_OCTETS),
})

export const hashText = ({ memoryKib, passes, lanes, salt, hash }: PasswordHash): string =>
  `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${bare(salt)}$${bare(hash)}`

const FORM =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,9})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/

export function readHash(text: string): PasswordHash | undefined {
  const [, m, t, p, saltText = '', hashText = ''] = FORM.exec(text) ?? []
  const cost = { memoryKib: Number(m), passes: Number(t), lanes: Number(p) }
  // RFC 9106 §3.1: 8 KiB for each lane.
  if (!(withinLimits(cost) && cost.memoryKib >= 8 * cost.lanes)) return undefined
  const salt = octetsOf(saltText)
  const hash = octetsOf(hashText)
  return salt && hash && { ...cost, salt, hash }
}

const withinLimits = ({ memoryKib, passes, lanes }: HashCost): boolean =>
  memoryKib <= COST_MAX.memoryKib && passes <= COST_MAX.passes && lanes <= COST_MAX.lanes

/** Base64 without padding, as the strings have it. */
const bare = (octets: Buffer): string => octets.toString('base64').replace(/=+$/, '')

// One spelling for each value: no bits behind the last octet.
function octetsOf(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64')
  return bare(octets) === text ? octets : undefined
}
