import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textDns } from '#auth/verify/testing.ts'
import { type Content, content, withoutHead } from '#mail/content.ts'
import { session, transaction } from '#mail/testing.ts'
import { systemClock } from '#sys/clock.ts'
import { Authenticating } from './authenticating.ts'
import { inspect } from './inspect.ts'
import { served } from './testing.ts'

const OWN = { hostname: 'relay.example', hopsMax: 50, wallMs: 0 }
const LETTER = content([Buffer.from('From: anna@sender.example\r\n\r\nBread.\r\n')])
const textOf = ({ chunks }: Content): string => Buffer.concat([...chunks]).toString()

async function stamped(isOn: boolean, from = 'anna@sender.example') {
  const dns = textDns({ 'sender.example': 'v=spf1 ip4:192.0.2.1 -all', '_dmarc.sender.example': 'v=DMARC1; p=reject' })
  const said: string[] = []
  const authenticating = new Authenticating({
    ...{ hostname: 'relay.example', clock: systemClock, dns, isOn: () => isOn },
    report: (event) =>
      void said.push(event.kind === 'governed' ? `${event.tenant} ${event.subject} ${event.decision}` : ''),
  })
  const one = transaction(['bob@bakery.test'], from, session())
  const inspected = inspect(one, LETTER, { contentOctetsMax: 1000 }, OWN)
  assert.ok(inspected.kind === 'inspected')
  return { said, dns, came: await authenticating.stamp(one, served(), LETTER, inspected) }
}

test('what was found stands on top, is counted, and goes on to the next step', async () => {
  const { said, came } = await stamped(true)
  assert.match(
    textOf(came.content),
    /^Authentication-Results: relay\.example;\r\n\tspf=pass\r\n[\s\S]*\tdmarc=pass\r\n[\s\S]*\r\nReceived: /,
  )
  assert.equal(textOf(withoutHead(came.content, came.ownOctets)), textOf(LETTER))
  assert.equal(came.authentication?.dmarc.result, 'pass')
  assert.deepEqual(said, ['bakery spf pass', 'bakery dmarc pass'])
})

test('of the empty path and of an address literal SPF says nothing of the author', async () => {
  assert.equal((await stamped(true, '')).came.authentication?.spf.identity, 'helo')
  const literal = (await stamped(true, 'anna@[192.0.2.1]')).came.authentication
  assert.deepEqual([literal?.spf.result, literal?.dmarc.result], ['none', 'fail'])
})

test('where it is off nobody is asked, and the field says so', async () => {
  const { said, dns, came } = await stamped(false)
  assert.match(textOf(came.content), /^Authentication-Results: relay\.example; none\r\nReceived: /)
  assert.deepEqual([said, dns.asked, came.authentication], [[], [], undefined])
})
