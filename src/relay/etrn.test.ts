import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { replyBytes } from '#mail/reply.ts'
import { session } from '#mail/testing.ts'
import { route } from '#queue/testing.ts'
import type { Directory } from '#tenant/directory.ts'
import { type EtrnParts, etrn } from './etrn.ts'
import { served } from './testing.ts'

const OURS = ['192.0.2.0/24']
const DOMAINS = [
  served({ name: 'bakery.test', etrnFrom: OURS }),
  served({ name: '*.bakery.test', route: route('bakery/shops'), etrnFrom: OURS }),
  served({ name: 'smith.test', route: route('smith/main'), etrnFrom: ['198.51.100.7'] }),
  served({ name: 'quiet.test', route: route('quiet/main') }),
]

function bench(waiting: number | Error = 3) {
  const flushed: string[] = []
  const held = new Set<string>()
  const parts: EtrnParts = {
    directory: () => ({ domains: () => DOMAINS }) as unknown as Directory,
    inMaintenance: (id) => held.has(id),
    async flush(routes) {
      if (waiting instanceof Error) throw waiting
      flushed.push(...routes)
      return waiting
    },
  }
  const ask = async (argument: string, address = '192.0.2.1') => {
    const answer = await etrn(session({ client: { address, port: 1 } }), argument, parts)
    return replyBytes(answer.reply).trimEnd()
  }
  return { ask, flushed, held }
}

test('a customer’s server gets its own mail started, and is told how much there is', async () => {
  const { ask, flushed } = bench()
  assert.equal(await ask('bakery.test'), '253 2.0.0 OK, 3 pending messages for node bakery.test started')
  assert.deepEqual(flushed, ['bakery/main'])
  assert.match(await ask('a.bakery.test'), /^253 /)
  assert.match(await ask('@bakery.test'), /^253 /)
  assert.match(await ask('#bakery/shops'), /^253 /)
  assert.deepEqual(flushed, ['bakery/main', 'bakery/shops', 'bakery/main', 'bakery/shops', 'bakery/shops'])
  assert.match(await bench(0).ask('bakery.test'), /^251 2\.0\.0 OK, no messages waiting/)
})

test('nobody gets at the mail of another, and strangers learn nothing', async () => {
  const { ask, flushed } = bench()
  for (const node of ['smith.test', 'nowhere.test', '@test.invalid', '#smith/main', 'quiet.test']) {
    assert.match(await ask(node), /^459 4\.7\.1 Node .* not allowed/)
  }
  for (const node of ['bakery.test', 'nowhere.test', '@bakery.test']) {
    assert.equal(await ask(node, '203.0.113.1'), '550 5.7.1 ETRN is not available to you')
  }
  assert.match(await ask('@test'), /^253 /)
  assert.deepEqual(flushed, ['bakery/main', 'bakery/shops'])
})

test('in maintenance, and when the supervisor is silent: 458', async () => {
  const { ask, held, flushed } = bench()
  held.add('bakery/main')
  assert.match(await ask('bakery.test'), /^458 4\.3\.2 .*in maintenance/)
  assert.match(await ask('@bakery.test'), /^253 /)
  assert.deepEqual(flushed, ['bakery/shops'])
  assert.match(await bench(new Error('silent')).ask('bakery.test'), /^458 /)
})

test('whatever is asked, the answer is one line of printable text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (argument) => {
      assert.match(await bench().ask(argument), /^[245]\d\d [245]\.\d\.\d [\x20-\x7e]+$/)
    }),
    { numRuns: 50 },
  )
})
