/** DNS lists as the program uses them, and the reading of their codes. */
import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { SpamListCode, SpamListSettings } from '#mail/spam-list.ts'
import type { SpamListsWritten, SpamListWritten } from './schema-spam-lists.ts'

export const spamListsOf = (written: SpamListsWritten = {}): readonly SpamListSettings[] =>
  Object.entries(written).map(([name, list]) => spamListOf(name, list))

// What cannot be read was refused before (check-spam-lists.ts).
function spamListOf(name: string, written: SpamListWritten): SpamListSettings {
  const { kind, zone, welcome, weight, codes = {} } = written
  const accessKey = written['access-key']
  const testEntry = written['test-entry']
  return {
    ...{ name, zone, welcome, kinds: [...new Set(kind)] },
    codes: Object.entries(codes).map(([code, value]) => ({ ...readCodePattern(code)!, ...value })),
    ...(weight !== undefined && { weight }),
    ...(accessKey !== undefined && { accessKey }),
    ...(testEntry !== undefined && { testEntry }),
  }
}

export type CodePattern = Pick<SpamListCode, 'written' | 'mask' | 'value'>

const BIT = /^bit-(2|4|8|16|32|64|128)$/
const LOOPBACK_MASK = 0xff00_0000
const LOOPBACK = 0x7f00_0000

/** `127.0.0.2`, `127.0.0.0/24`, `127.0.*.3`, `bit-8`; undefined for all else, and outside 127.0.0.0/8. */
export function readCodePattern(written: string): CodePattern | undefined {
  const bit = BIT.exec(written)
  if (bit !== null) {
    const number = Number(bit[1])
    return { written, mask: (LOOPBACK_MASK | number) >>> 0, value: (LOOPBACK | number) >>> 0 }
  }
  const pattern = written.includes('/') ? readNetworkCode(written) : readOctetsCode(written)
  return pattern !== undefined && pattern.value >>> 24 === 127 && pattern.mask >>> 24 === 255
    ? { written, ...pattern }
    : undefined
}

function readNetworkCode(written: string): Pick<CodePattern, 'mask' | 'value'> | undefined {
  const [address = '', prefix = '', ...more] = written.split('/')
  if (!isIPv4(address) || !/^\d{1,2}$/.test(prefix) || Number(prefix) < 8 || Number(prefix) > 32) return undefined
  const mask = (0xffff_ffff << (32 - Number(prefix))) >>> 0
  const value = numberOf(ipaddr.IPv4.parse(address).toByteArray())
  return more.length === 0 && (value & mask) >>> 0 === value ? { mask, value } : undefined
}

function readOctetsCode(written: string): Pick<CodePattern, 'mask' | 'value'> | undefined {
  const parts = written.split('.')
  if (!isIPv4(parts.map((part) => (part === '*' ? '0' : part)).join('.'))) return undefined
  return {
    mask: numberOf(parts.map((part) => (part === '*' ? 0 : 255))),
    value: numberOf(parts.map((part) => (part === '*' ? 0 : Number(part)))),
  }
}

const numberOf = (octets: readonly number[]): number => Buffer.from(octets).readUInt32BE(0)
