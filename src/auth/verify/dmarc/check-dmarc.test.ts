import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inPieces } from '#auth/dkim/testing.ts'
import type { DkimSignature, Dmarc, Spf } from '#mail/authentication.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { type TextZone, textDns } from '../testing.ts'
import { authorDomain } from './author.ts'
import { checkDmarc } from './check-dmarc.ts'
import { readDmarc } from './record.ts'
import { TreeWalks } from './tree-walk.ts'

const NO_SPF: Spf = { result: 'none', identity: 'mailfrom', domain: undefined }
const spf = (domain: string, result: Spf['result'] = 'pass'): Spf => ({ result, identity: 'mailfrom', domain })
const dkim = (domain: string, result: DkimSignature['result'] = 'pass'): DkimSignature => ({ result, domain })

const check = (
  domain: string,
  zone: TextZone,
  by: { spf?: Spf; dkim?: readonly DkimSignature[] } = {},
): Promise<Dmarc> => checkDmarc({ ok: true, domain }, { spf: by.spf ?? NO_SPF, dkim: by.dkim ?? [] }, textDns(zone))
const brief = ({ result, policy, alignedBy }: Dmarc) => [result, policy, alignedBy.join(' ')].filter(Boolean).join(' ')

const ORG = { '_dmarc.bakery.test': 'v=DMARC1; p=reject; sp=quarantine', 'shop.bakery.test': [] }

describe('DMARC', () => {
  it('passes by a domain in alignment: the same, or of the same organization unless it is strict', async () => {
    assert.equal(brief(await check('bakery.test', ORG, { spf: spf('bakery.test') })), 'pass reject spf')
    assert.equal(brief(await check('bakery.test', ORG, { spf: spf('mail.bakery.test') })), 'pass reject spf')
    assert.equal(brief(await check('shop.bakery.test', ORG, { dkim: [dkim('bakery.test')] })), 'pass quarantine dkim')
    const both = { spf: spf('bakery.test'), dkim: [dkim('other.test'), dkim('bakery.test')] }
    assert.equal(brief(await check('bakery.test', ORG, both)), 'pass reject spf dkim')
    const strict = { '_dmarc.bakery.test': 'v=DMARC1; p=reject; adkim=s; aspf=s' }
    assert.equal(brief(await check('bakery.test', strict, { dkim: [dkim('mail.bakery.test')] })), 'fail reject')
    assert.equal(brief(await check('bakery.test', strict, { spf: spf('mail.bakery.test') })), 'fail reject')
    assert.equal(brief(await check('bakery.test', strict, { spf: spf('bakery.test') })), 'pass reject spf')
  })

  it('fails where nothing, or only others, have vouched', async () => {
    for (const by of [
      {},
      { spf: spf('evil.test') },
      { spf: spf('notbakery.test') },
      { spf: spf('bakery.test', 'softfail') },
      { dkim: [dkim('bakery.test', 'policy')] },
    ])
      assert.equal(brief(await check('bakery.test', ORG, by)), 'fail reject')
  })

  it('does not apply without a record, or with one that cannot be read', async () => {
    assert.equal(brief(await check('bakery.test', {}, { spf: spf('bakery.test') })), 'none')
    assert.equal(
      brief(await check('bakery.test', { '_dmarc.bakery.test': ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] })),
      'none',
    )
    assert.equal(brief(await check('bakery.test', { '_dmarc.bakery.test': 'v=DMARC1; p=maybe' })), 'none')
    assert.equal(
      brief(await check('bakery.test', { '_dmarc.bakery.test': 'v=DMARC1; p=maybe; rua=mailto:a@bakery.test' })),
      'fail none',
    )
    assert.equal(brief(await check('bakery.test', { '_dmarc.bakery.test': 'v=DMARC1; adkim=s' })), 'fail none')
  })

  it('takes the policy of the author, else of its organization for subdomains, else of the suffix', async () => {
    const zone = { ...ORG, '_dmarc.own.bakery.test': 'v=DMARC1; p=none' }
    assert.equal(brief(await check('own.bakery.test', zone)), 'fail none')
    assert.equal(brief(await check('shop.bakery.test', zone)), 'fail quarantine')
    const missing = { '_dmarc.bakery.test': 'v=DMARC1; p=none; sp=quarantine; np=reject', 'shop.bakery.test': [] }
    assert.equal(brief(await check('shop.bakery.test', missing)), 'fail quarantine')
    assert.equal(brief(await check('nowhere.bakery.test', missing)), 'fail reject')
    assert.equal(
      brief(await check('nowhere.bakery.test', { ...missing, 'nowhere.bakery.test': 'silent' })),
      'temperror',
    )
    const suffix = { '_dmarc.gov.test': 'v=DMARC1; p=none; np=reject; psd=y' }
    const found = await check('tax.gov.test', suffix)
    assert.deepEqual([brief(found), found.policyDomain], ['fail reject', 'gov.test'])
    assert.equal(
      brief(await check('bakery.test', { '_dmarc.bakery.test': 'v=DMARC1; p=reject; t=y' })),
      'fail quarantine',
    )
    assert.equal(
      brief(await check('bakery.test', { '_dmarc.bakery.test': 'v=DMARC1; p=quarantine; t=y' })),
      'fail none',
    )
  })

  it('is unknown where DNS was silent, but not by a domain that could not have been in alignment', async () => {
    assert.equal(brief(await check('bakery.test', { '_dmarc.bakery.test': 'silent' })), 'temperror')
    const above = { '_dmarc.shop.bakery.test': 'v=DMARC1; p=reject', '_dmarc.bakery.test': 'silent' } as const
    assert.equal(brief(await check('shop.bakery.test', above, { spf: spf('shop.bakery.test') })), 'pass reject spf')
    assert.equal(brief(await check('shop.bakery.test', above, { spf: spf('evil.test') })), 'fail reject')
    assert.equal(brief(await check('shop.bakery.test', above, { spf: spf('bakery.test') })), 'temperror')
    assert.equal(brief(await check('bakery.test', ORG, { spf: spf('bakery.test', 'temperror') })), 'temperror')
    assert.equal(brief(await check('bakery.test', ORG, { spf: spf('evil.test', 'temperror') })), 'fail reject')
    assert.equal(brief(await check('bakery.test', ORG, { dkim: [dkim('bakery.test', 'temperror')] })), 'temperror')
    assert.equal(brief(await check('bakery.test', ORG, { dkim: [dkim('evil.test', 'temperror')] })), 'fail reject')
    const pass = { spf: spf('bakery.test', 'temperror'), dkim: [dkim('bakery.test')] }
    assert.equal(brief(await check('bakery.test', ORG, pass)), 'pass reject dkim')
  })
})

describe('the tree walk', () => {
  const walk = async (domain: string, zone: TextZone) => {
    const dns = textDns(zone)
    const found = await new TreeWalks(dns).from(domain)
    return { organization: found.ok ? found.organization : undefined, asked: dns.asked.map((one) => one.slice(11)) }
  }

  it('asks at most eight names (RFC 9989 §4.10)', async () => {
    const { asked } = await walk('a.b.c.d.e.f.g.h.i.j.mail.example.com', {})
    assert.deepEqual(asked, [
      'a.b.c.d.e.f.g.h.i.j.mail.example.com',
      'g.h.i.j.mail.example.com',
      'h.i.j.mail.example.com',
      'i.j.mail.example.com',
      'j.mail.example.com',
      'mail.example.com',
      'example.com',
      'com',
    ])
    assert.equal((await walk('a.b.c.d.e.f.example.com', {})).asked[1], 'b.c.d.e.f.example.com')
  })

  it('finds the organization as the examples of RFC 9989 §4.10.2 do', async () => {
    const record = 'v=DMARC1; p=none'
    const zone = { '_dmarc.mail.example.com': record, '_dmarc.example.com': record }
    assert.equal((await walk('a.mail.example.com', zone)).organization, 'example.com')
    const own = { '_dmarc.mail.example.com': `${record}; psd=n`, '_dmarc.example.com': record }
    assert.equal((await walk('a.mail.example.com', own)).organization, 'mail.example.com')
    assert.equal((await walk('a.mail.example.com', { '_dmarc.com': `${record}; psd=y` })).organization, 'example.com')
    assert.equal((await walk('a.mail.example.com', {})).organization, 'a.mail.example.com')
    assert.equal((await walk('a.mail.example.com', { '_dmarc.com': record })).organization, 'a.mail.example.com')
    assert.deepEqual((await walk('example.com', { '_dmarc.example.com': record })).asked, ['example.com'])
    assert.equal((await walk('gov.test', { '_dmarc.gov.test': `${record}; psd=y` })).organization, 'gov.test')
  })
})

describe('a DMARC record', () => {
  it('must begin with its version; what cannot be read in it is passed over', () => {
    for (const text of [
      'v=DMARC1',
      'v=DMARC1;',
      ' v=DMARC1',
      'v=dmarc1; p=none',
      'p=none; v=DMARC1',
      'v=DMARC10; p=none',
    ])
      assert.equal(readDmarc(text) !== undefined, text === 'v=DMARC1' || text === 'v=DMARC1;', text)
    const read = readDmarc('v=DMARC1 ; P = Reject;;x;=;adkim=S; aspf=q; pct=0; psd=N; t=Y')
    assert.deepEqual(
      [read?.policy, read?.strictDkim, read?.strictSpf, read?.psd, read?.isTest],
      ['reject', true, false, 'n', true],
    )
  })
})

describe('the author domain', () => {
  const author = (...lines: string[]) => {
    const { fields } = readHeaderSection(inPieces(`${lines.join('\r\n')}\r\n\r\n`))
    const read = authorDomain(fields.filter(({ name }) => name === 'from'))
    return read.ok ? read.domain : read.reason
  }

  it('is that of the one From field, if all who read it would read the same', () => {
    assert.equal(author('From: Anna <anna@Bakery.Test>'), 'bakery.test')
    assert.equal(author('From: a@bakery.test,\r\n b@bakery.test'), 'bakery.test')
    assert.equal(author('From: "x@evil.test" <anna@bakery.test> (y@evil.test)'), 'bakery.test')
    assert.equal(author('From: <anna@b\xc3\xa4ckerei.test>'), 'xn--bckerei-5wa.test')
    assert.equal(author('Subject: x'), 'there is no From field')
    assert.equal(author('From: a@bakery.test', 'from: a@bakery.test'), 'there are several From fields')
    assert.equal(author('From: a@bakery.test, b@evil.test'), 'the authors are of several domains')
    assert.equal(author('From: <a@bakery.test> b@evil.test'), 'the From field cannot be read for certain')
    assert.equal(author('From: nobody:;'), 'the From field names nobody')
    assert.equal(author('From: a@[192.0.2.1]'), 'an author is at an address, not at a domain')
  })
})
