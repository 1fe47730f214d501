/**
 * xtext (RFC 3461 §4): printable ASCII but `+` and `=`, with `+HH` (upper-case hexadecimal) for everything else; and the
 * utf-8 address type for ORCPT (RFC 6533 §3) with `\x{H…}` in its place.
 *
 * Decoded controls are refused (undefined): the value ends up in header fields of reports, where CR, LF or NUL would be
 * header injection. RFC 3461 §4.4 asks for printable ASCII inside; this reads it so for ORCPT too.
 */
const PLUS = 0x2b
const EQUALS = 0x3d
const BACKSLASH = 0x5c
const HEX_PAIR = /^[0-9A-F]{2}$/
const ESCAPED_POINT = /^\\x\{([0-9A-F]{2,6})\}/

/** What an xtext says, or undefined if it is not one or holds more than printable ASCII. */
export function decodeXtext(text: string): string | undefined {
  let decoded = ''
  for (let i = 0; i < text.length; i++) {
    let octet = text.charCodeAt(i)
    if (octet === PLUS) {
      const pair = text.slice(i + 1, i + 3)
      if (!HEX_PAIR.test(pair)) return undefined
      octet = Number.parseInt(pair, 16)
      i += 2
    } else if (octet === EQUALS || octet === 0x20) return undefined
    if (octet < 0x20 || octet > 0x7e) return undefined
    decoded += String.fromCharCode(octet)
  }
  return decoded
}

/** Printable ASCII as an xtext; other characters must not be in it. */
export const encodeXtext = (text: string): string => text.replace(/[^\x21-\x7e]|[+=]/g, (c) => `+${hex(c)}`)

/**
 * The address of `ORCPT=utf-8;…` in ASCII alone (RFC 6533 §3, utf-8-addr-xtext), which every server with DSN can take.
 */
export const encodeUtf8Address = (text: string): string =>
  text.replace(/[^\x21-\x7e]|[+=\\]/gu, (c) => `\\x{${hex(c)}}`)

const hex = (c: string): string => c.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')

/**
 * What the address of `ORCPT=utf-8;…` says. Characters outside ASCII may stand as themselves only where the
 * transaction has SMTPUTF8 (`unicode`).
 */
export function decodeUtf8Address(text: string, unicode: boolean): string | undefined {
  let decoded = ''
  for (let i = 0; i < text.length; ) {
    let point = text.codePointAt(i) as number
    if (point === PLUS || point === EQUALS || point === 0x20 || (point > 0x7e && !unicode)) return undefined
    if (point === BACKSLASH) {
      const escaped = ESCAPED_POINT.exec(text.slice(i, i + 10))
      if (escaped === null) return undefined
      point = Number.parseInt(escaped[1] as string, 16)
      i += escaped[0].length
    } else i += point > 0xffff ? 2 : 1
    if (!isPrintable(point)) return undefined
    decoded += String.fromCodePoint(point)
  }
  return decoded
}

const isPrintable = (point: number): boolean =>
  point >= 0x20 && point <= 0x10ffff && !(point >= 0x7f && point <= 0x9f) && !(point >= 0xd800 && point <= 0xdfff)
