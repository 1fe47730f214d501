/** What an operator has just published is seen at the next question, and a server that fails says nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './clock.ts'
import { fakeNameServer, type Zone, zoneScript } from './dns/testing.ts'
import { txtLookup } from './txt-lookup.ts'

test('each question is asked anew', async () => {
  const name = 's._domainkey.dest.test'
  let zone: Zone = {}
  await using server = await fakeNameServer(zoneScript(() => zone))
  const lookUp = txtLookup(systemClock, [server.endpoint])
  assert.equal((await lookUp(name)).kind, 'none')
  zone = { [name]: [{ type: 'TXT', name, ttl: 3600, data: ['v=DKIM1; ', 'p=AAAA'] }] }
  const found = await lookUp(name)
  assert.deepEqual(found.kind === 'found' && found.records, ['v=DKIM1; p=AAAA'])
  zone = { [name]: 'servfail' }
  assert.equal((await lookUp(name)).kind, 'unknown')
})
