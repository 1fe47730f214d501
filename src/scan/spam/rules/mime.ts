/**
 * How the message is built: parts that are missing or mean nothing, and encodings that hide what could be written plainly.
 * Mail programs build the same structure each time; what is sent by a script of one's own shows its author's shortcuts.
 */
import { transferEncoding } from '#mime/decoded-text.ts'
import type { Part } from '#mime/structure.ts'
import type { Said, SpamRules, SymbolTable } from '../contract.ts'
import type { MessageText, SpamMessage } from '../message.ts'

const symbols = {
  MIME_HTML_WITHOUT_CHARSET: {
    family: 'mime',
    weight: 2,
    en: 'HTML that does not say its charset',
    de: 'HTML, das seinen Zeichensatz nicht nennt',
  },
  MIME_CHARSET_UNKNOWN: {
    family: 'mime',
    weight: 2,
    en: 'a charset that does not exist',
    de: 'ein Zeichensatz, den es nicht gibt',
  },
  MIME_EMPTY: { family: 'mime', weight: 2, en: 'has nothing in it', de: 'enthält nichts' },
  MIME_ALTERNATIVE_TO_NOTHING: {
    family: 'mime',
    weight: 1,
    en: 'alternatives of which there is one',
    de: 'Alternativen, von denen es nur eine gibt',
  },
  MIME_BASE64_NEEDLESS: {
    family: 'mime',
    weight: 2,
    en: 'plain ASCII text that is hidden in base64',
    de: 'reiner ASCII-Text, in base64 versteckt',
  },
  MIME_BASE64_HTML: {
    family: 'mime',
    weight: 1,
    en: 'HTML that is hidden in base64',
    de: 'HTML, in base64 versteckt',
  },
  MIME_BOUNDARY_HASH: {
    family: 'mime',
    weight: 1.5,
    en: 'the bare hash of a script parts it',
    de: 'der bloße Hash eines Skripts trennt die Teile',
  },
  MIME_ENCODING_UNTRUE: {
    family: 'mime',
    weight: 1,
    en: 'says that it is of seven bits, and is not',
    de: 'gibt sich als siebenbittig aus und ist es nicht',
  },
  MIME_HTML_ONLY: {
    family: 'mime',
    weight: 0.5,
    en: 'is HTML alone',
    de: 'besteht nur aus HTML',
  },
} as const satisfies SymbolTable

export const mimeRules: SpamRules = {
  symbols,
  *look(message: SpamMessage) {
    yield* charsets(message.texts)
    yield* shape(message)
    yield* encodings(message)
  },
}

function* charsets(texts: readonly MessageText[]): Iterable<Said> {
  if (texts.some(({ kind, charset }) => kind === 'html' && charset === ''))
    yield { symbol: 'MIME_HTML_WITHOUT_CHARSET' }
  const odd = texts.find(({ charset }) => charset !== '' && !isCharset(charset))
  if (odd !== undefined) yield { symbol: 'MIME_CHARSET_UNKNOWN', detail: odd.charset.slice(0, 40) }
}

const known = new Map<string, boolean>()
/** Names that are remembered; strangers can write any number of them. */
const CHARSETS_MAX = 200

function isCharset(name: string): boolean {
  const before = known.get(name)
  if (before !== undefined) return before
  let is = true
  try {
    new TextDecoder(name)
  } catch {
    // Encodings of the past that mail programs know and browsers do not.
    is =
      /^(?:utf-7|utf-32|us-ascii.*|hz-gb-2312|iso-2022-[a-z0-9-]{2,8}|cp\d{2,5}|ansi.{0,20}|x-.{1,20}|unknown-8bit|binary|8bit)$/.test(
        name,
      )
  }
  if (known.size < CHARSETS_MAX) known.set(name, is)
  return is
}

function* shape({ parts, texts, attachments }: SpamMessage): Iterable<Said> {
  const isEmpty = texts.every(
    ({ text, html }) => text.trim() === '' && (html === undefined || html.images.length === 0),
  )
  if (isEmpty && attachments.length === 0 && texts.every(({ html }) => (html?.hidden.trim() ?? '') === ''))
    yield { symbol: 'MIME_EMPTY' }
  const alternatives = parts.filter(({ type }) => type === 'multipart/alternative').length
  const leaves = parts.filter(
    ({ type }) => type === 'text/plain' || type === 'text/html' || type === 'text/calendar',
  ).length
  if (alternatives > 0 && leaves < 2 && !parts.some(({ type }) => type === 'multipart/related'))
    yield { symbol: 'MIME_ALTERNATIVE_TO_NOTHING' }
  if (texts.length === 1 && texts[0]!.kind === 'html') yield { symbol: 'MIME_HTML_ONLY' }
  const boundary = parts[0]?.parameters.get('boundary') ?? ''
  if (/^[0-9a-f]{32}$/.test(boundary)) yield { symbol: 'MIME_BOUNDARY_HASH' }
}

/** Scripts that need most of their letters encoded: base64 is the shorter way. */
const MANY_HIGH = 0.1

function* encodings({ parts, texts, sevenBitWithHigh }: SpamMessage): Iterable<Said> {
  const encoded = (part: Part): boolean => transferEncoding(part) === 'base64'
  const inBase64 = parts.filter((part) => /^text\/(?:plain|html)$/.test(part.type) && encoded(part))
  if (inBase64.length > 0) {
    const all = texts.map(({ text, html }) => text.slice(0, 4_000) + (html?.hidden.slice(0, 1_000) ?? '')).join('')
    const high = all.replace(/[\x00-\x7f]/g, '').length
    if (high === 0 && all.length > 0) yield { symbol: 'MIME_BASE64_NEEDLESS' }
    else if (high < all.length * MANY_HIGH && inBase64.some(({ type }) => type === 'text/html'))
      yield { symbol: 'MIME_BASE64_HTML' }
  }
  if (sevenBitWithHigh) yield { symbol: 'MIME_ENCODING_UNTRUE' }
}
