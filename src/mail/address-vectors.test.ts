/**
 * The address parser against the test sets of others. They judge by RFC 5322 or by habit; a mailbox on the wire is
 * RFC 5321 §4.1.2, which is stricter. Where we differ from what a set says, the difference and its reason stand here.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { parseMailbox } from './address.ts'

type Vector = readonly [address: string, isValid: boolean]

/** Larger sets, which the project does not carry: beside the checkout, or where ADDRESS_VECTORS says. */
const folder = process.env['ADDRESS_VECTORS']
const MORE = folder ? pathToFileURL(`${folder}/`) : new URL('../../../shared/data/addresses/', import.meta.url)
const FIXTURE = new URL('../../fixtures/addresses/skeggse-isemail.json', import.meta.url)

/** What RFC 5321 allows too; every other diagnosis is an error there: comments, folding, obsolete forms, sizes. */
const SKEGGSE_VALID = /^(?:valid|rfc5321.*|deprecatedIPv6)$/
const ISEMAIL_VALID = /^ISEMAIL_(?:VALID|DNSWARN_.*|RFC5321_.*)$/

/** `ours` against what the set says, and why. */
const DIFFERENCES: readonly { readonly address: RegExp; readonly ours: boolean; readonly why: string }[] = [
  { address: /^test@\u{103ff}/u, ours: false, why: 'U+103FF is not assigned: no U-label (RFC 5890)' },
  { address: /^[^"(]* <.*>$/, ours: false, why: 'a display name is no part of a mailbox' },
  { address: /^"[^"]+" <.*>$/, ours: false, why: 'a display name is no part of a mailbox' },
  { address: /^Matt "The Matt" /, ours: false, why: 'a display name is no part of a mailbox' },
  { address: /\(this is a comment\)/, ours: false, why: 'RFC 5321 has no comments' },
  { address: /@xn--example\.com$/, ours: true, why: 'a fake A-label is found out by the DNS; nobody is harmed before' },
]

function compare(vectors: readonly Vector[], differencesMax: number): void {
  let differences = 0
  for (const [address, isValid] of vectors) {
    const parsed = parseMailbox(address)
    if (parsed.ok === isValid) continue
    const known = DIFFERENCES.find((difference) => difference.address.test(address))
    const fault = parsed.ok ? 'read as valid' : parsed.fault
    assert.equal(known?.ours, parsed.ok, `${JSON.stringify(address)}: ${fault}`)
    differences++
  }
  // A pattern that is too wide must not hide a change.
  assert.equal(differences, differencesMax)
}

/** Sets that are not there are said to be missing, not called passed. */
function readMore(t: TestContext, file: string): string | undefined {
  const url = new URL(file, MORE)
  if (existsSync(url)) return readFileSync(url, 'utf8')
  t.diagnostic(`${file} is not here: not compared`)
  return undefined
}

test('skeggse/isemail', () => {
  const pairs = JSON.parse(readFileSync(FIXTURE, 'utf8')) as [string, string][]
  assert.equal(pairs.length, 210)
  const vectors = pairs.map(([address, diagnosis]): Vector => [address, SKEGGSE_VALID.test(diagnosis)])
  assert.equal(vectors.filter(([, isValid]) => isValid).length, 36)
  compare(vectors, 1)
})

test('isemail', (t) => {
  const xml = readMore(t, 'isemail-tests.xml')
  if (xml === undefined) return
  const vectors = [...xml.matchAll(/<test id="\d+">([\s\S]*?)<\/test>/g)].map(([, body = '']): Vector => {
    const address = /<address>([\s\S]*?)<\/address>/.exec(body)?.[1] ?? ''
    return [unescaped(address), ISEMAIL_VALID.test(/<diagnosis>(.*?)</.exec(body)?.[1] ?? '')]
  })
  assert.equal(vectors.length, 164)
  compare(vectors, 0)
})

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

/** Entities of XML; and the symbols that stand for controls, since XML cannot have these. */
function unescaped(text: string): string {
  return text
    .replace(/&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));/g, (_, hex?: string, decimal?: string, name?: string) =>
      name ? (ENTITIES[name] ?? '') : String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal)),
    )
    .replace(/[\u2400-\u241f\u2421]/g, (c) => String.fromCharCode(c === '\u2421' ? 0x7f : c.charCodeAt(0) - 0x2400))
}

for (const [file, isValid, differences] of [
  ['flanker-mailbox_valid.txt', true, 8],
  ['flanker-mailbox_invalid.txt', false, 1],
  ['flanker-abridged_localpart_valid.txt', true, 0],
  ['flanker-abridged_localpart_invalid.txt', false, 0],
] as const) {
  test(file, (t) => {
    const text = readMore(t, file)
    if (text === undefined) return
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    const domain = file.includes('localpart') ? '@bakery.example' : ''
    compare(
      lines.map((line): Vector => [line + domain, isValid]),
      differences,
    )
  })
}
