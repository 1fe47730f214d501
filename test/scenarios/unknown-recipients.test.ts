/**
 * Who does not exist is refused at RCPT, from a list or by asking the customer's server, in words that tell nothing about
 * it. It is asked once, however many ask us.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { knows, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const CONTENT = 'Subject: bread\r\n\r\nTwo loaves, please.\r\n'

test('a list says who exists; postmaster always does', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { listed: ['anna'] } }) })
  using talk = await greeted(relay.port)

  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<nobody@dest.test>', /^550 5\.1\.1 No such recipient here$/)
  await talk.say('RCPT TO:<ANNA@Dest.Test>', /^250 /)
  await talk.say('RCPT TO:<postmaster@dest.test>', /^250 /)
  await talk.say('DATA', /^354 /)
  assert.match((await talk.content(CONTENT)).text, /^250 /)
  // RFC 5321 §2.4: the local part is the customer's, and stays as it was written.
  assert.deepEqual(
    sink.accepted[0]?.recipients.map((recipient) => recipient.mailbox.split('@')[0]),
    ['ANNA', 'postmaster'],
  )

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 1, held: 0 })
})

test('the customer’s server is asked, once, and its words stay with us', async () => {
  const refuse = '550 5.1.1 unknown in mailhost7.internal.bakery.test'
  await using sink = await startSink({
    rcpt: ({ recipient }) => (recipient === 'anna@dest.test' ? undefined : { reply: refuse, afterMs: 300 }),
  })
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: 'live' }) })

  const talks = await Promise.all(Array.from({ length: 8 }, () => greeted(relay.port)))
  const replies = await Promise.all(
    talks.map(async (talk) => {
      await talk.say('MAIL FROM:<a@x.test>', /^250 /)
      return talk.say('RCPT TO:<nobody@dest.test>', /^550 5\.1\.1 /)
    }),
  )
  for (const { text } of replies) assert.doesNotMatch(text, /mailhost|internal|127\.0\.0\.1/)
  // Again, later: remembered.
  const [talk] = talks
  await talk?.say('RCPT TO:<nobody@dest.test>', /^550 5\.1\.1 /)
  await talk?.say('RCPT TO:<anna@dest.test>', /^250 /)
  await talk?.say('RCPT TO:<anna@dest.test>', /^250 /)

  const asked = (mailbox: string) => sink.commands.filter((line) => line.startsWith(`RCPT TO:<${mailbox}>`)).length
  assert.deepEqual([asked('nobody@dest.test'), asked('anna@dest.test')], [1, 1])
  // A callout has the null path, and brings no content.
  assert.deepEqual(
    sink.commands.filter((line) => /^(MAIL|DATA|BDAT)/.test(line)).map((line) => line.replace(/>.*/, '>')),
    ['MAIL FROM:<>', 'MAIL FROM:<>'],
  )
  for (const each of talks) each[Symbol.dispose]()

  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 9, held: 0 })
})

test('who cannot say no has not said no', async () => {
  await using sink = await startSink({ rcpt: '450 4.2.0 greylisted' })
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: 'live' }) })
  using talk = await greeted(relay.port)

  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<anna@dest.test>', /^450 4\.1\.1 /)
  await talk.say('DATA', /^5\d\d /)

  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 2, held: 0 })
})

test('who tries many names learns nothing more from the twenty-first on', async () => {
  await using sink = await startSink()
  const limits = { 'errors-max': 1000 }
  await using relay = await startVorposten({
    config: bakery(sink.port, { recipients: { listed: ['anna'] }, top: { limits } }),
  })
  using talk = await greeted(relay.port)

  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  for (let i = 0; i < 20; i++) await talk.say(`RCPT TO:<guess${i}@dest.test>`, /^550 5\.1\.1 /)
  const unknown = await talk.say('RCPT TO:<guess20@dest.test>', /^450 4\.7\.1 /)
  const known = await talk.say('RCPT TO:<anna@dest.test>', /^450 4\.7\.1 /)
  assert.equal(known.text, unknown.text)

  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 22, held: 0 })
})

test('a server that refuses the null path is asked as somebody else, whose mail is thrown away', async () => {
  await using sink = await startSink({
    ...knows('anna@dest.test'),
    mail: ({ reversePath }) => (reversePath === '' ? '550 5.7.1 no null senders' : undefined),
  })
  const top = { 'callout-sender': 'callout@dest.test' }
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: 'live', top }) })
  using talk = await greeted(relay.port)
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
  assert.ok(sink.commands.includes('MAIL FROM:<callout@dest.test>'), sink.commands.join())
  await talk.say('RCPT TO:<callout@dest.test>', /^452 4\.5\.3 /)
  await talk.say('RSET', /^250 /)

  // As a server does that checks whether the sender of our question exists; and as one that has something to say to it.
  await talk.say('MAIL FROM:<>', /^250 /)
  await talk.say('RCPT TO:<callout@dest.test>', /^250 /)
  await talk.say('RSET', /^250 /)
  const reply = await talk.message({ from: '', to: ['Callout@dest.test'], content: CONTENT })
  assert.match(reply.text, /^250 2\.0\.0 Ok: accepted and discarded/)
  await relay.logged(/to=<Callout@dest\.test>, relay=none, status=discarded \(mail to the sender of our callouts\)/)
  assert.equal(await relay.metric('vorposten_messages_discarded_total{why="callout-sender"}'), 1)
  assert.ok(!sink.commands.some((line) => line.startsWith('RCPT TO:<callout')))
  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 1, held: 0 })
})
