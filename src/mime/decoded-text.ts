/**
 * What a person would read: the text of a part with its transfer encoding undone (RFC 2045 §6) and its charset decoded, and
 * header fields with encoded words (RFC 2047, RFC 6532 for raw UTF-8).
 *
 * Input is one character per octet. Damage is read as well as can be: an unknown charset is windows-1252, an undecodable
 * octet is U+FFFD. Limit: octets of a part that are decoded, named below. Never throws.
 */
import { isUtf8 as isUtf8Buffer } from 'node:buffer'
import { fieldValue, type Part } from './structure.ts'

/** Of one part, before decoding. The notice at the top of a report is a few KiB. */
export const DECODED_OCTETS_MAX = 128 * 1024

/** The text of a part, decoded; for HTML the text between the tags. */
export function partText(text: string, part: Part): string {
  const octets = bodyOctets(text, part)
  const decoded = fromCharset(octets, part.parameters.get('charset') ?? '')
  return part.type === 'text/html' ? withoutTags(decoded) : decoded
}

/** The body of a part without its transfer encoding, one character per octet. */
export function bodyOctets(text: string, part: Part): string {
  const raw = text.slice(part.bodyStart, Math.min(part.end, part.bodyStart + DECODED_OCTETS_MAX))
  switch (transferEncoding(part)) {
    case 'base64':
      return Buffer.from(raw, 'base64').toString('latin1')
    case 'quoted-printable':
      return quotedPrintable(raw)
    default:
      return raw
  }
}

/** Lower case; `7bit` where none is given. */
export const transferEncoding = (part: Part): string =>
  (fieldValue(part.fields, 'content-transfer-encoding') ?? '7bit').trim().toLowerCase()

// RFC 2045 §6.7. What is no valid escape stays as it is.
function quotedPrintable(raw: string): string {
  return raw
    .replace(/=[ \t]{0,20}\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Decodes octets from a charset by its MIME name; without a name it is UTF-8 if it can be. */
export function fromCharset(octets: string, charset: string): string {
  const name = charset.trim().toLowerCase()
  const isPlain = name === '' || name === 'us-ascii' || name === 'utf-8' || name === 'utf8'
  if (isPlain && !hasHighOctet(octets)) {
    // ISO-2022-JP is seven bits, and old notices carry it without saying so.
    return octets.includes('\x1b$') ? decodeAs(octets, 'iso-2022-jp') : octets
  }
  if (!isPlain) return decodeAs(octets, name)
  return decodeAs(octets, isUtf8(octets) ? 'utf-8' : 'windows-1252')
}

function decodeAs(octets: string, name: string): string {
  const buffer = Buffer.from(octets, 'latin1')
  try {
    return new TextDecoder(name).decode(buffer)
  } catch {
    return new TextDecoder('windows-1252').decode(buffer)
  }
}

const isUtf8 = (octets: string): boolean => isUtf8Buffer(Buffer.from(octets, 'latin1'))

function hasHighOctet(octets: string): boolean {
  for (let i = 0; i < octets.length; i++) if (octets.charCodeAt(i) > 0x7e) return true
  return false
}

/** Of a header field that is decoded, in octets. */
const FIELD_OCTETS_MAX = 4000

/** A header field's value as a person reads it; `charset` is for raw octets that are no UTF-8. */
export function fieldText(value: string, charset = ''): string {
  const text = value.slice(0, FIELD_OCTETS_MAX)
  if (!text.includes('=?')) return isUtf8(text) ? fromCharset(text, '') : fromCharset(text, charset)
  // White space between two encoded words is not part of the text (RFC 2047 §6.2).
  const joined = text.replace(/\?=\s{1,20}(?==\?[\w.:*-]{1,40}\?[bBqQ]\?)/g, '?=')
  return joined.replace(/=\?([\w.:*-]{1,40})\?([bBqQ])\?([^?\s]{0,2000})\?=|[^=]+|=/g, decodedWord)
}

function decodedWord(
  all: string,
  charset: string | undefined,
  encoding: string | undefined,
  body: string | undefined,
): string {
  if (charset === undefined || body === undefined) return fromCharset(all, '')
  const octets =
    encoding === 'b' || encoding === 'B'
      ? Buffer.from(body, 'base64').toString('latin1')
      : quotedPrintable(body.replaceAll('_', ' '))
  return fromCharset(octets, charset.split('*')[0] ?? '')
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ', '#39': "'" }
/** A tag longer than this is text: nobody closes it. */
const TAG_OCTETS_MAX = 2000

// In one pass: tags out, line breaks for the tags that make one, the few entities that notices use.
function withoutTags(html: string): string {
  const lower = html.toLowerCase()
  let out = ''
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open < 0) break
    out += html.slice(at, open)
    const tag = html.slice(open, open + TAG_OCTETS_MAX)
    const length = tag.indexOf('>') + 1
    const name = /^<\/?([a-z][a-z0-9]{0,9})[\s>/]/i.exec(tag)?.[1]?.toLowerCase()
    // Not a tag: an address in angle brackets, a bracket that nobody closed, less than.
    const isTag = length > 0 && (name !== undefined || tag[1] === '!' || tag[1] === '?')
    at = open + (isTag ? length : 1)
    if (!isTag) out += '<'
    else if (LINE_TAGS.has(name ?? '')) out += '\n'
    else if (tag[1] !== '/' && (name === 'style' || name === 'script')) {
      const end = lower.indexOf(`</${name}`, at)
      at = end < 0 ? html.length : end
    }
  }
  out += html.slice(at)
  return out.replace(/&(lt|gt|amp|quot|nbsp|#39);/g, (_, name: string) => ENTITIES[name] ?? '')
}

const LINE_TAGS: ReadonlySet<string> = new Set(['br', 'p', 'div', 'tr', 'li', 'h1', 'h2', 'h3', 'table'])
