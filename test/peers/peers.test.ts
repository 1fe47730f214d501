/**
 * The foreign mail servers by themselves: before a scenario blames the relay, each peer must be known to do what a
 * peer has to.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { startSink } from '../harness/sink.ts'
import { smtpTalk } from '../harness/smtp-talk.ts'
import { waitFor } from '../harness/wait-for.ts'
import { startExim } from './exim.ts'
import { startOpenSmtpd } from './opensmtpd.ts'
import { type PeerName, without } from './peer.ts'
import { startPostfix } from './postfix.ts'

const PEERS = { postfix: startPostfix, exim: startExim, opensmtpd: startOpenSmtpd } as const
const TLS = selfSignedCertificate({ names: ['sink.test'], fromMs: Date.now() - 60_000, days: 1 })
const CONTENT = 'From: a@x.test\r\nTo: user@dest.test\r\nSubject: dots\r\n\r\n.one\r\n..two\r\n'

async function hello(port: number) {
  const talk = await smtpTalk(port)
  await talk.expect(/^220 /)
  await talk.say('EHLO client.test', /^250/)
  return talk
}

for (const name of Object.keys(PEERS) as PeerName[]) {
  const start = PEERS[name]

  test(`${name} as a next hop knows its users and refuses others at RCPT`, {
    skip: without(name),
  }, async () => {
    await using sink = await startSink({}, { tls: TLS })
    const accept = { domain: 'dest.test', users: ['user@dest.test', 'other@dest.test'] }
    await using peer = await start({ relayTo: sink.port, accept })
    using talk = await hello(peer.port)
    // See opensmtpd.ts for why it has none.
    if (name !== 'opensmtpd') await talk.startTls().then(() => talk.say('EHLO client.test', /^250/))
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    await talk.say('RCPT TO:<nobody@dest.test>', /^550 /)
    await talk.say('RCPT TO:<user@elsewhere.test>', /^5\d\d /)
    await talk.say('RCPT TO:<user@dest.test>', /^250 /)
    await talk.say('DATA', /^354 /)
    assert.match((await talk.content(CONTENT)).text, /^250 /)
    const [message] = await sink.received(1)
    assert.equal(message?.tls, true)
    assert.match(message?.content.toString('latin1') ?? '', /\r\n\r\n\.one\r\n\.\.two\r\n$/)
  })

  test(`${name} as the last stop has mailboxes and a filter`, {
    skip: without(name) || (name === 'opensmtpd' && 'it has none here'),
  }, async () => {
    await using peer = await start({ accept: { domain: 'dest.test', users: ['user@dest.test', 'other@dest.test'] } })
    using talk = await hello(peer.port)
    const message = { from: 'a@x.test', to: ['user@dest.test'], content: CONTENT }
    peer.filter('dots')
    assert.match((await talk.message(message)).text, /^55\d .*smells of spam/)
    peer.filter('commas')
    assert.match((await talk.message(message)).text, /^250 /)
    peer.filter(undefined)
    assert.match((await talk.message(message)).text, /^250 /)
    await waitFor('two messages in the mailbox', () => peer.mail('user').length === 2)
    const [first] = peer.mail('user')
    assert.match(first?.toString() ?? '', /^Return-path: <a@x\.test>$/im)
    assert.match(first?.toString() ?? '', /^Subject: dots$/m)
    assert.match(first?.toString() ?? '', /\n\n\.one\n\.\.two\n$/)
    assert.deepEqual(peer.mail('other'), [])
  })

  test(`${name} as a client keeps what is deferred and sends it later`, { skip: without(name) }, async () => {
    await using sink = await startSink({ rcpt: '451 4.3.0 later' })
    await using peer = await start({ relayTo: sink.port })
    using talk = await hello(peer.port)
    assert.match((await talk.message({ from: 'a@x.test', to: ['b@dest.test'], content: CONTENT })).text, /^250 /)
    await peer.logged(/451 4\.3\.0 later/)
    await peer.stop()
    await assert.rejects(smtpTalk(peer.port), { code: 'ECONNREFUSED' })
    sink.behave({})
    await peer.start()
    await peer.flush()
    const [message] = await sink.received(1)
    assert.equal(message?.recipients[0]?.mailbox, 'b@dest.test')
  })
}
