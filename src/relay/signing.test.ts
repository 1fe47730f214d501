import assert from 'node:assert/strict'
import { it } from 'node:test'
import { key } from '#auth/dkim/testing.ts'
import { content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import { replyLine } from '#mail/reply.ts'
import { transaction } from '#mail/testing.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { HandClock, route } from '#queue/testing.ts'
import { declaredDirectory } from '#tenant/declared.ts'
import type { OutboundWay, SigningSettings, Tenant } from '#tenant/directory.ts'
import type { Verified } from './sender-rights.ts'
import { type KeysAnswer, Signing } from './signing.ts'
import { served } from './testing.ts'

const SENDER_DOMAINS = new Set(['news.test', 'late.news.test', 'smith.test'])
const BODY = 'Subject: bread\r\n\r\nToday.\r\n'

function bench(
  keys: Record<string, KeysAnswer>,
  dkim: SigningSettings = { ifUnavailable: 'defer' },
  verified: Verified = () => false,
) {
  const tenant: Tenant = { name: 'bakery', language: 'en' }
  const smith: Tenant = { name: 'smith', language: 'en' }
  const names = ['bakery.test', 'shop.test', 'deep.bakery.test']
  const directory = declaredDirectory({
    tenants: [tenant, smith],
    routes: [route('bakery/main')],
    domains: [
      ...names.map((name) => served({ name, tenant })),
      served({ name: 'smith.test', tenant: smith }),
      served({ name: 'smith.bakery.test', tenant: smith }),
    ],
  })
  const way = { tenant, outbound: { dkim, senderDomains: SENDER_DOMAINS } } as unknown as OutboundWay
  const events: PathEvent[] = []
  const asked: string[] = []
  const signing = new Signing({
    clock: new HandClock(),
    directory: () => directory,
    keysOf(of, domain) {
      asked.push(`${of} ${domain}`)
      return keys[domain] ?? { kind: 'none' }
    },
    verified,
    report: (event) => void events.push(event),
  })
  const sign = async (text: string, from = 'anna@shop.test'): Promise<string> => {
    const whole = content([Buffer.from(text)])
    const message = { transaction: transaction([], from), way, content: whole, messageId: undefined }
    const signed = await signing.sign({ ...message, header: readHeaderSection(whole) }, whole)
    if (signed.kind === 'defer') return replyLine(signed.reply)
    const sent = Buffer.concat(signed.content.chunks).toString()
    assert.ok(sent.endsWith(text))
    const written = [...sent.matchAll(/d=([^;]+);\r\n\ts=(\w+)/g)].map(([, d, s]) => `${d}/${s}`)
    assert.deepEqual(
      written,
      signed.signatures.map(({ domain, selector }) => `${domain}/${selector}`),
    )
    return written.join(' ') || 'as it is'
  }
  const counted = () =>
    events.flatMap((event) => (event.kind === 'governed' ? [`${event.subject} ${event.decision}`] : []))
  return { sign, counted, asked }
}

const keysFor = (domain: string): KeysAnswer => ({
  kind: 'keys',
  keys: [key('rsa-sha256', { domain }), key('ed25519-sha256', { domain })],
})
const SEALED: KeysAnswer = { kind: 'unavailable', text: 'sealed with another master key' }

it('the domain of the author signs, with all its keys; else that of the reversePath', async () => {
  const { sign, counted } = bench({ 'bakery.test': keysFor('bakery.test'), 'shop.test': keysFor('shop.test') })
  assert.equal(await sign(`From: Anna <anna@bakery.test>\r\n${BODY}`), 'bakery.test/r1 bakery.test/e1')
  assert.equal(await sign(`From: anna@bakery.test\r\n${BODY}`, ''), 'bakery.test/r1 bakery.test/e1')
  assert.equal(await sign(`From: eve@far.test\r\n${BODY}`), 'shop.test/r1 shop.test/e1')
  assert.equal(await sign(`From: eve@far.test, anna@bakery.test\r\n${BODY}`), 'bakery.test/r1 bakery.test/e1')
  assert.equal(await sign(`From: a@x.deep.bakery.test\r\n${BODY}`), 'bakery.test/r1 bakery.test/e1')
  assert.equal(await sign(`From: eve@far.test\r\n${BODY}`, ''), 'as it is')
  assert.equal(await sign(`From: eve@far.test\r\n${BODY}`, 'anna@deep.bakery.test'), 'as it is')
  assert.deepEqual(counted(), [...Array(5).fill('dkim signed'), 'dkim no-key', 'dkim no-key'])
})

it('nobody signs for another tenant, or below what is another tenant’s', async () => {
  const keys = { 'smith.test': keysFor('smith.test'), 'bakery.test': keysFor('bakery.test') }
  const { sign, asked } = bench(keys)
  assert.equal(await sign(`From: joe@smith.test\r\n${BODY}`), 'as it is')
  assert.equal(await sign(`From: joe@x.smith.bakery.test\r\n${BODY}`, 'joe@smith.test'), 'as it is')
  assert.equal(await sign(`From: joe@smith.bakery.test\r\n${BODY}`, 'joe@smith.test'), 'as it is')
  assert.ok(
    asked.every((one) => one.startsWith('bakery ') && !one.includes('smith')),
    asked.join(),
  )
})

it('a sender domain signs as long as it is verified, and for names below it that are verified too', async () => {
  const keys = { 'news.test': keysFor('news.test'), 'bakery.test': keysFor('bakery.test') }
  const open = new Set(['news.test'])
  const asked: string[] = []
  const { sign, counted } = bench(keys, undefined, (tenant, domain) => {
    asked.push(`${tenant} ${domain}`)
    return open.has(domain)
  })
  assert.equal(await sign(`From: a@news.test\r\n${BODY}`), 'news.test/r1 news.test/e1')
  assert.equal(await sign(`From: a@far.test\r\n${BODY}`, 'a@news.test'), 'news.test/r1 news.test/e1')
  assert.equal(await sign(`From: a@late.news.test\r\n${BODY}`, ''), 'as it is')
  assert.equal(await sign(`From: a@other.news.test\r\n${BODY}`, ''), 'as it is')
  open.add('late.news.test')
  assert.equal(await sign(`From: a@late.news.test\r\n${BODY}`, ''), 'news.test/r1 news.test/e1')
  open.clear()
  assert.equal(await sign(`From: a@news.test\r\n${BODY}`, 'a@bakery.test'), 'bakery.test/r1 bakery.test/e1')
  assert.equal(await sign(`From: a@news.test\r\n${BODY}`, 'a@news.test'), 'as it is')
  assert.deepEqual(counted().slice(-2), ['dkim signed', 'dkim no-key'])
  assert.deepEqual([...new Set(asked)], ['bakery news.test', 'bakery late.news.test'])
})

it('mail waits when nobody can say whether its sender domain is verified, and other mail does not', async () => {
  const { sign, counted } = bench({ 'news.test': keysFor('news.test') }, undefined, () => {
    throw new Error('disk I/O error')
  })
  assert.match(await sign(`From: a@news.test\r\n${BODY}`), /^451 4\.3\.0/)
  assert.equal(await sign(`From: a@shop.test\r\n${BODY}`), 'as it is')
  assert.deepEqual(counted(), ['dkim deferred', 'dkim no-key'])
})

it('what receivers would read differently leaves as it is', async () => {
  const { sign, counted } = bench({ 'shop.test': keysFor('shop.test') })
  assert.equal(await sign(BODY), 'as it is')
  assert.equal(await sign(`From: a@shop.test\r\nFrom: b@shop.test\r\n${BODY}`), 'as it is')
  assert.deepEqual(counted(), ['dkim no-author', 'dkim malformed'])
})

it('keys that cannot be used delay the mail, unless the tenant would rather send it', async () => {
  const defer = bench({ 'shop.test': SEALED, 'bakery.test': keysFor('bakery.test') })
  const text = `From: a@shop.test\r\n${BODY}`
  assert.equal(
    await defer.sign(text, 'a@bakery.test'),
    '451 4.3.0 Cannot sign this message now, please try again later',
  )
  assert.deepEqual(defer.counted(), ['dkim deferred'])
  const send = bench({ 'shop.test': SEALED }, { ifUnavailable: 'send-unsigned' })
  assert.equal(await send.sign(text), 'as it is')
  assert.deepEqual(send.counted(), ['dkim unavailable'])
  const broken = {
    ...key('rsa-sha256'),
    algorithm: 'rsa-sha256',
    privateKey: key('ed25519-sha256').privateKey,
  } as const
  const fails = bench({ 'shop.test': { kind: 'keys', keys: [broken] } })
  assert.match(await fails.sign(text), /^451 4\.3\.0/)
})

it('a signature ends when the tenant says so', async () => {
  const { sign } = bench({ 'shop.test': keysFor('shop.test') }, { ifUnavailable: 'defer', expiryMs: 86_400_000 })
  assert.equal(await sign(`From: a@shop.test\r\n${BODY}`), 'shop.test/r1 shop.test/e1')
})
