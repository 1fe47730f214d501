/**
 * A message in our custody that the customer's server refuses for good is held: the sender, who may be forged, hears
 * nothing. The operator sees it, and can release it after the server has changed its mind, or throw it away.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const message = (subject: string) => ({
  from: 'forged@victim.test',
  to: ['anna@dest.test'],
  content: `Subject: ${subject}\r\n\r\nx\r\n`,
})
interface Row {
  readonly id: string
  readonly state: string
  readonly from: string
}

test('what is refused after our 250 is held, and the operator decides', async () => {
  await using sink = await startSink({ dot: '554 5.7.1 smells of spam' })
  await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool' }) })
  using talk = await greeted(relay.port)
  const held = async (): Promise<readonly Row[]> => {
    const { text } = await relay.command('queue', 'list', '--state', 'held', '--json')
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row)
  }

  assert.match((await talk.message(message('first'))).text, /^250 /)
  assert.match((await talk.message(message('second'))).text, /^250 /)
  await relay.loggedTimes(2, /status=held .*smells of spam/)
  const rows = await held()
  assert.deepEqual(
    rows.map(({ state, from }) => `${state} ${from}`),
    Array(2).fill('held <forged@victim.test>'),
  )

  const heldNow = () => relay.metric('vorposten_holds{reason="refused"}')
  assert.equal(await heldNow(), 2)

  const [first, second] = rows as [Row, Row]
  const shown = await relay.command('queue', 'show', first.id)
  assert.match(shown.text, /smells of spam/)
  assert.match(shown.text, /^Subject: (first|second)$/m)

  sink.behave({})
  assert.match((await relay.command('queue', 'flush', first.id)).text, /held: release it first/)
  assert.match((await relay.command('queue', 'release', first.id)).text, /1 of 1 done/)
  const [arrived] = await sink.received(1)
  await relay.logged(/removed$/)
  assert.equal(arrived?.reversePath, 'forged@victim.test')
  assert.match((await relay.command('queue', 'delete', second.id)).text, /1 of 1 done/)
  assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)
  assert.equal(await heldNow(), 0)

  await waitFor('the findings', async () => {
    const { text } = await relay.command('findings')
    return /R3 {2}bakery\/\S+ {2}2×.*\n.*smells of spam.*vorposten trace/.test(text)
  })

  // Nothing went to anybody but the recipient: no bounce on any way.
  assert.deepEqual([...new Set(sink.messages.map(({ recipients }) => recipients[0]?.mailbox))], ['anna@dest.test'])
  await assertAccount(relay, [sink], { accepted: 2, delivered: 1, refused: 0, held: 2 })
})
