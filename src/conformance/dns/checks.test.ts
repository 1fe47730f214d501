/** Each record of the desk: there, missing, wrong, and not answered, which is never missing. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { recordText } from '#auth/dkim/keys.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { checkAddresses } from './addresses.ts'
import { checkRecords, outcomeOf } from './desk.ts'
import { checkDkim } from './dkim.ts'
import { checkDmarc, readDmarc } from './dmarc.ts'
import { checkMx } from './mx.ts'
import { checkReverse } from './reverse.ts'
import type { DeskFacts, Row } from './row.ts'
import { checkSenderToken } from './sender-token.ts'
import { readTagList } from './tags.ts'
import { exchanger, facts, seen, type Table, tableDns } from './testing.ts'
import { checkTlsa } from './tlsa.ts'
import { checkMtaSts, checkTlsRpt, mtaStsFault, tlsRptFault } from './transport-security.ts'
import { reverseName } from './zone-lines.ts'

type Check = (facts: DeskFacts, dns: Dns) => Promise<Row[]>
type Case = readonly [table: Table, expected: RegExp, more?: Partial<DeskFacts>]

function table(check: Check, cases: readonly Case[]): void {
  for (const [records, expected, more] of cases) {
    it(`${expected.source}: ${JSON.stringify(records)}`, async () => {
      assert.match(seen(await check(facts(more), tableDns(records))).join('\n'), expected)
    })
  }
}

const HOST = 'mx.relay.example'
const MX = 'MX bakery.example'
const fallback = { fallback: true }

describe('the address of the host', () =>
  table(checkAddresses, [
    [{ [`A ${HOST}`]: ['192.0.2.25'] }, /^there: 192\.0\.2\.25$/],
    [{ [`AAAA ${HOST}`]: ['2001:db8::1'], [`A ${HOST}`]: 'unknown' }, /^there/],
    [{}, /^missing/],
    [{ [`A ${HOST}`]: 'unknown' }, /^unknown/],
    [{ [`A ${HOST}`]: ['10.1.2.3'] }, /^wrong: 10\.1\.2\.3 cannot be reached from outside: private/],
    [{ [`CNAME ${HOST}`]: ['other.example'], 'A other.example': ['192.0.2.25'] }, /^wrong: is an alias of other/],
  ]))

const TOKEN = '0123456789abcdef0123456789abcdef'
const sendsAs = { receives: false, senderToken: TOKEN }
const PLACE = 'TXT _vorposten.bakery.example'

describe('a domain whose mail goes elsewhere', () => {
  table(checkSenderToken, [
    [{ [PLACE]: ['other', `vorposten-sender=${TOKEN}`] }, /^there/, sendsAs],
    [{ [PLACE]: [`vorposten-sender=${TOKEN.replaceAll('0', 'f')}`] }, /^missing/, sendsAs],
    [{}, /^missing/, sendsAs],
    [{ [PLACE]: 'unknown' }, /^unknown: SERVFAIL/, sendsAs],
    [{}, /^unknown: .*vorposten domains show/, { receives: false, senderToken: 'not-readable' }],
    [{}, /^$/],
  ])
  for (const check of [checkMx, checkMtaSts, checkTlsRpt, checkTlsa]) table(check, [[{}, /^not-needed: /, sendsAs]])
})

describe('MX', () =>
  table(checkMx, [
    [{ [MX]: [exchanger(10, HOST)] }, /^there: 10 mx\.relay\.example$/],
    [{ [MX]: [exchanger(10, 'mx2.relay.example')], 'A mx2.relay.example': ['192.0.2.26'] }, /^there[^\n]*$/],
    [{}, /^missing: there is none, not to mx\.relay/],
    [{ [MX]: 'unknown' }, /^unknown: SERVFAIL$/],
    [{ [MX]: [exchanger(0, '')] }, /^wrong: a null MX: /],
    [{ [MX]: [exchanger(0, ''), exchanger(10, HOST)] }, /^wrong: a null MX beside others/],
    [{ [MX]: [exchanger(10, 'far.example')], 'A far.example': ['192.0.2.1'] }, /^missing: mail goes to far\.example/],
    [
      { [MX]: [exchanger(10, HOST), exchanger(20, 'far.example')] },
      /^there: .*past this relay to far.*\nwrong: far\.example has no address/,
    ],
    [{ [MX]: [exchanger(10, HOST), exchanger(20, 'far.example')], 'A far.example': 'unknown' }, /\nunknown: far/],
    [
      {
        [MX]: [exchanger(10, HOST), exchanger(20, 'w.example')],
        'CNAME w.example': ['v.example'],
        'A v.example': ['192.0.2.1'],
      },
      /\nwrong: w\.example is an alias \(CNAME\) of v\.example/,
    ],
    [{ [MX]: [exchanger(10, HOST), exchanger(20, '192.0.2.7')] }, /\nwrong: 192\.0\.2\.7 is an address/],
    [{ [MX]: [exchanger(10, HOST)] }, /^wrong: .*primary has no record/, fallback],
    [
      { [MX]: [exchanger(10, HOST), exchanger(10, 'p.example')] },
      /^wrong: .*stand before the primary \(10\)/,
      fallback,
    ],
    [
      { [MX]: [exchanger(20, HOST), exchanger(10, 'p.example')], 'A p.example': ['192.0.2.1'] },
      /^there: 20 .*behind p\.example$/,
      fallback,
    ],
  ]))

const key = { selector: 's1', algorithm: 'ed25519-sha256', publicKey: 'AAAA', state: 'active' } as const
const KEY = 'TXT s1._domainkey.bakery.example'

describe('DKIM', () =>
  table(checkDkim, [
    [{ [KEY]: [recordText('ed25519-sha256', 'AAAA')] }, /^there/, { keys: [key] }],
    [{}, /^missing: the key signs/, { keys: [key] }],
    [{ [KEY]: 'unknown' }, /^unknown/, { keys: [key] }],
    [{ [KEY]: [recordText('ed25519-sha256', 'BBBB')] }, /^wrong: it holds another key/, { keys: [key] }],
    [
      {},
      /^missing: there is no key that signs: vorposten dkim create bakery/,
      { keys: [{ ...key, state: 'retired' }] },
    ],
    [{}, /^unknown: the store/, { keys: undefined }],
    [{}, /^not-needed/, { sends: false }],
  ]))

const DMARC = 'TXT _dmarc.bakery.example'
describe('DMARC', () => {
  table(checkDmarc, [
    [{ [DMARC]: ['v=DMARC1; p=reject; rua=mailto:a@b.example'] }, /^there: p=reject$/],
    [{ [DMARC]: ['v=DMARC1; p=none'] }, /^there: p=none, which protects nobody yet; nobody gets reports/],
    [{}, /^missing/],
    [{ [DMARC]: 'unknown' }, /^unknown/],
    [{ [DMARC]: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] }, /^wrong: there are 2/],
    [{ [DMARC]: ['v=DMARC1; p=refuse'] }, /^wrong: p=refuse is no value/],
    [{ [DMARC]: ['v=DMARC1; rua=mailto:a@b.example'] }, /^wrong: it has no policy/],
    [{ [DMARC]: ['v=DMARC1; p=none; rua=a@b.example'] }, /^wrong: rua=a@b\.example is no value/],
    [{ [DMARC]: ['v=DMARC1; p=none; p=reject'] }, /^wrong: it is no list/],
    [{ [DMARC]: ['v=dmarc1; p=none'] }, /^wrong: it does not begin/],
    [{ [DMARC]: ['v=DMARC1; p=quarantine'] }, /^there: p=quarantine at bakery/, { domain: 'shop.bakery.example' }],
  ])
  it('of a deep name is asked for eight times at most, and not of a top level', async () => {
    const asked: string[] = []
    const dns: Dns = {
      lookup(name, type) {
        asked.push(name)
        return tableDns({}).lookup(name, type)
      },
    }
    await checkDmarc(facts({ domain: `${'a.'.repeat(20)}bakery.example` }), dns)
    assert.equal(asked.length, 8)
    assert.equal(asked.at(-1), '_dmarc.bakery.example')
  })
})

const PTR = 'PTR 25.2.0.192.in-addr.arpa'
describe('PTR', () => {
  table(checkReverse, [
    [{ [PTR]: [HOST], [`A ${HOST}`]: ['192.0.2.25'] }, /^there: 192\.0\.2\.25 is mx\.relay\.example, and back$/],
    [{ [PTR]: ['o.example'], 'A o.example': ['192.0.2.25'] }, /^there: .*EHLO says mx\.relay/],
    [{}, /^missing/],
    [{ [PTR]: 'unknown' }, /^unknown/],
    [{ [PTR]: [HOST], [`A ${HOST}`]: ['192.0.2.26'] }, /^wrong: .*has another address/],
    [{ [PTR]: [HOST], [`A ${HOST}`]: 'unknown' }, /^unknown/],
    [{}, /^wrong: 10\.0\.0\.1 cannot send/, { sources: [{ address: '10.0.0.1', greetingName: HOST }] }],
  ])
  it('has the names of RFC 1035 and RFC 3596', () => {
    assert.equal(reverseName('192.0.2.25'), '25.2.0.192.in-addr.arpa')
    assert.equal(reverseName('2001:db8::1'), `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`)
  })
})

const STS = 'TXT _mta-sts.bakery.example'
describe('MTA-STS', () =>
  table(checkMtaSts, [
    [{}, /^advised/],
    [{ [STS]: ['v=STSv1; id=7'], 'A mta-sts.bakery.example': ['192.0.2.1'] }, /^there/],
    [{ [STS]: ['v=STSv1; id=7'] }, /^wrong: mta-sts\.bakery\.example, where/],
    [{ [STS]: ['v=STSv1; id=7'], 'A mta-sts.bakery.example': 'unknown' }, /^unknown/],
    [{ [STS]: ['v=STSv1; id=7-8'] }, /^wrong: id=/],
    [{ [STS]: ['v=STSv1; id=7', 'v=STSv1; id=8'] }, /^wrong: there are 2/],
    [{ [STS]: 'unknown' }, /^unknown/],
  ]))

const RPT = 'TXT _smtp._tls.bakery.example'
describe('TLS-RPT', () =>
  table(checkTlsRpt, [
    [{}, /^advised/],
    [{ [RPT]: ['v=TLSRPTv1; rua=mailto:a@b.example,https://r.example/x'] }, /^there/],
    [{ [RPT]: ['v=TLSRPTv1; rua=a@b.example'] }, /^wrong: rua=/],
    [{ [RPT]: ['v=TLSRPTv1'] }, /^wrong: it does not begin/],
    [{ [RPT]: 'unknown' }, /^unknown/],
  ]))

const TLSA = `TLSA _25._tcp.${HOST}`
const tlsa = (hex: string, usage = 3) => [{ usage, selector: 1, matchingType: 1, data: Buffer.from(hex, 'hex') }]
describe('TLSA', () => {
  table(checkTlsa, [
    [{}, /^not-needed/],
    [{ [TLSA]: tlsa('aa11') }, /^there: for each/, { publicKeyDigests: ['aa11'] }],
    [{ [TLSA]: tlsa('aa11') }, /^wrong: they name another key/, { publicKeyDigests: ['bb22'] }],
    [{ [TLSA]: tlsa('aa11', 2) }, /^there: .*not compared here \(2 1 1\)/, { publicKeyDigests: ['bb22'] }],
    [{ [TLSA]: 'unknown' }, /^unknown/],
  ])
  it('is advised where the zone is signed', async () => {
    const rows = await checkTlsa(facts({ publicKeyDigests: ['aa11'] }), tableDns({}, { secure: true }))
    assert.equal(rows[0]?.state, 'advised')
    assert.deepEqual(rows[0]?.paste, [`_25._tcp.${HOST}. IN TLSA 3 1 1 aa11`])
  })
})

describe('the desk', () => {
  it('says unknown where DNS says nothing, and missing where it says no', async () => {
    const silent: Dns = { lookup: async () => ({ kind: 'unknown', text: 'silence' }) }
    const rows = await checkRecords(facts({ keys: [key] }), silent)
    assert.deepEqual([...new Set(rows.map(({ state }) => state))], ['unknown'])
    assert.equal(outcomeOf(rows), 'unknown')
    assert.equal(outcomeOf(await checkRecords(facts(), tableDns({}))), 'incomplete')
    assert.equal(outcomeOf([]), 'complete')
  })

  it('reads whatever strangers write', () => {
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom('v=DMARC1', ';', 'p=', 'none', 'rua=mailto:', ' ', 'v=STSv1')).map((a) => a.join('')),
    )
    fc.assert(
      fc.property(text, (one) => {
        for (const read of [readTagList, readDmarc, mtaStsFault, tlsRptFault]) read(one)
        readDmarc(`v=DMARC1;${one}`)
      }),
    )
  })
})
