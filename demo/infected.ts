/**
 * Messages with EICAR's test file, which every scanner knows and which does no harm, in three wrappings: as it is, in an
 * archive in an archive, and in an archive that only a password opens. They are made here and lie nowhere, since a scanner
 * on the machine of whoever reads this would take the files away.
 *
 * The archives are as small as the format allows: stored entries, one file each (APPNOTE.TXT of PKWARE, 4.3 and 6.1).
 */
import { crc32 } from 'node:zlib'

/** In two pieces: this file must not be one that scanners find. */
const EICAR = Buffer.from(`X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`)
const PASSWORD = 'invoice'

export const INFECTED = ['infected', 'infected-nested', 'infected-encrypted'] as const
export type Infected = (typeof INFECTED)[number]

/** With LF as line ends. */
export function infectedMessage(name: Infected): Buffer {
  switch (name) {
    case 'infected':
      return letter('Your invoice', 'invoice.bin', EICAR)
    case 'infected-nested':
      return letter('Your invoices', 'invoices.zip', zip('2026.zip', zip('invoice.bin', EICAR)))
    case 'infected-encrypted':
      return letter(`Your invoice, password: ${PASSWORD}`, 'invoice.zip', zip('invoice.bin', EICAR, PASSWORD))
  }
}

const letter = (subject: string, name: string, octets: Buffer): Buffer =>
  Buffer.from(`From: Accounts <accounts@parcel.example>
To: <anna@bakery.example>
Subject: ${subject}
MIME-Version: 1.0
Content-Type: application/octet-stream; name="${name}"
Content-Transfer-Encoding: base64

${octets.toString('base64').replace(/.{76}/g, '$&\n')}
`)

const LOCAL_HEADER = 0x04034b50
const DIRECTORY_HEADER = 0x02014b50
const DIRECTORY_END = 0x06054b50
const VERSION = 20

function zip(name: string, octets: Buffer, password?: string): Buffer {
  const crc = crc32(octets)
  const stored = password === undefined ? octets : encrypted(octets, password, crc)
  const shared = Buffer.alloc(26)
  shared.writeUInt16LE(VERSION, 0)
  shared.writeUInt16LE(password === undefined ? 0 : 1, 2)
  shared.writeUInt32LE(crc, 10)
  shared.writeUInt32LE(stored.length, 14)
  shared.writeUInt32LE(octets.length, 18)
  shared.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([uint32(LOCAL_HEADER), shared, Buffer.from(name), stored])
  const directory = Buffer.concat([
    uint32(DIRECTORY_HEADER),
    Buffer.from([VERSION, 0]),
    shared,
    Buffer.alloc(14),
    Buffer.from(name),
  ])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, directory, uint32(DIRECTORY_END), end])
}

function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32LE(value)
  return octets
}

/** The traditional encryption of PKWARE: twelve octets before the file, the last of them from its CRC. */
function encrypted(octets: Buffer, password: string, crc: number): Buffer {
  const keys: [number, number, number] = [0x12345678, 0x23456789, 0x34567890]
  for (const c of Buffer.from(password)) mix(keys, c)
  const header = Buffer.alloc(12)
  header[11] = crc >>> 24
  return Buffer.concat([header, octets]).map((plain) => {
    const word = (keys[2] | 2) & 0xffff
    const secret = plain ^ (Math.imul(word, word ^ 1) >>> 8)
    mix(keys, plain)
    return secret & 0xff
  }) as Buffer
}

function mix(keys: [number, number, number], octet: number): void {
  keys[0] = crcStep(keys[0], octet)
  keys[1] = (Math.imul((keys[1] + (keys[0] & 0xff)) >>> 0, 134775813) + 1) >>> 0
  keys[2] = crcStep(keys[2], keys[1] >>> 24)
}

function crcStep(crc: number, octet: number): number {
  let value = (crc ^ octet) & 0xff
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return ((crc >>> 8) ^ value) >>> 0
}
