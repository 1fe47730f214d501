/**
 * The account at the end of the demo: what the senders heard, against what lies in the customer's mailboxes, against what
 * the relay says of itself. It must balance: a 250 is a promise, and 4yz and 5yz are promises too.
 */
import type { Delivered } from './customer-server.ts'
import type { Answer, Letter } from './sending-server.ts'

export interface Posted {
  readonly number: number
  readonly subject: string
  readonly letter: Letter
  /** One for each time that the sender tried. */
  readonly answers: Answer[]
}

/** What the relay says of itself. */
export interface RelayFacts {
  /** Messages still in its keeping. */
  readonly kept: number
  /** DSNs that it sent, of all classes. */
  readonly bounces: number
}

export interface Account {
  readonly sent: number
  readonly delivered: number
  readonly refused: number
  /** Asked to come back; of these, some came and were delivered. */
  readonly deferred: number
  readonly cameBack: number
  readonly bounces: number
  /** The relay's own notices to the customer's postmaster. */
  readonly notices: number
  /** What does not balance; empty when all is well. */
  readonly faults: readonly string[]
}

export function account(posted: readonly Posted[], inMailboxes: readonly Delivered[], relay: RelayFacts): Account {
  const mailboxes = inMailboxes.filter((one) => !isNotice(one))
  const accepted = posted.filter((one) => lastCode(one) < 400)
  const refused = posted.filter((one) => lastCode(one) >= 500)
  const deferred = posted.filter(({ answers }) => answers.some(({ reply }) => isDeferral(reply.code)))
  const delivered = accepted.filter((one) => copies(one, mailboxes) > 0)
  const cameBack = deferred.filter((one) => delivered.includes(one))
  const figures = { sent: posted.length, delivered: delivered.length, refused: refused.length }
  const bounces = relay.bounces + mailboxes.filter(({ reversePath }) => reversePath === '').length
  const faults = [
    ...posted.flatMap((one) => letterFaults(one, copies(one, mailboxes))),
    ...strangers(posted, mailboxes),
    ...(relay.kept === 0 ? [] : [`the relay still keeps ${relay.kept}`]),
    ...(bounces === 0 ? [] : [`${bounces} bounces`]),
    ...sumFaults(figures.sent, figures.delivered + figures.refused + deferred.length - cameBack.length),
  ]
  return {
    ...figures,
    deferred: deferred.length,
    cameBack: cameBack.length,
    bounces,
    notices: inMailboxes.length - mailboxes.length,
    faults,
  }
}

/** Written by the relay itself to the postmaster, and no report about anybody's message. */
const isNotice = ({ reversePath, recipients, content }: Delivered): boolean =>
  reversePath === '' &&
  recipients.every((recipient) => recipient.startsWith('postmaster@')) &&
  content.includes('Auto-Submitted: auto-generated') &&
  !content.includes('multipart/report')

const isDeferral = (code: number): boolean => code >= 400 && code < 500
const lastCode = ({ answers }: Posted): number => answers.at(-1)?.reply.code ?? 0

/** The relay puts its trace fields in front; what follows must be the same octets. */
function copies({ letter }: Posted, mailboxes: readonly Delivered[]): number {
  return mailboxes.filter(
    ({ content, recipients, reversePath }) =>
      reversePath === letter.reversePath &&
      recipients.includes(letter.forwardPath) &&
      content.subarray(-letter.content.length).equals(letter.content),
  ).length
}

function letterFaults(one: Posted, arrived: number): string[] {
  const expected = lastCode(one) < 400 ? 1 : 0
  if (arrived === expected) return []
  const heard = one.answers.at(-1)?.reply.line ?? 'nothing'
  return [`message ${one.number}: its sender heard "${heard}", and ${arrived} unchanged copies arrived`]
}

function strangers(posted: readonly Posted[], mailboxes: readonly Delivered[]): string[] {
  const known = posted.reduce((sum, one) => sum + copies(one, mailboxes), 0)
  return known === mailboxes.length ? [] : [`${mailboxes.length - known} messages arrived that nobody sent so`]
}

const sumFaults = (sent: number, sum: number): string[] =>
  sent === sum ? [] : [`${sent} were sent, but delivered, refused and deferred make ${sum}`]
