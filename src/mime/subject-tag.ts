/**
 * A few characters before the subject, for people whose mail program sorts by nothing else. It breaks every signature (DKIM)
 * over the subject, which is every signature: whoever wants it says so.
 *
 * The value itself stays as it came, in encoded words or not (RFC 2047): the tag stands before it. A subject that has it
 * already gets no second one; a message without a subject gets one.
 */
import { type Content, content, head, withoutHead, withTrace } from '#mail/content.ts'
import { readHeaderSection } from './header-section.ts'

/** RFC 5322 §2.1.1, without CRLF. */
const LINE_OCTETS_MAX = 998

/** `tag`: printable ASCII. */
export function withSubjectTag(body: Content, tag: string): Content {
  const field = readHeaderSection(body).fields.find(({ name }) => name === 'subject')
  if (field === undefined) return withTrace(Buffer.from(`Subject: ${tag}\r\n`), body)
  const value = field.value.trimStart()
  if (value.startsWith(tag)) return body
  const [first = ''] = value.split('\r\n', 1)
  // A line of white space alone is none (RFC 5322 §3.2.2): then there is nothing to fold before.
  const isLong = 'Subject: '.length + tag.length + 1 + first.length > LINE_OCTETS_MAX
  const text = `Subject: ${tag}${isLong ? '\r\n' : ''} ${value === '' ? '\r\n' : value}`
  const before = head(body, field.start).subarray(0, field.start)
  const after = withoutHead(body, field.end)
  return content([before, Buffer.from(text, 'latin1'), ...after.chunks])
}
