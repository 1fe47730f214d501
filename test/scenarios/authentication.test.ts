/**
 * Who has vouched for a message stands at the top of it, asked of a real name server (unbound with zones of the test); what others
 * forged in our name is gone. When the name server is dead nothing is known, and the mail flows all the same.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { startUnbound, type Unbound, withoutUnbound } from '../peers/unbound.ts'

const skip = withoutUnbound()
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PUBLIC = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
/** All that authentication may take (AUTHENTICATION_MS_MAX), and what a busy machine adds. */
const BUDGET_MS = 5_000
const BUSY_MS = 10_000

let unbound: Unbound | undefined
before(async () => {
  if (skip) return
  const records = [
    'honest 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"',
    '_dmarc.honest 60 IN TXT "v=DMARC1; p=reject"',
    `k1._domainkey.honest 60 IN TXT "v=DKIM1; k=rsa; p=${PUBLIC.slice(0, 200)}" "${PUBLIC.slice(200)}"`,
    'played 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"',
    '_dmarc.played 60 IN TXT "v=DMARC1; p=quarantine"',
    'nothing 60 IN A 127.0.0.1',
  ]
  unbound = await startUnbound([{ name: 'test', records }])
})
after(() => unbound?.[Symbol.asyncDispose]())

const letter = (domain: string, more = ''): string => `${more}From: anna@${domain}\r\nSubject: bread\r\n\r\nBread.\r\n`

async function signed(message: string): Promise<string> {
  const privateKey = String(keys.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const data = [{ signingDomain: 'honest.test', selector: 'k1', privateKey }]
  const { signatures } = await dkimSign(Buffer.from(message), { signatureData: data } as never)
  return signatures + message
}

/** The results as they arrive: our field unfolded, and the rest of the message. */
async function arrives(nameServer: string, message: string, from: string) {
  await using sink = await startSink()
  const config = bakery(sink.port, { top: { 'name-servers': nameServer, authentication: true } })
  await using relay = await startVorposten({ config })
  using talk = await greeted(relay.port)
  const startedMs = performance.now()
  const reply = await talk.message({ from, to: ['one@dest.test'], content: message })
  const tookMs = performance.now() - startedMs
  assert.match(reply.text, /^250 /)
  const content = (await sink.received(1))[0]?.content.toString('latin1') ?? ''
  const field = /^Authentication-Results: relay\.test;((?:\r\n\t.*)+)\r\n/.exec(content)?.[1] ?? assert.fail(content)
  const results = field
    .replace(/\r\n\t(?! )/g, '|')
    .replace(/\r\n\t /g, ' ')
    .split(/;?\|/)
    .slice(1)
  return { results, rest: content.slice(content.indexOf('Received: ')), tookMs }
}

const served = (): string => `${unbound!.endpoint.address}:${unbound!.endpoint.port}`

test('SPF, DKIM and DMARC of an honest sender pass, and what was forged in our name is gone', { skip }, async () => {
  const forged = 'Authentication-Results: (really) relay.test;\r\n\tdmarc=pass header.from=bank.test\r\n'
  const others = 'Authentication-Results: mx.honest.test; dkim=pass\r\n'
  const message = await signed(letter('honest.test', forged + others))
  const { results, rest } = await arrives(served(), message, 'anna@honest.test')
  assert.deepEqual(
    [results[0], results[2]],
    ['spf=pass smtp.mailfrom=honest.test', 'dmarc=pass header.from=honest.test policy.dmarc=reject'],
  )
  assert.match(results[1]!, /^dkim=pass header\.d=honest\.test header\.s=k1 header\.a=rsa-sha256 header\.b=/)
  assert.ok(rest.endsWith(message.replace(forged, '')), rest)
})

test('who plays another fails, and is told apart from who has said nothing', { skip }, async () => {
  const played = await arrives(served(), letter('played.test'), 'anna@played.test')
  assert.deepEqual(played.results, [
    'spf=fail smtp.mailfrom=played.test',
    'dkim=none',
    'dmarc=fail header.from=played.test policy.dmarc=quarantine',
  ])
  const changed = (await signed(letter('honest.test'))).replace('Bread.', 'Cake.')
  const { results } = await arrives(served(), changed, 'eve@nothing.test')
  assert.equal(results[0], 'spf=none smtp.mailfrom=nothing.test')
  assert.match(results[1]!, /^dkim=fail reason="the body was changed" header\.d=honest\.test/)
  assert.equal(results[2], 'dmarc=fail header.from=honest.test policy.dmarc=reject')
  const nothing = await arrives(served(), letter('nothing.test'), '')
  const expected = ['spf=none smtp.helo=client.test', 'dkim=none', 'dmarc=none header.from=nothing.test']
  assert.deepEqual(nothing.results, expected)
})

test('with a dead name server nothing is known, and the mail flows within the budget', async () => {
  // An address of documentation: nobody answers there.
  const { results, tookMs } = await arrives('192.0.2.53:53', letter('honest.test'), 'anna@honest.test')
  assert.match(results[0]!, /^spf=temperror /)
  assert.match(results.at(-1)!, /^dmarc=temperror /)
  assert.ok(tookMs < BUDGET_MS + BUSY_MS, `${tookMs} ms`)
})
