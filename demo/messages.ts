/**
 * The real messages in fixtures/messages, as they go over the wire: where the file has bare LF, CRLF is made. Nothing
 * else is changed.
 */
import { readFileSync } from 'node:fs'
import { INFECTED, infectedMessage } from './infected.ts'
import { UNWANTED, unwantedMessage } from './unwanted.ts'

const FOLDER = new URL('../fixtures/messages/', import.meta.url)
const LF = 0x0a
const CR = 0x0d

/** By the name of its file, or one of those that are in no file. */
export function wireMessage(name: string): Buffer {
  const made = INFECTED.find((one) => one === name)
  if (made !== undefined) return withCrlf(infectedMessage(made))
  const unwanted = UNWANTED.find((one) => one === name)
  if (unwanted !== undefined) return withCrlf(unwantedMessage(unwanted))
  return withCrlf(readFileSync(new URL(`${name}.eml`, FOLDER)))
}

export function withCrlf(octets: Buffer): Buffer {
  const out: number[] = []
  let before = 0
  for (const octet of octets) {
    if (octet === LF && before !== CR) out.push(CR)
    out.push(octet)
    before = octet
  }
  if (before !== LF) out.push(CR, LF)
  return Buffer.from(out)
}

/** The value of the first header field of that name, on one line; '' if there is none. */
export function headerField(content: Buffer, name: string): string {
  const text = content.toString('utf8')
  const header = text.slice(0, Math.max(0, text.indexOf('\r\n\r\n'))).replace(/\r\n[ \t]+/g, ' ')
  const line = header.split('\r\n').find((candidate) => candidate.toLowerCase().startsWith(`${name.toLowerCase()}:`))
  return line?.slice(name.length + 1).trim() ?? ''
}

/** For the eye: encoded words (RFC 2047 §2) decoded where they are UTF-8 or Latin-1, and not too long. */
export function subjectOf(content: Buffer): string {
  const decoded = headerField(content, 'Subject').replace(
    /=\?(utf-8|iso-8859-1)\?([bq])\?([^?]*)\?=\s*/gi,
    (_, charset: string, encoding: string, text: string) => {
      const octets = encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : quotedPrintable(text)
      return octets.toString(charset.toLowerCase() === 'utf-8' ? 'utf8' : 'latin1')
    },
  )
  const characters = [...decoded.replace(/\p{Cc}/gu, ' ')]
  return characters.length > 52 ? `${characters.slice(0, 51).join('')}…` : characters.join('')
}

function quotedPrintable(text: string): Buffer {
  const octets = text
    .replace(/_/g, ' ')
    .replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number(`0x${hex}`)))
  return Buffer.from(octets, 'latin1')
}

export const hasEightBit = (content: Buffer): boolean => content.some((octet) => octet > 0x7f)
