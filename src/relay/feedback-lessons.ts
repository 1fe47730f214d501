/**
 * From a bounce or a complaint to what may be learned of it: whom it is about, and what proves that the message left through
 * us for him. What such a message says counts for nothing by itself: everybody can write one. It counts for a recipient
 * of whom the token in the returned message says that it went to him; a bounce also, where the tenant keeps a record of what
 * it sent, for one that is on record with that Message-ID. Pure but for the record.
 */
import { mailboxKey, parseMailbox } from '#mail/address.ts'
import type { FeedbackAbout, Lesson } from '#mail/feedback.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { type Dsn, type DsnRecipient, type FeedbackReport, printable } from '#mime/automatic/automatic-mail.ts'
import type { Token } from '#policy/feedback-token.ts'
import { bounceKind } from './bounce-kind.ts'
import { wentToFact } from './message-facts.ts'

/** Of one bounce or report. RFC 5321 §4.5.3.1.8: a message that left has seldom more. */
export const LESSONS_MAX = 100
const TEXT_CHARACTERS_MAX = 200

/** A bounce or report that came in. */
export interface Came {
  readonly id: TraceId
  /** Who says so, for people. */
  readonly from: string
}

/** What of it is not proved, for the trace. */
export interface Unproven {
  readonly about: FeedbackAbout
  readonly address?: string
  readonly text: string
}

export interface Found {
  readonly lessons: readonly Lesson[]
  readonly unproven: readonly Unproven[]
}

/** Is this fact of mail that the tenant sent on record? Undefined: nobody knows. */
export type OnRecord = (facts: readonly string[]) => Promise<readonly (boolean | undefined)[]>

/** `token`: a genuine one of this tenant. `onRecord`: absent where the tenant keeps no record. */
export async function bounceLessons(
  tenant: string,
  dsn: Dsn,
  came: Came,
  token: Token | undefined,
  onRecord?: OnRecord,
): Promise<Found> {
  const said = dsn.recipients.slice(0, LESSONS_MAX).flatMap((recipient) => {
    const kind = bounceKind(recipient)
    return kind === undefined ? [] : [{ about: `${kind}-bounce` as const, recipient }]
  })
  const known = token === undefined ? await recorded(dsn, said, onRecord) : new Set<string>()
  const lessons: Lesson[] = []
  const unproven: Unproven[] = []
  for (const { about, recipient } of said) {
    const text = textOf(recipient)
    const keys = keysOf(recipient)
    const named = keys.find((key) => token?.wentTo(key) ?? known.has(key))
    // A report that names nobody readable can mean only one.
    const address = named ?? (keys.length === 0 && said.length === 1 ? token?.only : undefined)
    if (address === undefined) unproven.push({ about, ...(keys[0] !== undefined && { address: keys[0] }), text })
    else lessons.push(lesson({ tenant, about, address, text, came, message: dsn.originalMessageId ?? '', token }))
  }
  return { lessons, unproven }
}

async function recorded(
  { originalMessageId }: Dsn,
  said: readonly { readonly recipient: DsnRecipient }[],
  onRecord: OnRecord | undefined,
): Promise<ReadonlySet<string>> {
  const keys = [...new Set(said.flatMap(({ recipient }) => keysOf(recipient)))]
  if (onRecord === undefined || originalMessageId === undefined || keys.length === 0) return new Set()
  const answers = await onRecord(keys.map((key) => wentToFact(originalMessageId, key)))
  return new Set(keys.filter((_, i) => answers[i] === true))
}

/** A complaint always counts for the login that sent it; whom it is from must be proved like everything else. */
export function complaintLessons(feedback: FeedbackReport, came: Came, token: Token): readonly Lesson[] {
  const { tenant, only } = token
  const text = printable(
    `${feedback.type} report${feedback.sourceIp === undefined ? '' : ` about mail from ${feedback.sourceIp}`}`,
  )
  const of = { tenant, about: 'complaint', text, came, message: '', token } as const
  const named = proven(feedback.originalRecipients, token)
  if (named.length > 0) return named.slice(0, LESSONS_MAX).map((address) => lesson({ ...of, address }))
  // Who blackens or rewrites the address complains all the same, and the message had but one recipient.
  const returned = proven(feedback.returnedRecipients ?? [], token)
  const address = only ?? (returned.length === 1 ? returned[0] : undefined)
  return [lesson({ ...of, ...(address !== undefined && { address }) })]
}

const proven = (texts: readonly string[], token: Token): string[] => [
  ...new Set(
    texts
      .slice(0, LESSONS_MAX)
      .flatMap((text) => keyOf(text) ?? [])
      .filter((key) => token.wentTo(key)),
  ),
]

interface Proven {
  readonly tenant: string
  readonly about: FeedbackAbout
  readonly address?: string
  readonly text: string
  readonly came: Came
  /** The Message-ID, where there is no token. */
  readonly message: string
  readonly token: Token | undefined
}

function lesson({ tenant, about, address, text, came, message, token }: Proven): Lesson {
  const proof = token === undefined ? 'sent-record' : 'token'
  return {
    about,
    tenant,
    ...(token?.login !== undefined && { login: token.login }),
    ...(address !== undefined && { address }),
    proof,
    text: printable(text, TEXT_CHARACTERS_MAX),
    evidence: printable(`${came.id} from ${came.from}, by ${PROOFS[proof]}`, TEXT_CHARACTERS_MAX),
    once: `${token?.nonce ?? message} ${about} ${address ?? ''}`,
  }
}

const PROOFS = { token: 'the token in our message', 'sent-record': 'the record of what was sent' } as const

const textOf = ({ status, diagnostic }: DsnRecipient): string =>
  diagnostic?.includes(status) ? diagnostic : `${status} ${diagnostic ?? ''}`

function keysOf({ recipient, originalRecipient }: DsnRecipient): string[] {
  return [originalRecipient, recipient].flatMap((text) => (text === undefined ? [] : (keyOf(text) ?? [])))
}

function keyOf(text: string): string | undefined {
  const read = parseMailbox(text)
  return read.ok ? mailboxKey(read.value) : undefined
}
