/**
 * Fuzzes all openers and examiners of the virus wall with containers of every format of our own, whole and damaged:
 *
 * - a whole one, packed into others at random: the text in it comes out;
 * - the same with octets changed, cut, doubled: nothing throws, no object and no list of facts is larger than its limit.
 *
 * What was once found stands in FOUND, and is tried first.
 */
import { readFileSync } from 'node:fs'
import { deflateSync, gzipSync } from 'node:zlib'
import { FACTS_MAX } from '#mail/scan.ts'
import type { Opener } from '#scan/contract.ts'
import { OPENERS } from '#scan/unpack/openers.ts'
import { compoundFile, lookInto, tarEntry, zipFile } from '#scan/unpack/testing.ts'
import { EXAMINERS } from '#scan/workmen.ts'

type Chance = (n: number) => number

/** In base64. */
const FOUND: readonly string[] = []
const LIMITS = { octetsMax: 400_000, objectsMax: 300, depthMax: 8, ratioOctetsFree: 200_000 }
const EDITS_MAX = 6
/** Values at which arithmetic of sizes goes wrong. */
const EDGES = [0, 1, 0x7f, 0x80, 0xfe, 0xff]
const TEXT = 'harmless text, again and again'
const data = Buffer.from(TEXT)
const base64 = data.toString('base64')

const little = (value: number, octets = 4): Buffer => {
  const buffer = Buffer.alloc(octets)
  buffer.writeUIntLE(value, 0, octets)
  return buffer
}
const attribute = (id: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([2]), little(id), little(value.length), value, little(0, 2)])
const ole1 = Buffer.concat([
  little(0x501),
  little(2),
  little(2),
  Buffer.from('x\0'),
  little(0),
  little(0),
  little(data.length),
  data,
])
const pdf = (dictionary: string, octets: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`%PDF-1.7\n1 0 obj\n<<${dictionary}>>\nstream\n`),
    octets,
    Buffer.from('\nendstream\nendobj\n%%EOF'),
  ])
const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/pdf/${name}.pdf`, import.meta.url))
const oneNote = (): Buffer => {
  const head = Buffer.alloc(36)
  head.write('e716e3bd65261145a4c48d4d0b7a9eac', 'hex')
  head.writeBigUInt64LE(BigInt(data.length), 16)
  const blob = Buffer.concat([Buffer.from([0x10, (data.length + 1) << 1, data.length * 2 + 1]), data])
  return Buffer.concat([
    Buffer.from('e4525c7b8cd8a74daeb15378d02996d3', 'hex'),
    Buffer.alloc(64),
    head,
    data,
    blob,
    Buffer.alloc(16),
  ])
}

/** The text comes out of each. */
const SAMPLES: readonly Buffer[] = [
  zipFile([{ name: 'a', data, descriptor: true, method: 0 }]),
  zipFile([
    { name: 'xl/sharedStrings.xml', data },
    { name: 'xl/worksheets/sheet1.xml', data: Buffer.from('<c t="s"><v>0</v></c>') },
  ]),
  gzipSync(data),
  Buffer.concat([
    tarEntry('././@LongLink', Buffer.from('name\0'), { type: 'L' }),
    tarEntry('a', data),
    Buffer.alloc(1_024),
  ]),
  compoundFile(
    [
      { name: 'Workbook', data },
      { name: '\x01Ole10Native', data },
      { name: '_157769130', data: Buffer.concat([little(data.length), deflateSync(data)]) },
    ],
    'VBA',
  ),
  compoundFile([
    { name: '__substg1.0_10090102', data: Buffer.concat([little(0), little(0), little(0x414c454d), little(0), data]) },
  ]),
  Buffer.concat([
    little(0x223e9f78),
    little(1, 2),
    attribute(0x00069002, Buffer.alloc(14)),
    attribute(0x0006800f, data),
  ]),
  pdf('/Filter[/AHx/Fl]/DecodeParms<</Predictor 1>>', Buffer.from(`${deflateSync(data).toString('hex')}>`)),
  pdf('/Filter/RL', Buffer.concat([Buffer.from([data.length - 1]), data, Buffer.from([128])])),
  ...['rc4-40', 'aes-128-object-streams', 'aes-256', 'object-streams'].map(fixture),
  Buffer.from(
    `{\\rtf1{\\object\\objemb\\objupdate{\\*\\objdata ${ole1.toString('hex')}}}{\\field{\\*\\fldinst DDE x}}}`,
  ),
  Buffer.from(`<?xml version="1.0"?><pkg:part pkg:name="/a"><pkg:binaryData>${base64}</pkg:binaryData></pkg:part>`),
  Buffer.concat([Buffer.from('ActiveMime'), Buffer.alloc(40), deflateSync(data)]),
  oneNote(),
  Buffer.concat([Buffer.from('SZDD\x88\xf0\x27\x33Ae', 'latin1'), little(data.length), ...octetsWithFlags()]),
  Buffer.from(`begin-base64 644 a\n${base64}\n====\n`),
  Buffer.from(`<a href="data:a/b;base64,${base64}">`),
]
const WRAPS: readonly ((octets: Buffer) => Buffer)[] = [
  (octets) => octets,
  (octets) => gzipSync(octets),
  (octets) => zipFile([{ name: 'a.bin', data: octets }]),
  (octets) => compoundFile([{ name: 'one', data: octets }]),
  (octets) => Buffer.from(`<?xml version="1.0"?><w:binData>${octets.toString('base64')}</w:binData>`),
]
/** Texts that examiners read; what they say of them is not asked here. */
const PIECES = [
  '<?xml version="1.0"?>',
  '<!DOCTYPE a [<!ENTITY a "&b;"><!ENTITY b "&a;">]>&a;',
  '<Relationship TargetMode="External" Type="x/frame" Target="script:x"/>',
  '<w:instrText>QUOTE 68 68 69',
  '</w:instrText>',
  'ID;P\nO;E\nC;E=CALL(',
  "=cmd|'/c'!A1\n",
  '\x13 DDEAUTO c',
  '<script:event-listener script:event-name="dom:load"',
  'WEB\n1\nhttp:',
  '\ufeff',
  '\0',
]

function octetsWithFlags(): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < data.length; at += 8) parts.push(Buffer.from([0xff]), data.subarray(at, at + 8))
  return parts
}

export async function fuzz(seed: number, iterations: number): Promise<void> {
  for (const found of FOUND) await survives(Buffer.from(found, 'base64'), OPENERS)
  await run(seed, iterations, OPENERS)
}

/** One opener that trusts a length. */
export async function canary(): Promise<void> {
  const trusting: Opener = {
    container: 'trusting',
    recognises: (octets) => octets.length > 64,
    open({ octets }) {
      octets.readUInt8(octets[40]! * 8)
      return []
    },
  }
  await run(1, 200, [...OPENERS, trusting])
}

async function run(seed: number, iterations: number, openers: readonly Opener[]): Promise<void> {
  let state = seed >>> 0
  const chance: Chance = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  for (let i = 0; i < iterations; i++) {
    const whole = WRAPS[chance(WRAPS.length)]!(SAMPLES[chance(SAMPLES.length)]!)
    if (chance(8) === 0) {
      const found = await survives(whole, openers)
      if (!found.objects.some(({ octets }) => octets.includes(TEXT)))
        throw new Error(`not seen: ${whole.toString('base64')}`)
    } else await survives(chance(5) === 0 ? textOf(chance) : damaged(whole, chance), openers)
  }
}

function textOf(chance: Chance): Buffer {
  const text = Array.from({ length: chance(8) }, () => PIECES[chance(PIECES.length)]!).join('')
  return Buffer.from(text, chance(3) === 0 ? 'utf16le' : 'latin1')
}

function damaged(whole: Buffer, chance: Chance): Buffer {
  const octets = Buffer.from(whole)
  for (let edits = 1 + chance(EDITS_MAX); edits > 0; edits--) {
    const at = chance(octets.length)
    const value = chance(2) === 0 ? EDGES[chance(EDGES.length)]! : chance(256)
    octets.fill(value, at, Math.min(octets.length, at + 1 + chance(8)))
  }
  if (chance(6) === 0) return octets.subarray(0, chance(octets.length))
  return chance(6) === 0 ? Buffer.concat([octets, octets.subarray(chance(octets.length))]) : octets
}

async function survives(octets: Buffer, openers: readonly Opener[]) {
  try {
    const found = await lookInto(octets, { name: 'a.csv', openers, examiners: EXAMINERS, limits: LIMITS })
    if (found.facts.length > FACTS_MAX) throw new Error(`${found.facts.length} facts`)
    const large = found.objects
      .slice(1)
      .find((object) => object.octets.length > Math.max(LIMITS.octetsMax, octets.length))
    if (large) throw new Error(`${large.where} has ${large.octets.length} octets`)
    return found
  } catch (cause) {
    throw new Error(`${octets.toString('base64')}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}
