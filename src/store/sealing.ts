/**
 * What the database keeps secret is encrypted (AES-256-GCM) under a key that is not in it, and bound to what it is about:
 * a value that somebody moves to another row, another domain or another tenant does not open any more.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Octets of a master key's secret, at least. */
export const SECRET_OCTETS_MIN = 16

const VERSION = 1
const CIPHER = 'aes-256-gcm'
const NONCE_OCTETS = 12
const TAG_OCTETS = 16
const KEY_OCTETS = 32

export class MasterKey {
  /** Tells one key from another, and nothing about it. */
  readonly id: string
  readonly #key: Buffer
  readonly #macKey: Buffer

  constructor(secret: Uint8Array) {
    if (secret.length < SECRET_OCTETS_MIN) throw new RangeError(`a master key has ${SECRET_OCTETS_MIN} octets at least`)
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'vorposten sealing', KEY_OCTETS))
    this.#macKey = Buffer.from(hkdfSync('sha256', secret, '', 'vorposten mac', KEY_OCTETS))
    this.id = Buffer.from(hkdfSync('sha256', secret, '', 'vorposten sealing id', 6)).toString('hex')
  }

  /** `about`: what the value belongs to, in full. */
  seal(plain: Uint8Array, about: readonly string[]): Buffer {
    // Random nonces are good for 2^32 values under one key (NIST SP 800-38D §8.3).
    const nonce = randomBytes(NONCE_OCTETS)
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_OCTETS })
    cipher.setAAD(associated(about))
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
    return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), sealed])
  }

  /** HMAC-SHA-256 over what it is about, under a key of its own: tokens that need not be kept anywhere. */
  mac(about: readonly string[]): Buffer {
    return createHmac('sha256', this.#macKey).update(associated(about)).digest()
  }

  /** Undefined: sealed with another key, about something else, or damaged. */
  open(sealed: Uint8Array, about: readonly string[]): Buffer | undefined {
    const start = 1 + NONCE_OCTETS + TAG_OCTETS
    if (sealed.length < start || sealed[0] !== VERSION) return undefined
    const nonce = sealed.subarray(1, 1 + NONCE_OCTETS)
    const decipher = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_OCTETS })
    decipher.setAAD(associated(about))
    decipher.setAuthTag(sealed.subarray(1 + NONCE_OCTETS, start))
    try {
      return Buffer.concat([decipher.update(sealed.subarray(start)), decipher.final()])
    } catch {
      return undefined
    }
  }
}

// As JSON, in which no two lists are the same text.
const associated = (about: readonly string[]): Buffer => Buffer.from(JSON.stringify([VERSION, ...about]))
