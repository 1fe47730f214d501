/**
 * DMARC against the cases of Rspamd, and against the spoofing cases of espoofer ("Composition Kills", USENIX Security 2020):
 * none of those may pass in the name of legitimate.example.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { SpfQuestion } from '#auth/verify/spf/check-host.ts'
import { parseReversePath } from '#mail/address.ts'
import type { Dmarc } from '#mail/authentication.ts'
import { domainText } from '#mail/domain.ts'
import { readArchive } from './archive.ts'
import { AUTH, authenticated, crlf, has, rspamdZone, type TestZone } from './email-auth.ts'

function sessionOf(path: string, greetingName: string, clientAddress: string): SpfQuestion | undefined {
  const parsed = parseReversePath(path)
  if (!parsed.ok) return undefined
  if (parsed.value.kind === 'null') return { clientAddress, greetingName, sender: undefined }
  const { localPart, domain } = parsed.value.mailbox
  return { clientAddress, greetingName, sender: { localPart, domain: domainText(domain) } }
}

const WANTED: Readonly<Record<string, (dmarc: Dmarc) => boolean>> = {
  DMARC_POLICY_ALLOW: ({ result }) => result === 'pass',
  DMARC_POLICY_SOFTFAIL: ({ result, policy }) => result === 'fail' && policy === 'none',
  DMARC_POLICY_QUARANTINE: ({ result, policy }) => result === 'fail' && policy === 'quarantine',
  DMARC_POLICY_REJECT: ({ result, policy }) => result === 'fail' && policy === 'reject',
  DMARC_DNSFAIL: ({ result }) => result === 'temperror',
  DMARC_NA: ({ result }) => result === 'none' || result === 'permerror',
}

/** What RFC 9989 says otherwise than RFC 7489, by which the cases were made, or what is no case of ours. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'DMARC PCT ZERO REJECT': 'DMARC_POLICY_REJECT: pct= is gone (RFC 9989 appendix A)',
  'DMARC PCT ZERO SP QUARANTINE': 'DMARC_POLICY_QUARANTINE: pct= is gone (RFC 9989 appendix A)',
  'DMARC SUBDOMAIN PASS DKIM RELAXED ALIGNMENT':
    'DMARC_POLICY_REJECT: the organization has no record, its subdomain has',
  'DMARC SUBDOMAIN PASS SPF RELAXED ALIGNMENT':
    'DMARC_POLICY_REJECT: the organization has no record, its subdomain has',
}
const REWRITES = 'DMARC EVALUATES WIRE FROM AFTER REWRITE'

test('the cases of Rspamd', async (t) => {
  if (!has(t, 'dmarc-rspamd-expected.tsv')) return
  const messages = new Map(
    readArchive(new URL('dmarc-rspamd-messages.tar.gz', AUTH)).map(({ path, octets }) => [path, crlf(octets)]),
  )
  const zone = rspamdZone()
  const rows = readFileSync(new URL('dmarc-rspamd-expected.tsv', AUTH), 'utf8').trimEnd().split('\n').slice(1)
  let count = 0
  const wrong: string[] = []
  for (const row of rows) {
    const [name = '', file = '', ip, from, helo, expected = ''] = row.split('\t')
    // It tests a rewriting of From by Rspamd's own settings; its message is that of the first case.
    if (name === REWRITES) continue
    const octets = messages.get(file.replace(/^dmarc\//, ''))
    if (octets === undefined) {
      t.diagnostic(`${name}: ${file} is not in the archive`)
      continue
    }
    count++
    const { dmarc } = await authenticated(octets, zone, sessionOf(`<${from}>`, helo || 'mx', ip || '192.0.2.1'))
    const wanted = OTHERWISE[name]?.split(':')[0] ?? expected
    if (!WANTED[wanted]!(dmarc)) wrong.push(`${name}: ${JSON.stringify(dmarc)}, expected ${wanted}`)
  }
  assert.deepEqual(wrong, [])
  assert.ok(count >= 16, `${count} cases`)
})

interface Spoofing {
  readonly id: string
  readonly helo_b64: string
  readonly mail_from_b64: string
  readonly data_b64: string
}

const ATTACKER = '192.0.2.66'
/** The public half of the tool's key, which signs its messages. */
const ATTACKERS_KEY =
  'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB'

/** The attacker's own names are all in order. */
const ZONE: TestZone = new Map([
  ['_dmarc.legitimate.example', new Map([['TXT', ['v=DMARC1; p=reject']]])],
  ['legitimate.example', new Map([['TXT', ['v=spf1 ip4:192.0.2.1 -all']]])],
  ['_dmarc.attack.example', new Map([['TXT', ['v=DMARC1; p=none']]])],
  ...['attack.example', '33.attack.example', 'any.attack.example', 'helo.attack.example', 'a.attack.example'].map(
    (name) => [name, new Map([['TXT', [`v=spf1 ip4:${ATTACKER} -all`]]])] as const,
  ),
  ['selector._domainkey.attack.example', new Map([['TXT', [ATTACKERS_KEY]]])],
])

test('the spoofing cases of espoofer', async (t) => {
  if (!has(t, 'espoofer-cases.json')) return
  const { cases } = JSON.parse(readFileSync(new URL('espoofer-cases.json', AUTH), 'utf8')) as {
    readonly cases: readonly Spoofing[]
  }
  assert.equal(cases.length, 22)
  const passed: Record<string, string | undefined> = {}
  for (const { id, helo_b64, mail_from_b64, data_b64 } of cases) {
    const [helo, from] = [helo_b64, mail_from_b64].map((text) => Buffer.from(text, 'base64').toString('latin1'))
    // A path that is none is refused before any content; the content is judged all the same, as from nobody.
    const session = sessionOf(from!, helo!, ATTACKER) ?? sessionOf('<>', helo!, ATTACKER)
    const { dmarc, spf } = await authenticated(Buffer.from(data_b64, 'base64'), ZONE, session)
    t.diagnostic(`${id}: spf=${spf.result} dmarc=${dmarc.result} ${dmarc.domain ?? ''} ${dmarc.reason ?? ''}`)
    if (dmarc.result === 'pass') passed[id] = dmarc.domain
  }
  assert.deepEqual(passed, {})
})
