/** SPF as the desk sees it: each fault has its complaint, and nothing that strangers write can break the reader. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { DeskFacts } from './row.ts'
import { checkSpf } from './spf.ts'
import { readSpf } from './spf-record.ts'
import { facts, seen, type Table, tableDns } from './testing.ts'

const NAME = 'TXT bakery.example'
const includes = (count: number) => Array.from({ length: count }, (_, i) => `include:p${i}.example`).join(' ')
const empty = (count: number): Table =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`TXT p${i}.example`, ['v=spf1 ip4:203.0.113.9']]))

const CASES: readonly [what: string, table: Table, expected: RegExp, more?: Partial<DeskFacts>][] = [
  ['none', {}, /^missing: there is none$/],
  ['none, beside other text', { [NAME]: ['site=1', 'v=spf10 +all'] }, /^missing/],
  ['no answer', { [NAME]: 'unknown' }, /^unknown: SERVFAIL/],
  ['our address', { [NAME]: ['v=spf1 ip4:192.0.2.25 -all'] }, /^there: .*\(0 of 10/],
  ['our network', { [NAME]: ['V=SPF1 ip4:192.0.2.0/24 -all'] }, /^there/],
  [
    'by mx',
    {
      [NAME]: ['v=spf1 mx -all'],
      'MX bakery.example': [{ preference: 1, exchange: 'm.example' }],
      'A m.example': ['192.0.2.25'],
    },
    /^there/,
  ],
  ['by a/24', { [NAME]: ['v=spf1 a:m.example/24 -all'], 'A m.example': ['192.0.2.9'] }, /^there: .*\(1 of 10/],
  [
    'by include',
    { [NAME]: ['v=spf1 include:p0.example -all'], 'TXT p0.example': ['v=spf1 ip4:192.0.2.25 -all'] },
    /^there/,
  ],
  [
    'by redirect',
    { [NAME]: ['v=spf1 redirect=p0.example'], 'TXT p0.example': ['v=spf1 ip4:192.0.2.25 -all'] },
    /^there/,
  ],
  [
    'IPv6',
    { [NAME]: ['v=spf1 ip6:2001:db8::/32 -all'] },
    /^there/,
    { sources: [{ address: '2001:db8::7', greetingName: 'x' }] },
  ],
  ['without us', { [NAME]: ['v=spf1 ip4:203.0.113.1 -all'] }, /^wrong: it does not let 192\.0\.2\.25 pass/],
  ['a soft no to us', { [NAME]: ['v=spf1 ~ip4:192.0.2.25 -all'] }, /^wrong: it does not let/],
  [
    'an include that says no',
    { [NAME]: ['v=spf1 include:p0.example -all'], 'TXT p0.example': ['v=spf1 -ip4:192.0.2.25 +ip4:192.0.2.25'] },
    /^wrong: it does not let/,
  ],
  ['two', { [NAME]: ['v=spf1 -all', 'v=spf1 mx -all'] }, /^wrong: there are 2/],
  ['everybody', { [NAME]: ['v=spf1 +all'] }, /^wrong: it lets everybody/],
  [
    'everybody, by include',
    { [NAME]: ['v=spf1 include:p0.example -all'], 'TXT p0.example': ['v=spf1 all'] },
    /^wrong: it lets everybody/,
  ],
  ['ten look-ups', { [NAME]: [`v=spf1 ip4:192.0.2.25 ${includes(10)} -all`], ...empty(10) }, /^there: .*\(10 of 10/],
  ['eleven look-ups', { [NAME]: [`v=spf1 ip4:192.0.2.25 ${includes(11)} -all`], ...empty(11) }, /^wrong: it needs 11/],
  ['itself', { [NAME]: ['v=spf1 include:bakery.example -all'] }, /^wrong: receivers give up/],
  [
    'void names',
    { [NAME]: ['v=spf1 ip4:192.0.2.25 a:x.example a:y.example a:z.example -all'] },
    /^wrong: 3 of its names/,
  ],
  [
    'an include of nothing',
    { [NAME]: ['v=spf1 ip4:192.0.2.25 include:p0.example -all'] },
    /^wrong: receivers give up on it: p0\.example has no SPF/,
  ],
  [
    'an include of two',
    { [NAME]: ['v=spf1 include:p0.example'], 'TXT p0.example': ['v=spf1', 'v=spf1 a'] },
    /p0\.example has 2 SPF/,
  ],
  ['bad syntax', { [NAME]: ['v=spf1 ipv4:192.0.2.25 -all'] }, /^wrong: .*"ipv4:192\.0\.2\.25" is no SPF term/],
  [
    'an include that DNS does not answer',
    { [NAME]: ['v=spf1 include:p0.example -all'], 'TXT p0.example': 'unknown' },
    /^unknown: SERVFAIL/,
  ],
  ['of who does not send', {}, /^not-needed/, { sends: false }],
  [
    'through a smarthost',
    { [NAME]: ['v=spf1 include:p0.example -all'], ...empty(1) },
    /^there: .*through out\.example: ask there/,
    { sources: [], carriers: ['out.example'] },
  ],
]

describe('SPF', () => {
  for (const [what, table, expected, more] of CASES) {
    it(what, async () => assert.match(seen(await checkSpf(facts(more), tableDns(table)))[0]!, expected))
  }

  const paste = async (table: Table) => (await checkSpf(facts(), tableDns(table)))[0]!.paste
  it('is ready to paste: a new one, ours put into an old one, one of two', async () => {
    assert.deepEqual(await paste({}), ['bakery.example. IN TXT "v=spf1 ip4:192.0.2.25 ~all"'])
    assert.deepEqual(await paste({ [NAME]: ['v=spf1 mx -all'] }), [
      'bakery.example. IN TXT "v=spf1 ip4:192.0.2.25 mx -all"',
    ])
    assert.deepEqual(await paste({ [NAME]: ['v=spf1 mx -all', 'v=spf1 a mx ~all'] }), [
      'bakery.example. IN TXT "v=spf1 ip4:192.0.2.25 mx a -all"',
    ])
  })

  it('that is too long for one string is split', async () => {
    const long = `v=spf1 ${Array.from({ length: 20 }, (_, i) => `ip4:203.0.113.${i}`).join(' ')} -all`
    const [one] = (await paste({ [NAME]: [long] }))!
    const strings = one!.match(/"[^"]*"/g)!
    assert.ok(strings.length > 1 && strings.every((text) => text.length <= 257))
  })

  it('reads whatever strangers write', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'all',
        'a/24//64',
        'mx',
        'ip4:',
        'ip6:::/0',
        'include:',
        'redirect=',
        'exp=x',
        '%{i}',
        '?ptr:x',
        ':',
        '/',
      ),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const read = readSpf(`v=spf1 ${words.join(' ')}`)
        assert.equal(typeof read.ok, 'boolean')
      }),
    )
  })
})
