/**
 * The token that each outgoing message carries, so that a bounce or a complaint that returns it says, and proves, what it is
 * about (docs/feedback-loops.md):
 *
 *     X-Vorposten-Token: base64url(VDDNNNNNNNNNNNN… …TTTTTTTTTTTTTTTT)
 *
 *     V   version, 1
 *     DD  the day it was made, counted from 1970, big-endian
 *     N   nonce, 12 octets
 *     …   sealed with AES-256-GCM under the key of that day: tenant, login, and whom the message went to
 *     T   the seal, 16 octets
 *
 * It is sealed, not only signed: a login and a hidden recipient (Bcc) are nobody else's business. Padded for the same
 * reason: up to some twenty recipients all tokens have one size. One recipient stands in it as he is, so that a
 * report with its addresses blackened still means him; several as digests, of which nobody can make others.
 *
 * A token speaks for a message, not for who returns it: each of its recipients has it. It proves that this message left
 * through us for these recipients, and nothing else. Pure; days are those of UTC.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync } from 'node:crypto'
import { TOKEN_FIELD } from '#mail/feedback.ts'

/** People complain weeks later; a bounce comes within one. */
export const TOKEN_DAYS = 30
/** RFC 5321 §4.5.3.1.8: what every server takes at a time. Of those beyond a token proves nothing. */
export const TOKEN_RECIPIENTS_MAX = 100
/** Of a field that is read, with its folds. */
export const TOKEN_CHARACTERS_MAX = 4000
/** The clock may have been set back since it was made. */
const CLOCK_SLACK_DAYS = 1
const DAY_MS = 86_400_000

const VERSION = 1
const HEAD_OCTETS = 3
export const NONCE_OCTETS = 12
const SEAL_OCTETS = 16
/** 48 bits: who tries addresses until one fits must have each try believed by us. */
const DIGEST_OCTETS = 6
/** What is sealed has one of these sizes. */
const SEALED_OCTETS = [256, 512, 1024, 2048] as const
const LINES = /.{1,72}/g

export interface Sent {
  readonly tenant: string
  /** Absent: one of the tenant's servers sent it. */
  readonly login?: string
  /** `mailboxKey` of each recipient. */
  readonly recipients: readonly string[]
}

export interface Token {
  readonly tenant: string
  readonly login?: string
  /** Names the message among all of the tenant. */
  readonly nonce: string
  /** The recipient, if there was only one. */
  readonly only?: string
  /** Did the message go to this `mailboxKey`? */
  wentTo(recipient: string): boolean
}

interface Sealed {
  /** Tenant, login, the only recipient, digests (base64). */
  readonly t: string
  readonly l?: string
  readonly o?: string
  readonly d?: string
}

/** Makes and reads the tokens of one secret; keys of days are derived once. */
export class Tokens {
  readonly #secret: Uint8Array
  readonly #keys = new Map<number, Buffer>()

  /** `secret`: 32 octets. */
  constructor(secret: Uint8Array) {
    this.#secret = secret
  }

  /** The header field with its line ends. `nonce`: 12 octets, never the same twice. */
  field(sent: Sent, nonce: Uint8Array, wallMs: number): string {
    const day = dayOf(wallMs)
    const head = headOf(day)
    const cipher = createCipheriv('aes-256-gcm', this.#key(day), nonce)
    cipher.setAAD(head)
    const sealed = Buffer.concat([cipher.update(padded(sealedOf(sent, nonce))), cipher.final()])
    const text = Buffer.concat([head, nonce, sealed, cipher.getAuthTag()]).toString('base64url')
    const lines = text.match(LINES) ?? []
    return `${TOKEN_FIELD}: ${lines.join('\r\n ')}\r\n`
  }

  /** Of a field's value, folded or not. Undefined: not ours, changed, or too old. */
  read(value: string, wallMs: number): Token | undefined {
    if (value.length > TOKEN_CHARACTERS_MAX) return undefined
    const octets = Buffer.from(value.replace(/[\s\x00]+/g, ''), 'base64url')
    const sealedOctets = octets.length - HEAD_OCTETS - NONCE_OCTETS - SEAL_OCTETS
    if (octets[0] !== VERSION || !SEALED_OCTETS.some((one) => one === sealedOctets)) return undefined
    const day = octets.readUInt16BE(1)
    const age = dayOf(wallMs) - day
    if (age > TOKEN_DAYS || age < -CLOCK_SLACK_DAYS) return undefined
    const nonce = octets.subarray(HEAD_OCTETS, HEAD_OCTETS + NONCE_OCTETS)
    const opened = open(octets, nonce, this.#key(day))
    return opened && tokenOf(opened, nonce)
  }

  #key(day: number): Buffer {
    let key = this.#keys.get(day)
    if (key === undefined) {
      if (this.#keys.size > TOKEN_DAYS + CLOCK_SLACK_DAYS + 1) this.#keys.clear()
      key = Buffer.from(hkdfSync('sha256', this.#secret, '', `vorposten feedback token ${day}`, 32))
      this.#keys.set(day, key)
    }
    return key
  }
}

function open(octets: Buffer, nonce: Buffer, key: Buffer): Sealed | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(octets.subarray(0, HEAD_OCTETS))
  decipher.setAuthTag(octets.subarray(-SEAL_OCTETS))
  try {
    const sealed = octets.subarray(HEAD_OCTETS + NONCE_OCTETS, -SEAL_OCTETS)
    return JSON.parse(Buffer.concat([decipher.update(sealed), decipher.final()]).toString()) as Sealed
  } catch {
    // The seal is broken; what is under a whole one, we wrote.
    return undefined
  }
}

function tokenOf({ t, l, o, d }: Sealed, nonce: Buffer): Token {
  const digests = new Set<string>()
  const all = Buffer.from(d ?? '', 'base64url')
  for (let at = 0; at < all.length; at += DIGEST_OCTETS) digests.add(all.toString('hex', at, at + DIGEST_OCTETS))
  return {
    tenant: t,
    ...(l !== undefined && { login: l }),
    nonce: nonce.toString('base64url'),
    ...(o !== undefined && { only: o }),
    wentTo: (recipient) => recipient === o || digests.has(digestOf(recipient, nonce).toString('hex')),
  }
}

function sealedOf({ tenant, login, recipients }: Sent, nonce: Uint8Array): Sealed {
  const [first] = recipients
  const who: Pick<Sealed, 'o' | 'd'> =
    recipients.length === 1 && first !== undefined
      ? { o: first }
      : {
          d: Buffer.concat(recipients.slice(0, TOKEN_RECIPIENTS_MAX).map((one) => digestOf(one, nonce))).toString(
            'base64url',
          ),
        }
  return { t: tenant, ...(login !== undefined && { l: login }), ...who }
}

function padded(sealed: Sealed): Buffer {
  const text = Buffer.from(JSON.stringify(sealed))
  const size = SEALED_OCTETS.find((octets) => octets >= text.length)
  // Names and addresses have limits: the largest holds them all.
  if (size === undefined) throw new Error(`a token of ${text.length} octets`)
  return Buffer.concat([text, Buffer.alloc(size - text.length, ' ')])
}

const headOf = (day: number): Buffer => Buffer.from([VERSION, (day >> 8) & 0xff, day & 0xff])
const dayOf = (wallMs: number): number => Math.floor(wallMs / DAY_MS)
const digestOf = (recipient: string, nonce: Uint8Array): Buffer =>
  hash('sha256', Buffer.concat([nonce, Buffer.from(recipient)]), 'buffer').subarray(0, DIGEST_OCTETS)
