/**
 * One content stays one message: only CRLF.CRLF ends it, for us and, as we write it, for the next hop
 * (RFC 5321 §2.3.8 and §4.1.1.4).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const SEQUENCES = [
  '\n.\n',
  '\n.\r',
  '\r.\n',
  '\r.\r',
  '\n.\r\n',
  '\r.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\n.\n\r\n',
  '\r\n.\r\r\n',
]
const HIDDEN = 'MAIL FROM:<smuggled@x.test>\r\nRCPT TO:<anna@dest.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n'
const shown = (octets: string) => JSON.stringify(octets)

test('content with a false end is refused, and nothing behind it is executed', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })

  for (const sequence of SEQUENCES) {
    using talk = await greeted(relay.port)
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
    await talk.say('DATA', /^354 /)
    talk.sendRaw(`Subject: first\r\n\r\nfirst${sequence.slice(0, 2)}`).sendRaw(`${sequence.slice(2)}${HIDDEN}`)
    const reply = await talk.reply()
    assert.match(reply.text, /^5\d\d 5\.6\.0 /, shown(sequence))
    // One reply to all that. Behind such content nobody knows where the commands begin, so the session is over.
    await talk.expectClose()
  }
  assert.equal(sink.messages.length, 0)

  await relay.logged(
    /NOQUEUE: reject: END-OF-MESSAGE from unknown\[127\.0\.0\.1\]: 550 5\.6\.0 .*from=<a@x\.test> to=<anna@dest\.test>/,
  )
  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: SEQUENCES.length, held: 0 })
})

test('inside TLS too, wherever the octets are cut', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  let refused = 0
  for (const sequence of SEQUENCES) {
    for (let cut = 0; cut <= sequence.length; cut++) {
      using talk = await greeted(relay.port)
      await talk.startTls()
      await talk.say('EHLO client.test', /^250/)
      await talk.say('MAIL FROM:<a@x.test>', /^250 /)
      await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
      await talk.say('DATA', /^354 /)
      talk.sendRaw(`Subject: first\r\n\r\nfirst${sequence.slice(0, cut)}`).sendRaw(`${sequence.slice(cut)}${HIDDEN}`)
      assert.match((await talk.reply()).text, /^5\d\d 5\.6\.0 /, `${shown(sequence)} cut at ${cut}`)
      await talk.expectClose()
      refused++
    }
  }
  assert.equal(sink.messages.length, 0)
  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused, held: 0 })
})

test('BDAT counts octets: no false end ends it, and what is no line is refused, wherever the chunks are cut', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  let refused = 0
  for (const sequence of SEQUENCES) {
    for (let cut = 0; cut <= sequence.length; cut++) {
      using talk = await greeted(relay.port)
      await talk.say('MAIL FROM:<a@x.test>', /^250 /)
      await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
      const first = `Subject: first\r\n\r\nfirst${sequence.slice(0, cut)}`
      const last = `${sequence.slice(cut)}${HIDDEN}`
      talk.sendRaw(`BDAT ${first.length}\r\n${first}`)
      const between = (await talk.reply()).text
      if (between.startsWith('2')) {
        talk.sendRaw(`BDAT ${last.length} LAST\r\n${last}`)
        assert.match((await talk.reply()).text, /^5\d\d 5\.6\.0 /, `${shown(sequence)} cut at ${cut}`)
      } else assert.match(between, /^5\d\d 5\.6\.0 /, `${shown(sequence)} cut at ${cut}`)
      refused++
    }
  }
  assert.equal(sink.messages.length, 0)
  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused, held: 0 })
})

test('where line ends are normalised, it is one message still, and CRLF is all that the next hop sees', async () => {
  await using sink = await startSink()
  const relay = await startVorposten({ started: false, config: '' })
  await using _relay = relay
  const listeners = [{ name: 'mx', addresses: [`127.0.0.1:${relay.port}`], 'line-ends': 'normalise' }]
  relay.configure(bakery(sink.port, { top: { listeners } }))
  await relay.start()

  const sequences = SEQUENCES.filter((sequence) => !sequence.includes('\0'))
  for (const sequence of sequences) {
    using talk = await greeted(relay.port)
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
    await talk.say('DATA', /^354 /)
    talk.sendRaw(`Subject: first\r\n\r\nfirst${sequence}${HIDDEN}`)
    assert.match((await talk.reply()).text, /^250 /, shown(sequence))
    await talk.say('NOOP', /^250 /)
  }
  assert.deepEqual([...new Set(sink.messages.map((message) => message.reversePath))], ['a@x.test'])
  for (const { wire } of sink.messages) {
    assert.doesNotMatch(wire.toString('latin1'), /\r(?!\n)|(?<!\r)\n/)
    assert.match(wire.toString('latin1'), /\r\nMAIL FROM:<smuggled@x\.test>\r\n/)
  }

  const count = sequences.length
  await assertAccount(relay, [sink], { accepted: count, delivered: count, refused: 0, held: 0 })
})
