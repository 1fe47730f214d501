/**
 * Release to another address: may these held recipients of a message go there, what changes, and what does the next hop
 * hear of it? Pure.
 *
 * As with an alias (RFC 5321 §3.9.1) only the address in the envelope is replaced: reverse-path and content stay. The new
 * address is of a domain that the same tenant has with us, or mail of one customer would reach another, or leave as if
 * we sent it. It cannot run in a circle by itself: only an operator redirects, never to an address that the message has, and what
 * another server sends back to us has our Received fields (RFC 5321 §6.3).
 */
import { type ForwardPath, type Mailbox, mailboxKey, mailboxText, parseMailbox, pathText } from '#mail/address.ts'
import type { Envelope } from '#mail/envelope.ts'
import type { Change, QueueEntry, StoredMessage } from '#mail/stored.ts'
import { encodeUtf8Address, encodeXtext } from '#smtp/server/xtext.ts'
import type { ServedDomain } from '#tenant/directory.ts'

export interface RedirectOrder {
  readonly to: string
  /** Only this recipient; without it every held one. */
  readonly recipient?: string | undefined
}

export type RedirectPlan =
  | { readonly kind: 'refused'; readonly text: string }
  | {
      readonly kind: 'change'
      readonly change: Extract<Change, { kind: 'redirect' }>
      /** One line for log and trace. */
      readonly text: string
    }

const refused = (text: string): RedirectPlan => ({ kind: 'refused', text })

export function planRedirect(
  entry: QueueEntry,
  message: StoredMessage,
  order: RedirectOrder,
  domain: (ascii: string) => ServedDomain | undefined,
  nowMs: number,
): RedirectPlan {
  const goal = goalOf(order.to, entry.tenant, domain)
  if (typeof goal === 'string') return refused(goal)
  const chosen = chosenOf(message, order.recipient)
  if (typeof chosen === 'string') return refused(chosen)
  const { mailbox, served } = goal
  const forwardPath: ForwardPath = { kind: 'mailbox', mailbox }
  const obstacle = alreadyThere(message, mailbox, chosen) ?? leftBehind(entry, message, chosen, served.route.id)
  if (obstacle !== undefined) return refused(obstacle)
  const from = chosen.map((i) => pathText(message.envelope.recipients[i]!.forwardPath)).join(', ')
  const to = pathText(forwardPath)
  return {
    kind: 'change',
    change: {
      kind: 'redirect',
      atMs: nowMs,
      recipients: chosen,
      forwardPath,
      route: served.route.id,
      nextAttemptMs: nowMs,
      text: `released to ${to}, which gets one copy`,
    },
    text: `${from} goes to ${to} by ${served.route.id}`,
  }
}

/**
 * The envelope with the address that a redirected recipient had at first as its ORCPT, unless the sender gave one: RFC 3461
 * §5.2.1 lets a relay add it, and with it whoever reports on the mail can say whom it was for.
 */
export function envelopeToSend({ envelope, redirected = [] }: StoredMessage): Envelope {
  if (redirected.length === 0) return envelope
  const recipients = envelope.recipients.map((recipient, i) => {
    const original = redirected.find((one) => one.recipient === i)?.original
    const orcpt = recipient.orcpt ?? (original && orcptOf(original))
    return orcpt === undefined ? recipient : { ...recipient, orcpt }
  })
  return { ...envelope, recipients }
}

// <Postmaster> without a domain names nobody in a report of another host. A path is so short that the 500 characters of
// RFC 3461 §4.2 are enough for each of them, escaped.
function orcptOf(path: ForwardPath): string | undefined {
  if (path.kind === 'postmaster') return undefined
  const text = mailboxText(path.mailbox)
  return path.mailbox.internationalized ? `utf-8;${encodeUtf8Address(text)}` : `rfc822;${encodeXtext(text)}`
}

/** An address of a domain that the tenant has with us, or why it is none. */
export function goalOf(
  text: string,
  tenant: string,
  domain: (ascii: string) => ServedDomain | undefined,
): { mailbox: Mailbox; served: ServedDomain } | string {
  const parsed = parseMailbox(text)
  if (!parsed.ok || parsed.end !== text.length) return `${text} is no address: write anna@bakery.example`
  const mailbox = parsed.value
  const served = mailbox.domain.kind === 'name' ? domain(mailbox.domain.ascii) : undefined
  // Whether another tenant has it is not the business of this one.
  if (served?.tenant.name !== tenant) return `${text} is of no domain that ${tenant} has with us`
  const { recipients } = served
  const key = mailboxKey(mailbox)
  const isPostmaster = mailbox.localPart.toLowerCase() === 'postmaster'
  if (recipients.kind === 'listed' && !isPostmaster && !recipients.keys.has(key)) {
    return `${text} is not on the list of recipients of ${served.name}`
  }
  return { mailbox, served }
}

function chosenOf(message: StoredMessage, recipient: string | undefined): readonly number[] | string {
  const held = message.recipients.flatMap((state, i) => (state.kind === 'held' ? [i] : []))
  if (held.length === 0) return 'not held'
  if (recipient === undefined) return held
  const parsed = parseMailbox(recipient)
  const wanted = parsed.ok ? mailboxKey(parsed.value) : undefined
  const chosen = held.filter((i) => {
    const { forwardPath } = message.envelope.recipients[i]!
    return forwardPath.kind === 'postmaster'
      ? recipient.toLowerCase() === 'postmaster'
      : mailboxKey(forwardPath.mailbox) === wanted
  })
  return chosen.length === 0 ? `no held recipient ${recipient}` : chosen
}

// Nobody gets it twice, and nothing is sent where it was refused: for that there is a plain release.
function alreadyThere(message: StoredMessage, mailbox: Mailbox, chosen: readonly number[]): string | undefined {
  const key = mailboxKey(mailbox)
  const isIt = (path: ForwardPath) => path.kind === 'mailbox' && mailboxKey(path.mailbox) === key
  for (const [i, { forwardPath }] of message.envelope.recipients.entries()) {
    if (!isIt(forwardPath)) continue
    if (chosen.includes(i)) return `${pathText(forwardPath)} is where it was held: release it without --to`
    const state = message.recipients[i]?.kind
    if (state !== 'dropped') return `${pathText(forwardPath)} is a recipient of this message already (${state})`
  }
  return undefined
}

// A message has one route. Those that stay behind would take it as well, to a server that does not know them.
function leftBehind(
  entry: QueueEntry,
  message: StoredMessage,
  chosen: readonly number[],
  route: string,
): string | undefined {
  if (route === entry.route) return undefined
  const others = message.envelope.recipients.filter((_, i) => {
    const state = message.recipients[i]?.kind
    return !chosen.includes(i) && (state === 'pending' || state === 'held')
  })
  if (others.length === 0) return undefined
  const names = others.map(({ forwardPath }) => pathText(forwardPath)).join(', ')
  return (
    `the new address takes route ${route}, and ${names} must stay on ${entry.route}: a message has one route. ` +
    'Redirect all of them together (without --recipient), or let the others be delivered first'
  )
}
