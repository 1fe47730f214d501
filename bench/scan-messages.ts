/**
 * Messages for the measurement of the virus wall: what people mail, in two sizes, and bombs. Made here, the same in every run,
 * with contents that pack like those of people.
 */
import { createHash } from 'node:crypto'
import { deflateSync, gzipSync } from 'node:zlib'
import { zipFile } from '#scan/unpack/testing.ts'

const HEADER =
  'Received: from mail.bakery.test ([192.0.2.1])\r\n\tby relay.test with ESMTP; Tue, 24 Nov 2026 12:00:00 +0000\r\n' +
  'From: Anna Baker <anna@bakery.test>\r\nTo: Bob <bob@elsewhere.test>\r\nSubject: rolls for tomorrow\r\n' +
  'Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@bakery.test>\r\nMIME-Version: 1.0\r\n'
const LINE = 'Sixty rolls, four loaves of rye, and the cake for Tuesday, please.\r\n'
const TEXT_OCTETS = 4_096
const MEGABYTE = 1024 * 1024

/** Like a picture: packs no further. */
const noise = (octets: number, seed: string): Buffer =>
  createHash('shake256', { outputLength: octets }).update(seed).digest()
const paragraphs = (octets: number): Buffer => {
  let text = ''
  for (let i = 0; text.length < octets; i++)
    text += `<w:p w:rsidR="${i}"><w:r><w:t>Order ${i * 7919}: ${LINE.trim()}</w:t></w:r></w:p>`
  return Buffer.from(text)
}
const lines = (octets: Buffer): string => octets.toString('base64').replace(/.{76}/g, '$&\r\n')

interface Part {
  readonly type: string
  readonly name: string
  readonly octets: Buffer
}

const mail = (parts: readonly Part[]): Buffer => {
  const boundary = '=_bench'
  const bodies = parts.map(
    ({ type, name, octets }) =>
      `--${boundary}\r\nContent-Type: ${type}; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\n` +
      `Content-Transfer-Encoding: base64\r\n\r\n${lines(octets)}\r\n`,
  )
  const head = `${HEADER}Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`
  const text = `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${LINE.repeat(20)}\r\n`
  return Buffer.from(`${head}${text}${bodies.join('')}--${boundary}--\r\n`)
}

const document = (): Buffer =>
  zipFile([
    { name: '[Content_Types].xml', data: Buffer.from('<Types/>') },
    { name: 'word/_rels/document.xml.rels', data: Buffer.from('<Relationships/>') },
    { name: 'word/document.xml', data: paragraphs(400_000) },
    { name: 'word/styles.xml', data: paragraphs(30_000) },
    { name: 'word/media/image1.png', data: noise(200_000, 'picture'), method: 0 },
  ])

const paper = (): Buffer => {
  const streams = Array.from({ length: 30 }, (_, i) => {
    const packed = deflateSync(i % 3 === 0 ? noise(20_000, `font ${i}`) : paragraphs(30_000))
    const head = `${i + 1} 0 obj\n<</Length ${packed.length}/Filter/FlateDecode>>\nstream\n`
    return Buffer.concat([Buffer.from(head), packed, Buffer.from('\nendstream\nendobj\n')])
  })
  return Buffer.concat([Buffer.from('%PDF-1.7\n'), ...streams, Buffer.from('%%EOF\n')])
}

export const textMail = (): Buffer => {
  const head = `${HEADER}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`
  return Buffer.from(head + LINE.repeat(Math.ceil((TEXT_OCTETS - head.length) / LINE.length)))
}

/** 1 MB as it is mailed: a document, a paper, a picture. */
export const mailWithAttachments = (): Buffer =>
  mail([
    {
      type: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      name: 'orders.docx',
      octets: document(),
    },
    { type: 'application/pdf', name: 'terms.pdf', octets: paper() },
    {
      type: 'image/jpeg',
      name: 'cake.jpg',
      octets: Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), noise(240_000, 'cake')]),
    },
  ])

/** What they unpack to is far above every limit, in depth, size, or number. */
export const bombs = (): Buffer[] => {
  const zeros = Buffer.alloc(64 * MEGABYTE)
  const nested = (depth: number): Buffer => {
    let octets: Buffer = gzipSync(Buffer.alloc(MEGABYTE))
    for (let i = 0; i < depth; i++)
      octets = zipFile(
        Array.from({ length: 4 }, (_, n) => ({
          name: `${i}-${n}.zip`,
          data: Buffer.concat([octets, Buffer.from([n])]),
        })),
      )
    return octets
  }
  const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('')
  const packed = deflateSync(deflateSync(zeros))
  const pdf = Buffer.concat([
    Buffer.from(`%PDF-1.7\n1 0 obj\n<</Filter[/Fl/Fl]>>\nstream\n`),
    packed,
    Buffer.from('\nendstream'),
  ])
  const part = (octets: Buffer) => mail([{ type: 'application/octet-stream', name: 'a.bin', octets }])
  return [
    part(gzipSync(zeros)),
    part(nested(4)),
    part(Buffer.from(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "lol">${laughs}]><a>&l9;</a>`)),
    part(pdf),
    part(zipFile(Array.from({ length: 12_000 }, (_, n) => ({ name: `${n}`, data: Buffer.from(`${n}`) })))),
    part(noise(10 * MEGABYTE, 'large')),
  ]
}
