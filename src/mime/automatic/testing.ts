/**
 * For tests: messages out of text, as the relay would have been given them.
 */
import { NULL_PATH, parseMailbox, type ReversePath } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '../header-section.ts'
import type { ClassifyInput } from './classify.ts'

/** A message from octets with LF or CRLF; `from` is its reverse path, `<>` if none is given. */
export function received(octets: Buffer | string, from = ''): ClassifyInput {
  const raw = typeof octets === 'string' ? Buffer.from(octets).toString('latin1') : octets.toString('latin1')
  const body = content([Buffer.from(raw.replace(/\r?\n/g, '\r\n'), 'latin1')])
  return { header: readHeaderSection(body), content: body, reversePath: pathOf(from) }
}

function pathOf(text: string): ReversePath {
  if (text === '') return NULL_PATH
  const parsed = parseMailbox(text)
  if (!parsed.ok) throw new Error(`no mailbox: ${text}`)
  return { kind: 'mailbox', mailbox: parsed.value }
}
