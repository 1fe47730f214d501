/**
 * EICAR in more than 3,000 wrappings: tricks of MIME × transfer encodings × containers inside each other. What is a trick to one
 * mail program is a file to another.
 */
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { compoundFile, zipFile } from '../../src/scan/unpack/testing.ts'

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

const uuencode: Wrap = (data) => {
  const rows = [...Array(Math.ceil(data.length / 45)).keys()].map((row) =>
    uuLine(data.subarray(row * 45, row * 45 + 45)),
  )
  return Buffer.from(`begin 644 a.bin\r\n${rows.join('\r\n')}\r\n\`\r\nend\r\n`, 'latin1')
}
const uuLine = (part: Buffer): string => {
  const character = (six: number) => String.fromCharCode(six === 0 ? 0x60 : six + 0x20)
  let line = character(part.length)
  for (let at = 0; at < part.length; at += 3) {
    const three = Buffer.concat([part.subarray(at, at + 3), Buffer.alloc(2)]).readUIntBE(0, 3)
    for (const shift of [18, 12, 6, 0]) line += character((three >> shift) & 63)
  }
  return line
}
const yEnc: Wrap = (data) => {
  const octets: number[] = []
  for (const octet of data) {
    const shifted = (octet + 42) & 0xff
    if ([0, 10, 13, 61].includes(shifted)) octets.push(61, (shifted + 64) & 0xff)
    else octets.push(shifted)
  }
  const head = `=ybegin line=9999 size=${data.length} name=a.bin\r\n`
  return Buffer.concat([Buffer.from(head), Buffer.from(octets), Buffer.from(`\r\n=yend size=${data.length}\r\n`)])
}
const little = (value: number, octets = 4) => {
  const buffer = Buffer.alloc(octets)
  buffer.writeUIntLE(value, 0, octets)
  return buffer
}
const tnef: Wrap = (data) => {
  const attribute = (id: number, value: Buffer) =>
    Buffer.concat([Buffer.from([2]), little(id), little(value.length), value, little(0, 2)])
  const attachment = [attribute(0x00069002, Buffer.alloc(14)), attribute(0x0006800f, data)]
  return Buffer.concat([little(0x223e9f78), little(1, 2), ...attachment])
}
const rtf: Wrap = (data) => {
  const object = Buffer.concat([little(0x501), little(2), little(2), Buffer.from('x\0'), little(0), little(0)])
  const digits = Buffer.concat([object, little(data.length), data]).toString('hex')
  return Buffer.from(`{\\rtf1{\\object\\objemb{\\*\\objdata ${digits.replace(/.{60}/g, '$&\r\n')}}}}`)
}
const pdf: Wrap = (data) => {
  const packed = Buffer.from(`${deflateSync(data).toString('hex')}>`)
  const head = '%PDF-1.7\n1 0 obj\n<</Filter[/AHx/Fl]>>\nstream\n'
  return Buffer.concat([Buffer.from(head), packed, Buffer.from('\nendstream\nendobj\n%%EOF')])
}
const flatOpc: Wrap = (data) =>
  Buffer.from(`<?xml version="1.0"?><pkg:part><pkg:binaryData>${data.toString('base64')}</pkg:binaryData></pkg:part>`)
const page: Wrap = (data) => Buffer.from(`<a href="data:application/octet-stream;base64,${data.toString('base64')}">`)

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
  uuencode,
  yEnc,
  TNEF: tnef,
  'uuencode in zip': chain(zip, uuencode),
  'yEnc in mail': chain(letter, yEnc),
  'zip in TNEF': chain(tnef, zip),
  'TNEF in mail in TNEF': chain(tnef, letter, tnef),
  OLE: (data) => compoundFile([{ name: 'one', data }]),
  RTF: rtf,
  PDF: pdf,
  'flat OPC': flatOpc,
  'address of a page': page,
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
  uuencode: (data) => `${CTE}: x-uuencode\r\n\r\n${uuencode(data).toString('latin1')}`,
  'uuencode in the text': (data) =>
    `Content-Type: text/plain\r\n\r\nHello,\r\n\r\n${uuencode(data).toString('latin1')}`,
  'yEnc in the text': (data) => `Content-Type: text/plain\r\n\r\nHello,\r\n\r\n${yEnc(data).toString('latin1')}`,
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
