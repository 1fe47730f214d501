/**
 * A next hop that breaks off, floods or never says what became of the message: we keep it, and bring it again. Only where
 * the reply to the dot was lost can it arrive twice (RFC 5321 §4.5.4.2; RFC 1047).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { type Behaviour, CLOSE, RESET, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'

const LIES: { readonly [what: string]: Behaviour } = {
  'closes after the dot': { dot: CLOSE },
  'resets after the dot': { dot: RESET },
  'answers 421 at the dot': { dot: { reply: '421 4.3.2 shutting down', afterwards: 'close' } },
  'answers 421 at MAIL': { mail: { reply: '421 4.3.2 shutting down', afterwards: 'close' } },
  'answers without end': { dot: { raw: '250-and one more line\r\n'.repeat(5000) } },
  'answers in two voices': { dot: { raw: '250-yes\r\n550 no\r\n' } },
  'answers nonsense': { dot: { raw: 'HTTP/1.1 400 Bad Request\r\n\r\n' } },
  'answers 354 to the content': { dot: { raw: '354 go on\r\n' } },
  'closes after RCPT': { rcpt: CLOSE },
  'greets with 554': { connect: { reply: '554 5.3.2 not today', afterwards: 'close' } },
}

test('the message is kept, and delivered when the next hop is honest again', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  const lies = Object.entries(LIES)
  for (const [what, lie] of lies) {
    sink.behave(lie)
    using talk = await greeted(relay.port)
    const content = `Subject: ${what}\r\n\r\nx\r\n`
    const reply = await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content })
    assert.match(reply.text, /^250 /, what)
  }
  const listed = async () => (await relay.command('queue', 'list')).text
  assert.match(await listed(), new RegExp(`\\n${lies.length} messages$`))
  assert.equal(sink.accepted.length, 0)

  sink.behave({})
  await relay.command('queue', 'flush')
  await sink.received(lies.length)
  await relay.loggedTimes(lies.length, /removed$/)
  assert.equal(await listed(), 'The queue is empty.')
  for (const [what] of lies) {
    const copies = sink.messages.filter((message) => message.content.includes(`Subject: ${what}\r\n`))
    assert.ok(copies.length <= 2, `${what}: ${copies.length} copies`)
    assert.equal(copies.filter((copy) => copy.accepted).length, 1, what)
  }

  const count = lies.length
  await assertAccount(relay, [sink], { accepted: count, delivered: count, refused: 0, held: 0 })
})
