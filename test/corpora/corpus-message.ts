/**
 * A file of a corpus as the message that the relay would have been given: CRLF, no mbox line, and a reverse path as far as
 * the file still knows it. Where it does not, the path is a mailbox of nobody: what must be found without `<>`.
 */
import { parseMailbox } from '#mail/address.ts'
import type { ClassifyInput } from '#mime/automatic/classify.ts'
import { received } from '#mime/automatic/testing.ts'
import { unfolded } from '#mime/header-section.ts'

const NOBODY = 'nobody@unknown.invalid'

export function corpusMessage(octets: Buffer): ClassifyInput {
  const raw = octets
    .toString('latin1')
    .replace(/^(?:[ \t]*\r?\n)+/, '')
    .replace(/^(?:\xef\xbb\xbf)?(?:>?From [^\n]*\n)?/, '')
  const message = received(Buffer.from(raw, 'latin1'), NOBODY)
  const field = message.header.fields.find(({ name }) => name === 'return-path')
  const path = field === undefined ? NOBODY : unfolded(field).replace(/^<|>$/g, '')
  return path === '' || parseMailbox(path).ok ? received(Buffer.from(raw, 'latin1'), path) : message
}
