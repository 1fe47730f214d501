/**
 * SPF against the OpenSPF suite (release 2014.04 for RFC 7208): every test gives a result that it allows. Its expected
 * explanations are not looked at: we fetch none (src/auth/verify/spf/check-host.ts says why).
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { checkSpf } from '#auth/verify/spf/check-host.ts'
import { AUTH, has, type TestZone, zoneDns } from './email-auth.ts'

interface Suite {
  readonly description: string
  readonly tests: Readonly<Record<string, SuiteTest>>
  readonly zonedata: Readonly<Record<string, readonly SuiteRecord[]>>
}
interface SuiteTest {
  readonly helo: string
  readonly host: string
  readonly mailfrom: string
  readonly result: string | readonly string[]
}
type SuiteRecord = 'TIMEOUT' | Readonly<Record<string, unknown>>

const TESTS = 203
const TYPES = ['A', 'AAAA', 'MX', 'TXT', 'PTR', 'CNAME']
const plain = (name: unknown) => String(name).toLowerCase().replace(/\.$/, '')

function dataOf(type: string, value: unknown): unknown {
  if (type === 'MX') {
    const [preference, exchange] = value as [number, string]
    return { preference, exchange: plain(exchange) }
  }
  if (type === 'TXT') return [value].flat().map(String).join('')
  return type === 'A' || type === 'AAAA' ? String(value) : plain(value)
}

/** The suite's rules: `SPF` stands for TXT where a name has none; TIMEOUT for all types that are not there. */
function zoneOf(zonedata: Suite['zonedata']): TestZone {
  const zone = new Map<string, Map<string, unknown[] | 'timeout'>>()
  for (const [name, records] of Object.entries(zonedata)) {
    const types = new Map<string, unknown[] | 'timeout'>()
    const hasText = records.some((record) => record !== 'TIMEOUT' && 'TXT' in record)
    for (const record of records) {
      if (record === 'TIMEOUT') {
        for (const type of TYPES) if (!types.get(type)?.length) types.set(type, 'timeout')
        continue
      }
      for (const [written, value] of Object.entries(record)) {
        const type = written === 'SPF' && !hasText ? 'TXT' : written
        const before = types.get(type)
        if (before === 'timeout') continue
        types.set(type, value === 'NONE' ? (before ?? []) : [...(before ?? []), dataOf(type, value)])
      }
    }
    zone.set(plain(name), types)
  }
  return zone
}

function senderOf(mailfrom: string) {
  if (mailfrom === '') return undefined
  const at = mailfrom.lastIndexOf('@')
  return { localPart: mailfrom.slice(0, Math.max(0, at)), domain: mailfrom.slice(at + 1) }
}

test('the OpenSPF suite for RFC 7208', async (t) => {
  if (!has(t, 'spf/rfc7208-tests.yml')) return
  const documents = parseAllDocuments(readFileSync(new URL('spf/rfc7208-tests.yml', AUTH), 'utf8'), {
    uniqueKeys: false,
  })
  const wrong: string[] = []
  let count = 0
  for (const document of documents as Exclude<typeof documents, { empty: true }>) {
    const suite = document.toJS() as Suite
    const zone = zoneOf(suite.zonedata)
    for (const [name, one] of Object.entries(suite.tests)) {
      count++
      const question = { clientAddress: one.host, greetingName: one.helo, sender: senderOf(one.mailfrom) }
      const { result, reason = '' } = await checkSpf(question, zoneDns(zone))
      if (![one.result].flat().includes(result)) wrong.push(`${name}: ${result} (${reason}), expected ${one.result}`)
    }
  }
  t.diagnostic(`${count - wrong.length} of ${count} right`)
  assert.deepEqual(wrong, [])
  assert.equal(count, TESTS)
})
