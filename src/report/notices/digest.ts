/**
 * The digest of held mail: what we took, could not deliver and did not bounce; why; and how the postmaster decides.
 * Limits: rows, recipients and characters of what strangers wrote, named below.
 */
import { type ForwardPath, mailboxText, pathText, type ReversePath } from '#mail/address.ts'
import { domainForReading, domainText } from '#mail/domain.ts'
import type { HeldDigest, HeldMessage, HeldRecipient } from '#mail/notice.ts'
import { fieldText } from '#mime/decoded-text.ts'
import {
  address,
  type Block,
  code,
  type Document,
  foreign,
  heading,
  LINE,
  list,
  type Piece,
  type Pieces,
  paragraph,
} from './document.ts'
import { shown, withoutLinks } from './harmless.ts'
import { touches } from './prerequisites.ts'
import type { Telling } from './telling.ts'

/** More than anybody decides by mail; the rest is counted. */
export const ROWS_MAX = 50
const RECIPIENTS_MAX = 5
const SUBJECT_CHARS_MAX = 120
const ADDRESS_CHARS_MAX = 120
const REPLY_CHARS_MAX = 300

export function digestDocument(digest: HeldDigest, telling: Telling): Document {
  const { words, language, count, hostname } = telling
  const { digest: say, common } = words
  const news = count(digest.newHeld)
  const rows = digest.messages.slice(0, ROWS_MAX)
  const hidden = digest.newHeld - rows.length
  const others = digest.allHeld - digest.newHeld
  return {
    language,
    subject: say.subject(news, digest.tenant),
    blocks: [
      paragraph(say.opening(news, hostname)),
      paragraph(say.noBounce, ' ', rows.some(hasEnd) ? say.keptForAWhile : say.kept),
      ...(others > 0 ? [paragraph(say.all(count(digest.allHeld)))] : []),
      {
        kind: 'table',
        caption: say.caption,
        columns: say.columns,
        rows: rows.map((message) => row(message, telling)),
      },
      ...(hidden > 0 ? [paragraph(`${say.more(count(hidden))} `, code(listCommand(digest)))] : []),
      heading(common.whatToDo),
      ...advice(rows, telling),
      paragraph(say.decide),
      ...commands(digest, telling),
      paragraph(...common.closing(hostname)),
    ],
  }
}

const hasEnd = ({ keptUntilMs }: HeldMessage): boolean => keptUntilMs !== undefined

const listCommand = ({ tenant }: HeldDigest): string => `vorposten queue list --tenant ${tenant} --state held`

function row(message: HeldMessage, telling: Telling): Pieces[] {
  const { words, figures } = telling
  const { digest: say } = words
  const { id, subject, reversePath, receivedMs, octets, keptUntilMs } = message
  const title = subject === undefined ? '' : titleOf(subject)
  return [
    [title === '' ? say.noSubject : foreign(title), LINE, code(id)],
    [reversePath.kind === 'null' ? say.nobody : shownPath(reversePath)],
    recipients(message.recipients, telling),
    [figures.shortMoment(receivedMs), LINE, figures.size(octets)],
    why(message.recipients, telling),
    [keptUntilMs === undefined ? say.keptForever : figures.shortMoment(keptUntilMs)],
  ]
}

function titleOf(field: string): string {
  const unfolded = field.replace(/\r\n(?=[ \t])/g, '')
  return withoutLinks(shown(fieldText(unfolded), SUBJECT_CHARS_MAX))
}

function shownPath(path: ReversePath | ForwardPath): Piece {
  if (path.kind !== 'mailbox') return address(pathText(path).slice(1, -1))
  // The local part as it is written on the wire, the domain as people know it.
  const { domain } = path.mailbox
  const wire = mailboxText(path.mailbox)
  const local = wire.slice(0, wire.length - domainText(domain).length)
  return address(shown(local + domainForReading(domain), ADDRESS_CHARS_MAX))
}

function recipients(all: readonly HeldRecipient[], { words, count }: Telling): Pieces {
  const some = all.slice(0, RECIPIENTS_MAX).map(({ forwardPath }) => shownPath(forwardPath))
  const hidden = all.length - some.length
  const more = hidden > 0 ? [words.common.andMore(count(hidden))] : []
  return [...some, ...more].flatMap((piece, i) => (i === 0 ? [piece] : [LINE, piece]))
}

/** Each reason once, since recipients of one message mostly share it; where they do not, it is said whose it is. */
function why(all: readonly HeldRecipient[], telling: Telling): Pieces {
  const { words } = telling
  const groups = [...Map.groupBy(all, ({ reason, text }) => `${reason} ${text}`).values()]
  return groups.slice(0, RECIPIENTS_MAX).flatMap((group, i) => {
    const [{ reason, text }] = group as [HeldRecipient]
    const said = shown(text, REPLY_CHARS_MAX)
    const because = words.digest.why[reason]
    const quoted: Pieces = said === '' || reason === 'operator' ? [`${because}.`] : [`${because}: `, foreign(said)]
    const whose = groups.length === 1 ? [] : [...recipients(group, telling).map(asComma), ': ']
    return [...(i === 0 ? [] : [LINE]), ...whose, ...quoted]
  })
}

const asComma = (piece: Piece): Piece => (piece === LINE ? ', ' : piece)

function advice(rows: readonly HeldMessage[], { words }: Telling): Block[] {
  const touched = new Set(rows.flatMap((message) => message.recipients.map(touches)))
  const order = ['unknown-recipients', 'content-rejection', 'availability', 'loop', 'other-refusal'] as const
  const items = order.filter((one) => touched.has(one)).map((one): Pieces => [words.digest.advice[one]])
  return items.length === 0 ? [] : [list(...items)]
}

function commands({ tenant, messages }: HeldDigest, { words }: Telling): Block[] {
  const { operator, release, requeue, redirect, remove, placeholders } = words.digest
  const [first] = messages
  if (first === undefined) return []
  const { id } = first
  return [
    paragraph(operator(messages.length > 1)),
    {
      kind: 'commands',
      rows: [
        [release, `vorposten queue release ${id}`],
        [requeue, `vorposten queue requeue ${id} --to ${tenant}/${placeholders.route}`],
        [redirect, `vorposten queue release ${id} --to ${placeholders.address}`],
        [remove, `vorposten queue delete ${id}`],
      ],
    },
  ]
}
