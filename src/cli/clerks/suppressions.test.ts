import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { SUPPRESSIONS, type Suppression } from '#store/suppressions.ts'
import { SuppressionsClerk } from './suppressions.ts'

function open() {
  const clock = new HandClock()
  const database = openStore(':memory:', [SUPPRESSIONS])
  const lines: string[] = []
  const clerk = new SuppressionsClerk({
    database,
    commits: new GroupCommit(database),
    wallMs: () => clock.wall(),
    clock,
    tenantExists: (name) => name === 'bakery',
    log: (line) => void lines.push(line),
  })
  const list = async (tenant?: string) =>
    (await clerk.command('list', { after: ['', ''], ...(tenant && { tenant }) })) as Suppression[]
  return { clock, clerk, lines, list }
}

test('operators add, list and remove; each step is in the log, and ends when it should', async () => {
  const { clock, clerk, lines, list } = open()
  await clerk.command('add', { tenant: 'bakery', address: 'Bob@Far.test', reason: 'asked for it', days: 2 })
  assert.deepEqual(
    (await list('bakery')).map(({ address, reason, text }) => [address, reason, text]),
    [['bob@far.test', 'operator', 'asked for it']],
  )
  assert.deepEqual(await list('smith'), [])
  clock.jumpMs += 2 * 86_400_000
  assert.deepEqual(await list(), [])
  await clerk.command('add', { tenant: 'bakery', address: 'bob@far.test', reason: 'x' })
  await clerk.command('remove', { tenant: 'bakery', address: 'BOB@far.test' })
  assert.deepEqual(await list(), [])
  assert.match(lines.join('\n'), /added[\s\S]*added[\s\S]*suppression of bob@far\.test by bakery: removed/)
})

test('what cannot be done says what to do', async () => {
  const { clerk } = open()
  const add = (body: object) => clerk.command('add', { tenant: 'bakery', address: 'b@c.test', reason: 'x', ...body })
  await assert.rejects(add({ tenant: 'nobody' }), /not a tenant/)
  await assert.rejects(add({ address: 'bob' }), /no address/)
  await assert.rejects(add({ days: 0 }), /not understood/)
  await assert.rejects(clerk.command('remove', { tenant: 'bakery', address: 'b@c.test' }), /does not suppress b@c/)
})

test('refusals that workers tell are counted once', async () => {
  const { clerk, list } = open()
  const bounce = { tenant: 'bakery', address: 'bob@far.test', text: '550 5.1.1 no', evidence: '1M8693VGN006S6T' }
  await clerk.answer('bounced', [bounce, bounce])
  await clerk.answer('bounced', [bounce])
  assert.deepEqual(
    (await list()).map(({ source, evidence }) => [source, evidence]),
    [['session', '1M8693VGN006S6T']],
  )
  assert.equal(
    clerk.metrics()['vorposten_suppressions_total']?.samples['vorposten_suppressions_total{reason="bounced"}'],
    1,
  )
})
