/**
 * The spam filter on the path, by its own rules alone: what is wanted arrives with its score explained, a phish is refused in
 * the session, kept or tagged as each recipient's policy says, and what a sender claims about its own score arrives nowhere.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'

const crlf = (text: string) => text.replaceAll('\n', '\r\n')

const HAM = crlf(`From: Ben Miller <ben@sender.test>
To: anna@dest.test
Subject: Bread for Saturday
Date: Wed, 25 Nov 2026 01:00:00 +0000
Message-ID: <one@sender.test>
X-Spam-Status: No, score=-99 required=5
X-Spam-Flag: NO

Could you put aside two loaves of rye bread for Saturday? I will come at nine.
`)
const PHISH = crlf(`From: "Security Team" <alert@cheap.test>
To: anna@dest.test
Subject: Verify your password within 24 hours
Date: Wed, 25 Nov 2026 01:00:00 +0000
Message-ID: <two@cheap.test>
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<p>Your account has been suspended. Verify your password immediately.</p>
<p><a href="http://192.0.2.77/login.php">https://www.example.com/signin</a></p>
<form action="http://192.0.2.77/collect.php"><input name="user"><input type="password" name="pass"></form>
`)

/** So far below and above the scores of these two that a new rule makes no difference. */
const POLICY = { 'phishing-tag-at': 2, 'phishing-reject-at': 3 }
const BY_RECIPIENT = [
  { recipients: 'kept', 'phishing-quarantine-at': 2, 'phishing-reject-at': 'off' },
  { recipients: 'tagged*', 'phishing-reject-at': 'off', 'subject-tag': '[SPAM]' },
  { recipients: 'all', filter: false },
]

const config = (port: number) =>
  bakery(port, { commit: 'spool', domain: { 'spam-by-recipient': BY_RECIPIENT }, top: { spam: { policy: POLICY } } })

async function send(relay: Vorposten, content: string, to: string): Promise<string> {
  using talk = await greeted(relay.port)
  return (await talk.message({ from: 'x@sender.test', to: [`${to}@dest.test`], content })).text
}

test('ham passes with its score; a phish is refused, kept and released, tagged, or let through, as its recipient wants', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: config(sink.port) })
  assert.match(await send(relay, HAM, 'anna'), /^250 /)
  const refused = await send(relay, PHISH, 'anna')
  assert.match(refused, /^550 5\.7\.1 Message refused: it looks like spam\. .*; trace \w+$/)
  const kept = /^250 .* as (\w+)$/.exec(await send(relay, PHISH, 'kept'))?.[1] ?? assert.fail('not kept')
  assert.match(await send(relay, PHISH, 'tagged-one'), /^250 /)
  assert.match(await send(relay, HAM, 'all'), /^250 /)

  const arrived = await sink.received(3)
  const [ham, tagged, unfiltered] = ['anna', 'tagged-one', 'all'].map((name) =>
    arrived.find(({ recipients }) => recipients[0]?.mailbox === `${name}@dest.test`)!.content.toString('latin1'),
  )
  assert.match(ham!, /^X-Spam-Status: No, score=\S+ required=5 class=ordinary\r\n\ttests=\[/m)
  assert.doesNotMatch(ham!, /score=-99|X-Spam-Flag/)
  assert.ok(ham!.endsWith(HAM.slice(HAM.indexOf('\r\n\r\n'))))
  assert.match(
    tagged!,
    /^X-Spam-Flag: YES\r\n[\s\S]*^X-Spam-Status: Yes, [\s\S]*HTML_FORM_PASSWORD=[\s\S]*^Subject: \[SPAM\] Verify/m,
  )
  assert.ok(tagged!.endsWith(PHISH.slice(PHISH.indexOf('\r\n\r\n'))))
  assert.ok(unfiltered!.endsWith(HAM), 'nobody has looked, and nothing is changed')

  const id = /trace (\w+)$/.exec(refused)![1]!
  await relay.logged(
    new RegExp(`${id}: spam=reject, score=[\\d.]+, class=phishing.*\\[phishing-reject-at: 3, by spam\\.policy\\]`),
  )
  assert.match(
    (await relay.command('trace', id)).text,
    /spam filter: reject[\s\S]*HTML_FORM_PASSWORD: asks for a password/,
  )
  assert.equal(await relay.metric('vorposten_spam_decisions_total{decision="reject"}'), 1)

  assert.match((await relay.command('quarantine', 'list', '--class', 'phishing')).text, new RegExp(kept))
  assert.equal((await relay.command('quarantine', 'release', kept)).code, 0)
  assert.ok((await sink.received(4)).some(({ recipients }) => recipients[0]?.mailbox === 'kept@dest.test'))
})

test('recipients whose policies differ do not share a transaction', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: config(sink.port) })
  using talk = await greeted(relay.port)
  await talk.say('MAIL FROM:<x@sender.test>', /^250 /)
  await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
  await talk.say('RCPT TO:<kept@dest.test>', /^452 4\.5\.3 /)
  await talk.say('RCPT TO:<ben@dest.test>', /^250 /)
})

test('a real Postfix behind us gets the flag that its rules look for', { skip: without('postfix') }, async () => {
  await using postfix = await startPostfix({ accept: { domain: 'dest.test', users: ['tagged@dest.test'] } })
  await using relay = await startVorposten({ config: config(postfix.port) })
  assert.match(await send(relay, PHISH, 'tagged'), /^250 /)
  const mail = await waitFor('the mail in its mailbox', () => postfix.mail('tagged')[0])
  assert.match(mail.toString('latin1'), /^X-Spam-Flag: YES$/m)
})
