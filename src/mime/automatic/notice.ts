/**
 * The notice of a bounce, apart from the message that it returns: the text that the reporter wrote, and where the original
 * begins, as a part of its own or behind a line like "Below this line is a copy of the message".
 *
 * The two must be told apart before anybody reads: an address in the returned message is not a failed recipient.
 */
import { TOKEN_FIELD } from '#mail/feedback.ts'
import { fromCharset, partText, transferEncoding } from '../decoded-text.ts'
import { type Part, readFields, type Structure, type TextField } from '../structure.ts'
import type { ReturnedMessage } from './automatic-mail.ts'

/** Of the notice, in lines. The longest ones carry an SMTP transcript. */
export const NOTICE_LINES_MAX = 2000
/** Of the notice, in characters. */
export const NOTICE_CHARACTERS_MAX = 64 * 1024
/** Of the returned header section that is read, in octets. */
const RETURNED_HEADER_OCTETS_MAX = 64 * 1024

export interface Notice {
  readonly lines: readonly string[]
  /** The header fields of the message that came back. */
  readonly returnedFields: readonly TextField[]
  readonly returned?: ReturnedMessage
}

export function readNotice(text: string, structure: Structure): Notice {
  const returnedPart = structure.parts.find((part) => isReturned(part))
  const texts = noticeParts(structure.parts, returnedPart)
  const lines: string[] = []
  let left = NOTICE_CHARACTERS_MAX
  let inText: { fields: readonly TextField[]; returned: ReturnedMessage } | undefined
  for (const part of texts) {
    const body = partText(text, part)
    const found = splitReturned(body)
    for (const line of body.slice(0, found?.cutAt).split('\n')) {
      left -= line.length
      if (left > 0 && lines.length < NOTICE_LINES_MAX) lines.push(line.trimEnd())
    }
    if (found?.headerAt !== undefined) inText ??= returnedIn(text, part, body, found.headerAt)
    if (found !== undefined) break
  }
  if (returnedPart !== undefined) {
    const { bodyStart } = returnedPart
    const encoding = transferEncoding(returnedPart)
    const isEncoded = encoding === 'base64'
    const form = returnedPart.type.includes('headers') ? 'header' : 'message'
    // A whole message may not be quoted-printable (RFC 2046 §5.2.1): there the word is wrong, and the octets are plain.
    const isCoded = isEncoded || (form === 'header' && encoding === 'quoted-printable')
    return {
      lines,
      returnedFields: isCoded ? fieldsAt(partText(text, returnedPart), 0) : fieldsAt(text, bodyStart),
      returned: isEncoded ? { form } : { form, offset: bodyStart },
    }
  }
  return { lines, returnedFields: inText?.fields ?? [], ...(inText && { returned: inText.returned }) }
}

const isReturned = (part: Part): boolean =>
  part.depth > 0 &&
  (part.type === 'message/rfc822' ||
    part.type === 'message/global' ||
    part.type === 'message/global-headers' ||
    part.type === 'message/rfc822-headers' ||
    part.type === 'text/rfc822-headers' ||
    part.type === 'text/rfc822' ||
    // RFC 5322 header fields where a part's header should stand: some write no Content-Type for it.
    part.fields.some(({ name }) => name === 'received' || name === 'return-path'))

// Text before the returned message; of alternatives the plain one; no attachments, unless there is nothing else.
function noticeParts(parts: readonly Part[], returned: Part | undefined): Part[] {
  const before = parts.filter((part) => returned === undefined || part.start < returned.start)
  const texts = before.filter((part) => isText(part) && !isAttachment(part) && !isReturned(part))
  const plain = texts.filter((part) => part.type !== 'text/html')
  const chosen = plain.some((part) => part.end - part.bodyStart > 4) ? plain : texts
  if (chosen.length > 0) return chosen
  // A multipart whose parts are missing: what stands before the first one.
  const root = parts[0]!
  return [{ ...root, type: 'text/plain', end: parts[1]?.start ?? root.end }]
}

// A multipart without a boundary is text that nobody can divide.
const isText = (part: Part): boolean =>
  (part.type.startsWith('text/') && !/calendar|vcard|directory|csv|xml|rtf/.test(part.type)) ||
  (part.depth > 0 && part.type.startsWith('multipart/') && !part.parameters.has('boundary'))

const isAttachment = (part: Part): boolean => {
  return part.fields.some(({ name, value }) => name === 'content-disposition' && /^attachment/i.test(value))
}

function returnedIn(
  text: string,
  part: Part,
  body: string,
  headerAt: number,
): { fields: readonly TextField[]; returned: ReturnedMessage } {
  // Decoding moves places, but a line of a header section is ASCII and stands in the content as it does in the text.
  const line = body.slice(headerAt, headerAt + 120).split('\n')[0]!
  const raw = text.slice(part.bodyStart, part.end)
  const at = headerAt < raw.length && raw.startsWith(line, headerAt) ? headerAt : raw.indexOf(`\n${line}`) + 1
  const isFound = raw.startsWith(line, at)
  const unquoted = body.slice(headerAt, headerAt + RETURNED_HEADER_OCTETS_MAX).replace(/^(?:>|\|) ?/gm, '')
  return {
    fields: readFields(unquoted, 0, unquoted.length).fields,
    returned: { form: 'message', ...(isFound && { offset: part.bodyStart + at }) },
  }
}

function fieldsAt(text: string, at: number): readonly TextField[] {
  let start = at
  // Blank lines and an mbox line before the header are common.
  for (let i = 0; i < 4; i++) {
    const skip = /^(?:[ \t]*\r?\n|>?From [^\n]{0,200}\n)/.exec(text.slice(start, start + 300))
    if (skip === null) break
    start += skip[0].length
  }
  return readFields(text, start, Math.min(text.length, start + RETURNED_HEADER_OCTETS_MAX)).fields
}

interface Split {
  /** Index of the line that introduces the returned message, or of its first line. */
  readonly cutAt: number
  /** Index of its header section, if one was found. */
  readonly headerAt?: number
}

/** Finds where a returned message begins in running text. */
export function splitReturned(body: string): Split | undefined {
  let cutAt: number | undefined
  let run: { start: number; known: number; strong: number } | undefined
  let at = 0
  let count = 0
  while (at < body.length && count++ < NOTICE_LINES_MAX) {
    const newline = body.indexOf('\n', at)
    const next = newline < 0 ? body.length : newline + 1
    const line = body.slice(at, Math.min(next, at + 300)).trimEnd()
    const name = /^(?:> ?)?([A-Za-z][\w-]{1,40}):/.exec(line)?.[1]?.toLowerCase()
    if (name !== undefined) {
      run ??= { start: at, known: 0, strong: 0 }
      if (HEADER_NAMES.has(name)) run.known++
      if (STRONG_NAMES.has(name)) run.strong++
      if (run.strong > 0 && run.known >= 2) return { cutAt: cutAt ?? run.start, headerAt: run.start }
    } else if (!(run !== undefined && /^(?:> ?)?[ \t]+\S/.test(line))) {
      run = undefined
      if (cutAt === undefined && isSeparator(line)) cutAt = at
    }
    at = next
  }
  if (cutAt === undefined) return undefined
  const headerAt = behindSeparator(body, cutAt)
  return headerAt === undefined ? { cutAt } : { cutAt, headerAt }
}

// Behind such a line even a few fields of no great age are the message.
function behindSeparator(body: string, cutAt: number): number | undefined {
  const newline = body.indexOf('\n', cutAt)
  const rest = body.slice(newline + 1, newline + 300)
  const start = newline + 1 + (/^\s{0,200}/.exec(rest)?.[0].length ?? 0)
  const { fields } = readFields(body, start, Math.min(body.length, start + 4000))
  const isHeader = newline >= 0 && fields.filter(({ name }) => HEADER_NAMES.has(name)).length >= 2
  return isHeader ? start : undefined
}

const HEADER_NAMES = new Set(
  [
    'received',
    'return-path',
    'message-id',
    'date',
    'from',
    'to',
    'subject',
    'mime-version',
    'content-type',
    'cc',
  ].concat(['x-received', 'dkim-signature', 'delivered-to', 'sender', 'reply-to', 'x-mailer', 'x-originating-ip']),
)
const STRONG_NAMES = new Set(
  ['received', 'return-path', 'message-id', 'mime-version', 'x-received', 'dkim-signature', 'x-originating-ip'].concat([
    'x-track',
    'x-rocket-spam',
  ]),
)

// The line that introduces what comes back, in the words of many.
const SEPARATORS: readonly RegExp[] = [
  /^[\s>*=|#_+-]{0,80}(?:below (?:this|the next) line is|(?:this|here|enclosed|attach(?:ed|ment)|included|below) is (?:a|the) (?:copy|header))/i,
  /^[\s>*=|#_+-]{0,80}(?:the )?(?:original|unsent|returned|undelivered|rejected) (?:message|mail)(?: text| header| info| below)?(?: follows| attached)?[\s:.=|*#_+-]{0,80}$/i,
  /^[\s>*=|#_+-]{0,80}(?:message|mail) (?:headers?|text|body|contents?)(?: section)?(?: follows?)[\s:.=|*#_+-]{0,80}$/i,
  /^[\s>*=|#_+-]{0,80}(?:the )?(?:headers?|first \d+ lines|header and top \d+ lines) of (?:the|your)(?: original)? message/i,
  /^[\s>*=|#_+-]{0,80}(?:start of|begin(?:ning of)?) (?:the )?(?:returned|original|unsent) message/i,
  /^[\s>*=|#_+-]{2,80}(?:es folgt|im folgenden|originalnachricht|urspr\S{1,4}ngliche nachricht|kopie der nachricht|nachrichten-?kopf)/i,
  /^[\s>*=|#_+-]{0,80}(?:es folgt|unten finden sie|nachfolgend|anbei)[^@]{0,60}(?:kopie|nachricht|e-?mail|kopfzeilen|header)[^@]{0,60}$/i,
  /^[\s>*=|#_+-]{1,80}(?:message d'origine|message original|ci-dessous|copie du message)/i,
  /^[\s>*=|#_+-]{1,80}(?:mensaje original|mensagem original|messaggio originale|copia del (?:mensaje|messaggio)|c.pia da mensagem)/i,
  /^[\s>*=|#_+-]{1,80}(?:oorspronkelijk bericht|oryginalna wiadomo|tre\S{1,3} wiadomo|kopia wiadomo|originalmeddelande)/i,
]

const isSeparator = (line: string): boolean => line.length > 5 && SEPARATORS.some((pattern) => pattern.test(line))

/** A returned header field, decoded. */
export function returnedField(notice: Notice, name: string): string | undefined {
  const value = notice.returnedFields.find((field) => field.name === name)?.value
  return value === undefined ? undefined : fromCharset(value, '')
}

/** Fields of ours in the message that came back, for `Dsn` and `FeedbackReport`. */
export function returnedTokens({ returnedFields }: Notice): { readonly originalTokens?: readonly string[] } {
  const found = returnedFields.filter(({ name }) => name === TOKEN_NAME).slice(0, TOKENS_MAX)
  return found.length === 0
    ? {}
    : { originalTokens: found.map(({ value }) => value.replace(/[^\w-]+/g, '').slice(0, TOKEN_CHARACTERS_MAX)) }
}

const TOKEN_NAME = TOKEN_FIELD.toLowerCase()
/** Mail that passed through us more than once has more than one. */
const TOKENS_MAX = 5
/** Octets, without folds; the longest are half of that. */
const TOKEN_CHARACTERS_MAX = 6000
