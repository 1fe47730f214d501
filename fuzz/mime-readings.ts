/**
 * Fuzzes the reader that takes mail apart in every way:
 *
 * - a well-formed message of any nesting: each of its files is there once, plain, without a doubt;
 * - the same message with lines put in and taken out: it never throws, and keeps its limits;
 * - the files of the well-formed message are still seen after a trick that some reader does not notice.
 */
import { DECODED_OCTETS_FREE, DOUBTS_MAX, PARTS_MAX, READINGS_MAX, type Readings } from '#mime/readings/contract.ts'
import { readEveryWay } from '#mime/readings/readings.ts'
import { chances, HARMLESS, type MadeMail, madeMail, octetsOf, tricked } from './made-mail.ts'

type Read = (octets: Buffer) => Readings

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
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const mail = madeMail(chance)
    const { lines } = mail
    checked(lines, () => wellFormed(read(octetsOf(lines)), mail))
    const strange = tricked(lines, chance)
    checked(strange, () => allSeen(read(octetsOf(strange)), mail.files))
    for (let cuts = chance(6); cuts > 0; cuts--)
      lines.splice(
        chance(lines.length),
        chance(2),
        ...Array.from({ length: chance(3) }, () => LINES[chance(LINES.length)]!),
      )
    checked(lines, () => withinLimits(read(octetsOf(lines))))
  }
}

function checked(lines: readonly string[], check: () => void): void {
  try {
    check()
  } catch (cause) {
    throw new Error(`${JSON.stringify(lines)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

const textsOf = ({ readings }: Readings): string[] => readings.map(({ octets }) => octets.toString('latin1').trimEnd())

function wellFormed(read: Readings, { files, hidden }: MadeMail): void {
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
