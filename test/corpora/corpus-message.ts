/**
 * A file of a corpus as the message that the relay would have been given: CRLF, no mbox line, and a reverse path as far as
 * the file still knows it. Where it does not, the path is a mailbox of nobody: what must be found without `<>`.
 */
import { NULL_PATH, parseMailbox, type ReversePath } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { ClassifyInput } from '#mime/automatic/classify.ts'
import { readHeaderSection, unfolded } from '#mime/header-section.ts'

export function corpusMessage(octets: Buffer): ClassifyInput {
  const raw = octets
    .toString('latin1')
    .replace(/^(?:[ \t]*\r?\n)+/, '')
    .replace(/^(?:\xef\xbb\xbf)?(?:>?From [^\n]*\n)?/, '')
  const body = content([Buffer.from(raw.replace(/\r?\n/g, '\r\n'), 'latin1')])
  const header = readHeaderSection(body)
  const path = header.fields.find(({ name }) => name === 'return-path')
  return { header, content: body, reversePath: pathOf(path === undefined ? undefined : unfolded(path)) }
}

const NOBODY = 'nobody@unknown.invalid'

function pathOf(value: string | undefined): ReversePath {
  if (value === '<>') return NULL_PATH
  const address = value === undefined ? undefined : parseMailbox(value.replace(/^<|>$/g, ''))
  const mailbox = address?.ok ? address : parseMailbox(NOBODY)
  if (!mailbox.ok) throw new Error('no mailbox')
  return { kind: 'mailbox', mailbox: mailbox.value }
}
