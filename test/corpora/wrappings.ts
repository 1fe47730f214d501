/**
 * EICAR in more than 500 wrappings: tricks of MIME × transfer encodings × containers inside each other. What is a trick to one
 * mail program is a file to another.
 */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { zipFile } from '../../src/scan/unpack/testing.ts'

// In two pieces: this file must not be one that scanners find.
const EICAR = Buffer.from(`X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`, 'latin1')

type Wrap = (inner: Buffer) => Buffer
const chain =
  (...wraps: Wrap[]): Wrap =>
  (inner) =>
    wraps.reduceRight((octets, wrap) => wrap(octets), inner)

const zip: Wrap = (data) => zipFile([{ name: 'a.bin', data }])
const stored: Wrap = (data) => zipFile([{ name: 'a.bin', data, method: 0 }])
const gzip: Wrap = (data) => gzipSync(data)
const zstd: Wrap = (data) => zstdCompressSync(data)
const tar: Wrap = (data) => {
  const head = Buffer.alloc(512)
  head.write('a.bin', 0)
  head.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124)
  head.write('        0', 148)
  head.write('ustar\x0000', 257)
  const sum = head.reduce((total, octet) => total + octet, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([head, data, Buffer.alloc(1024 + ((512 - (data.length % 512)) % 512))])
}
const letter: Wrap = (data) =>
  Buffer.from(
    `From: a@example.org\r\nSubject: x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines(data.toString('base64'))}\r\n`,
  )

const CONTAINERS: Readonly<Record<string, Wrap>> = {
  bare: (data) => data,
  zip,
  stored,
  gzip,
  zstd,
  tar,
  mail: letter,
  'tar.gz': chain(gzip, tar),
  'mail in zip': chain(zip, letter),
  'zip in mail': chain(letter, zip),
  'four archives': chain(zip, gzip, tar, stored),
  'four mails': chain(letter, letter, letter, letter),
  'mails and archives': chain(zstd, letter, tar, letter),
}

const lines = (text: string): string => text.replace(/.{60}/g, '$&\r\n')
const quoted = (data: Buffer, capital: boolean): string =>
  [...data]
    .map((octet) => `=${octet.toString(16).padStart(2, '0')}`)
    .map((code) => (capital ? code.toUpperCase() : code))
    .join('')
    .replace(/.{72}/g, capital ? '$&=\r\n' : '$&= \r\n')
const CTE = 'Content-Transfer-Encoding'
const inner = (data: Buffer): string =>
  `--i1\r\nContent-Type: image/png\r\n${CTE}: base64\r\n\r\n${lines(data.toString('base64'))}\r\n--i1--\r\n`
const ENCODINGS: Readonly<Record<string, (data: Buffer) => string>> = {
  base64: (data) => `${CTE}: base64\r\n\r\n${lines(data.toString('base64'))}`,
  'base64, then 7bit': (data) => `${CTE}: base64\r\n${CTE}: 7bit\r\n\r\n${lines(data.toString('base64'))}`,
  '7bit, then base64': (data) => `${CTE}: 7bit\r\n${CTE}: base64\r\n\r\n${lines(data.toString('base64'))}`,
  'base64 with junk': (data) => `${CTE}: base64\r\n\r\n${data.toString('base64').replace(/.{7}/g, '$&!*\r\n')}`,
  'quoted-printable': (data) => `${CTE}: quoted-printable\r\n\r\n${quoted(data, true)}`,
  'quoted-printable, small': (data) => `${CTE}: quoted-printable\r\n\r\n${quoted(data, false)}`,
  'in a multipart': (data) => `Content-Type: multipart/mixed; boundary=i1\r\n\r\n${inner(data)}`,
  'multipart in base64': (data) =>
    `Content-Type: multipart/mixed; boundary=i1\r\n${CTE}: base64\r\n\r\n${lines(Buffer.from(inner(data)).toString('base64'))}`,
  'mail in base64': (data) =>
    `Content-Type: message/rfc822\r\n${CTE}: base64\r\n\r\n${lines(letter(data).toString('base64'))}`,
}

const parts = (field: string, part: string, end = '--b1--'): string =>
  `From: a@example.org\r\n${field}\r\n\r\n--b1\r\n${part}\r\n${end}\r\n`
const MIXED = 'Content-Type: multipart/mixed;'
const named = (name: string, part: string): string => `Content-Disposition: attachment; ${name}\r\n${part}`
const TRICKS: Readonly<Record<string, (part: string) => string>> = {
  plain: (part) => parts(`${MIXED} boundary=b1`, named('filename=a.bin', part)),
  'no multipart': (part) => `From: a@example.org\r\n${part}\r\n`,
  'two types': (part) => parts(`${MIXED} boundary=b1\r\nContent-Type: text/plain`, part),
  'two types, turned': (part) => parts(`Content-Type: text/plain\r\n${MIXED} boundary=b1`, part),
  'two boundaries': (part) => parts(`${MIXED} boundary=no; boundary=b1`, named('filename=a; filename=b', part)),
  'boundary in pieces': (part) => parts(`${MIXED} boundary*1="1"; boundary*0="b"`, named('filename*0=a', part)),
  'percent-encoded': (part) => parts(`${MIXED} boundary*=us-ascii'en'%621`, named("filename*=utf-8''%61", part)),
  'open quote': (part) => parts(`${MIXED} boundary="b1`, named('filename="a', part)),
  'no boundary': (part) => parts('Content-Type: multipart/mixed', part),
  'no end': (part) => parts(`${MIXED} boundary=b1`, part, ''),
  'behind the end': (part) => parts(`${MIXED} boundary=b1`, `\r\nhello\r\n--b1--\r\n--b1\r\n${part}`),
  'inner is outer': (part) => parts(`${MIXED} boundary=b1`, `${MIXED} boundary=b1\r\n\r\n--b1\r\n${part}`),
  'mail in mail': (part) => parts(`${MIXED} boundary=b1`, `Content-Type: message/rfc822\r\n\r\nSubject: x\r\n${part}`),
  digest: (part) => parts('Content-Type: multipart/digest; boundary=b1', `\r\nSubject: x\r\n${part}`),
}

export interface Wrapping {
  readonly container: string
  readonly encoding: string
  readonly trick: string
  readonly message: Buffer
}

export function* wrappings(): Generator<Wrapping> {
  for (const [container, wrap] of Object.entries(CONTAINERS)) {
    const data = wrap(EICAR)
    for (const [encoding, encode] of Object.entries(ENCODINGS))
      for (const [trick, wrapped] of Object.entries(TRICKS))
        yield { container, encoding, trick, message: Buffer.from(wrapped(encode(data)), 'latin1') }
  }
}
