/**
 * Who a message says it is from, and whom it says it is for, as the rules about links and texts need them: the mailboxes of the
 * header section (header.ts) with what is known of their domains; and addresses that stand in a text.
 */
import type { SenderMailbox } from './header.ts'
import { type Site, siteOf } from './links.ts'
import type { SpamMessage } from './message.ts'

/** Of a text. */
const ADDRESSES_MAX = 20

export interface Mailbox {
  /** As shown; empty if there is none. */
  readonly name: string
  /** Lower case; empty if there is none. */
  readonly address: string
  /** Lower case, A-labels or as written. */
  readonly domain: string
  /** Undefined for a domain that nobody can have registered. */
  readonly site: Site | undefined
}

export interface Parties {
  readonly from: Mailbox
  readonly replyTo: Mailbox | undefined
  /** Addresses that it says it is for; without those of the envelope. */
  readonly to: readonly string[]
}

const read = new WeakMap<SpamMessage, Parties>()

export function partiesOf(message: SpamMessage): Parties {
  const before = read.get(message)
  if (before !== undefined) return before
  const { from, replyTo, recipients } = message.header
  const parties: Parties = {
    from: mailboxOf(from),
    replyTo: replyTo[0] && mailboxOf(replyTo[0]),
    to: recipients.map(({ address }) => address).filter((address) => address !== ''),
  }
  read.set(message, parties)
  return parties
}

const mailboxOf = ({ display: name, address, domain }: SenderMailbox): Mailbox => ({
  ...{ name, address, domain },
  site: domain === '' ? undefined : siteOf(domain),
})

const BEFORE = /[^\s<>,;:"()[\]\\@]{1,64}$/
const BEHIND = /^(?:[a-z0-9\u0080-\uffff_-]{1,63}\.){1,9}[a-z0-9\u0080-\uffff-]{2,63}/i

/** Lower case, the first of them. */
export function addressesIn(text: string): string[] {
  const found: string[] = []
  for (let at = text.indexOf('@'); at >= 0 && found.length < ADDRESSES_MAX; at = text.indexOf('@', at + 1)) {
    const local = BEFORE.exec(text.slice(Math.max(0, at - 64), at))?.[0]
    const domain = local === undefined ? undefined : BEHIND.exec(text.slice(at + 1, at + 256))?.[0]
    if (domain !== undefined) found.push(`${local}@${domain}`.toLowerCase())
  }
  return found
}
