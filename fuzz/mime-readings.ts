/**
 * Fuzzes the reader that takes mail apart in every way:
 *
 * - a well-formed message of any nesting: each of its files is there once, plain, without a doubt;
 * - the same message with lines put in and taken out: it never throws, and keeps its limits;
 * - the files of the well-formed message are still seen after a trick that some reader does not notice.
 */
import { DECODED_OCTETS_FREE, DOUBTS_MAX, PARTS_MAX, READINGS_MAX, type Readings } from '#mime/readings/contract.ts'
import { readEveryWay } from '#mime/readings/readings.ts'

type Read = (octets: Buffer) => Readings
type Chance = (n: number) => number

/** What puts a strange line somewhere; readers differ about it, and nothing disappears for all of them. */
const HARMLESS = [
  'X-Strange: 1',
  ' folded',
  '\t',
  'Content-Transfer-Encoding: 7bit',
  'Content-Type: text/plain; charset=x',
]
const LINES = [
  ...HARMLESS,
  '',
  'no field at all',
  '--b0',
  '--b1--',
  '--b2 x',
  '--',
  'Content-Type: multipart/mixed; boundary=b1',
  'Content-Type: multipart/mixed; boundary*0=b; boundary*1=2',
  'Content-Type: multipart/mixed; boundary="',
  'Content-Type: message/rfc822',
  'Content-Type: (((("""\\',
  "Content-Disposition: attachment; filename*=%%''%zz; filename=\"=?utf-8?b?",
  'Content-Transfer-Encoding: base64',
  'Content-Transfer-Encoding: x-uuencode',
  'begin 644 a.exe',
  '=ybegin line=128 size=3 name=',
  '(This file must be converted with BinHex 4.0)',
  ':#',
  'M=W9V',
  '=3D=\x00\xff=',
  'QUJD====QUJD',
]
const DEPTH_MAX = 4
/** Files of the message at hand that stand in a message with a transfer encoding, which is no plain thing to have. */
const hidden = new Set<string>()

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, readEveryWay)
}

/** A reader that stops at the first end of a multipart, as many do. */
export function canary(): void {
  run(1, 2000, (octets) => {
    const text = octets.toString('latin1')
    const end = /\r\n--b\d+x--\r\n/.exec(text)
    return readEveryWay(end === null ? octets : octets.subarray(0, end.index))
  })
}

function run(seed: number, iterations: number, read: Read): void {
  let state = seed >>> 0
  const chance: Chance = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  for (let i = 0; i < iterations; i++) {
    const files: string[] = []
    hidden.clear()
    const lines = ['From: a@example.org', ...entity(chance, files, 0, { next: 0 }), '']
    checked(lines, () => wellFormed(read(octetsOf(lines)), files))
    const tricked = lines.flatMap((line) =>
      isField(line) && chance(4) === 0 ? [line, HARMLESS[chance(HARMLESS.length)]!] : [line],
    )
    checked(tricked, () => allSeen(read(octetsOf(tricked)), files))
    for (let cuts = chance(6); cuts > 0; cuts--)
      lines.splice(
        chance(lines.length),
        chance(2),
        ...Array.from({ length: chance(3) }, () => LINES[chance(LINES.length)]!),
      )
    checked(lines, () => withinLimits(read(octetsOf(lines))))
  }
}

const octetsOf = (lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1')
const isField = (line: string): boolean => line.startsWith('Content-')

function checked(lines: readonly string[], check: () => void): void {
  try {
    check()
  } catch (cause) {
    throw new Error(`${JSON.stringify(lines)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

function entity(chance: Chance, files: string[], depth: number, boundary: { next: number }): string[] {
  if (depth < DEPTH_MAX && chance(3) > 0)
    return chance(4) === 0 ? message(chance, files, depth, boundary) : multipart(chance, files, depth, boundary)
  const file = `file ${files.length} ${'x'.repeat(chance(90))}!`
  files.push(file)
  switch (chance(3)) {
    case 0:
      return ['Content-Type: text/plain', '', file]
    case 1:
      return [
        'Content-Type: image/png; name=a.png',
        'Content-Transfer-Encoding: base64',
        '',
        ...Buffer.from(file)
          .toString('base64')
          .match(/.{1,76}/g)!,
      ]
    default:
      return [
        'Content-Type: text/html',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        file.replace(' ', '=20').replace(/x{20}/, '$&=\r\n'),
      ]
  }
}

function multipart(chance: Chance, files: string[], depth: number, boundary: { next: number }): string[] {
  const name = `b${boundary.next++}x`
  const lines = [`Content-Type: multipart/mixed; boundary="${name}"`, '']
  for (let parts = 1 + chance(3); parts > 0; parts--)
    lines.push(`--${name}`, ...entity(chance, files, depth + 1, boundary))
  return [...lines, `--${name}--`, '']
}

function message(chance: Chance, files: string[], depth: number, boundary: { next: number }): string[] {
  const from = files.length
  const inner = ['Subject: inner', ...entity(chance, files, depth + 1, boundary)]
  if (chance(2) === 0) return ['Content-Type: message/rfc822', '', ...inner]
  for (const file of files.slice(from)) hidden.add(file)
  const encoded = octetsOf(inner)
    .toString('base64')
    .match(/.{1,76}/g)!
  return ['Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '', ...encoded]
}

const textsOf = ({ readings }: Readings): string[] => readings.map(({ octets }) => octets.toString('latin1').trimEnd())

function wellFormed(read: Readings, files: readonly string[]): void {
  const texts = textsOf(read)
  for (const file of files) {
    const at = texts.indexOf(file)
    if (at < 0 || texts.indexOf(file, at + 1) >= 0) throw new Error(`${at < 0 ? 'not there' : 'there twice'}: ${file}`)
    if (read.readings[at]!.isPlain === hidden.has(file)) throw new Error(`plain is taken for hidden: ${file}`)
  }
  if (read.doubts.length > 0) throw new Error(`doubts: ${JSON.stringify(read.doubts)}`)
}

function allSeen(read: Readings, files: readonly string[]): void {
  const texts = textsOf(read)
  for (const file of files)
    if (!texts.some((text) => text.includes(file))) throw new Error(`hidden by a trick: ${file}`)
}

function withinLimits({ readings, doubts }: Readings): void {
  if (readings.length > READINGS_MAX || doubts.length > DOUBTS_MAX) throw new Error('too many')
  if (new Set(readings.map(({ where }) => where)).size > PARTS_MAX * 3) throw new Error('too many parts')
  if (readings.reduce((sum, { octets }) => sum + octets.length, 0) > 2 * DECODED_OCTETS_FREE)
    throw new Error('too large')
}
