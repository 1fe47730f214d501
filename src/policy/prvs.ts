/**
 * Signed reverse-paths: `prvs=KDDDSSSSSS=anna@bakery.example` (BATV, draft-levine-smtp-batv-01, simple private signature).
 *
 *     K       number of the key, one digit
 *     DDD     the day on which the tag ends, counted from 1970, modulo 1000
 *     SSSSSS  the first three octets of HMAC-SHA1(key, K DDD mailbox), in hexadecimal
 *
 * Servers on the way may change the case of a local part, so the mailbox is signed in its key form and hexadecimal digits
 * are taken in either case. A tag is valid for `TAG_DAYS`. Pure; days are those of UTC.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { LOCAL_PART_OCTETS_MAX, type Mailbox, mailboxKey } from '#mail/address.ts'

/** Longer than anybody tries to deliver (RFC 5321 §4.5.4.1: 4 to 5 days). */
export const TAG_DAYS = 7
/** A tag may end this many days later than today's would: the clock may have been set back since it was made. */
const CLOCK_SLACK_DAYS = 1
const DAY_MS = 86_400_000
const DAYS_MODULUS = 1000

const TAGGED = /^prvs=(\d)(\d{3})([0-9a-f]{6})=(.+)$/is

export interface Tag {
  readonly keyNumber: number
  /** Modulo 1000. */
  readonly endDay: number
  /** Hexadecimal. */
  readonly signature: string
  /** Without the tag. */
  readonly mailbox: Mailbox
}

/** The parts of a tagged mailbox; undefined if it has no tag. Says nothing about the signature. */
export function readTag(mailbox: Mailbox): Tag | undefined {
  const match = TAGGED.exec(mailbox.localPart)
  if (match === null) return undefined
  const [, keyNumber, endDay, signature, localPart] = match as unknown as [string, string, string, string, string]
  return { keyNumber: Number(keyNumber), endDay: Number(endDay), signature, mailbox: { ...mailbox, localPart } }
}

export type TagFault = 'untagged' | 'no-such-key' | 'expired' | 'forged'
export type TagCheck =
  | { readonly ok: true; readonly mailbox: Mailbox }
  | { readonly ok: false; readonly fault: TagFault }

export function checkTag(mailbox: Mailbox, keys: ReadonlyMap<number, Uint8Array>, wallMs: number): TagCheck {
  const tag = readTag(mailbox)
  if (tag === undefined) return { ok: false, fault: 'untagged' }
  const key = keys.get(tag.keyNumber)
  if (key === undefined) return { ok: false, fault: 'no-such-key' }
  const expected = Buffer.from(signature(key, tag.keyNumber, tag.endDay, tag.mailbox), 'hex')
  // The length is fixed by the pattern; the time tells nothing of how much was right.
  if (!timingSafeEqual(expected, Buffer.from(tag.signature, 'hex'))) return { ok: false, fault: 'forged' }
  const daysLeft = (tag.endDay - (dayOf(wallMs) % DAYS_MODULUS) + DAYS_MODULUS) % DAYS_MODULUS
  if (daysLeft > TAG_DAYS + CLOCK_SLACK_DAYS) return { ok: false, fault: 'expired' }
  return { ok: true, mailbox: tag.mailbox }
}

/** Undefined: the mailbox has a tag already, or its local part would become too long (RFC 5321 §4.5.3.1.1). */
export function withTag(mailbox: Mailbox, keyNumber: number, key: Uint8Array, wallMs: number): Mailbox | undefined {
  if (readTag(mailbox) !== undefined || !isTaggable(mailbox)) return undefined
  const endDay = (dayOf(wallMs) + TAG_DAYS) % DAYS_MODULUS
  const tag = `prvs=${keyNumber}${dayText(endDay)}${signature(key, keyNumber, endDay, mailbox)}=`
  return { ...mailbox, localPart: tag + mailbox.localPart }
}

const TAG_OCTETS = 'prvs=KDDDSSSSSS='.length

/** Whether a tag leaves the local part within its limit. Quotes and backslashes count as they are written. */
export const isTaggable = ({ localPart }: Mailbox): boolean =>
  Buffer.byteLength(localPart) + TAG_OCTETS + 2 + (localPart.match(/["\\]/g)?.length ?? 0) <= LOCAL_PART_OCTETS_MAX

const dayOf = (wallMs: number): number => Math.floor(wallMs / DAY_MS)
const dayText = (day: number): string => String(day).padStart(3, '0')

const signature = (key: Uint8Array, keyNumber: number, endDay: number, mailbox: Mailbox): string =>
  createHmac('sha1', key)
    .update(`${keyNumber}${dayText(endDay)}${mailboxKey(mailbox)}`)
    .digest('hex')
    .slice(0, 6)
