import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Shown } from '#cli/recipients-show.ts'
import type { Config } from '#config/config.ts'
import type { Lesson } from '#recipients/lesson.ts'
import { KNOWLEDGE_LIMITS } from '#recipients/limits.ts'
import { SharedMemory } from '#recipients/shared-memory.ts'
import { openStore, readStore } from '#store/database.ts'
import { RECIPIENT_FACTS, RecipientFacts } from '#store/recipient-facts.ts'
import { STEADY_WALL, SteadyWall } from '#store/steady-wall.ts'
import { systemClock } from '#sys/clock.ts'
import { type ChangedNotice, RecipientsClerk } from './recipients.ts'

const ROUTE = 'bakery/main'
const tenant = { name: 'bakery', language: 'en' } as const
const route = { id: ROUTE, tenant: 'bakery', hosts: [{ name: 'mx.bakery.test', port: 25, preference: 10 }] }
const config = {
  tenants: [tenant],
  routes: [route],
  domains: [{ name: 'bakery.test', tenant, route, recipients: { kind: 'live' } }],
} as unknown as Config
const lesson = (key: string, state: Lesson['state']): Lesson => ({ key, state, source: 'delivery', route: ROUTE })
const request = (about: string) => ({ about, target: 'bakery mx.bakery.test:25', route: ROUTE })

/** A desk with its store, and two workers. `desk.silent`: it answers nothing. */
function office() {
  const folder = mkdtempSync(join(tmpdir(), 'desk-'))
  const path = join(folder, 'store.db')
  const store = openStore(path, [STEADY_WALL, RECIPIENT_FACTS])
  const faults: string[] = []
  const wall = new SteadyWall(systemClock)
  const log = (text: string) => void faults.push(text)
  const clerk = new RecipientsClerk({ store, wall, clock: systemClock, config, log })
  const desk = { silent: false, asked: 0 }
  const readers = [readStore(path), readStore(path)]
  const workers = readers.map(
    (reader, index) =>
      new SharedMemory({
        facts: new RecipientFacts(reader),
        wall: new SteadyWall(systemClock),
        clock: systemClock,
        limits: { ...KNOWLEDGE_LIMITS, probesPerSecondMax: 5 },
        fault: (text) => faults.push(text),
        desk: async (about, body) => {
          desk.asked++
          if (desk.silent) throw new Error('no answer within 1000 ms')
          return structuredClone(await clerk.answer(about.slice('recipients/'.length), structuredClone(body), index))
        },
      }),
  )
  clerk.started(async (_about, body) => {
    const { concern, all, ...greeting } = body as ChangedNotice
    for (const worker of workers) {
      worker.greeted(greeting)
      if (all) worker.forget(concern)
      else worker.changed(concern)
    }
    return []
  })
  const [one, two] = workers as [SharedMemory, SharedMemory]
  return {
    clerk,
    desk,
    one,
    two,
    faults,
    store,
    [Symbol.dispose]() {
      void clerk.close()
      for (const reader of readers) reader.close()
      if (store.isOpen) store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

test('what one worker learns it knows at once, the others when the desk has written it', async () => {
  using office_ = office()
  const { one, two, desk } = office_
  one.learn(lesson('anna@bakery.test', 'known'))
  assert.equal(one.get('anna@bakery.test')?.state, 'known')
  assert.equal(two.get('anna@bakery.test'), undefined)
  await one.drain()
  assert.equal(two.get('anna@bakery.test')?.source, 'delivery')
  assert.equal(one.size, 0)
  // A delivery to an address that is known to be good says nothing to anybody.
  const { asked } = desk
  two.learn(lesson('anna@bakery.test', 'known'))
  await two.drain()
  assert.equal(desk.asked, asked)
})

test('outgoing mail of both workers teaches so many addresses in a day, and its server may still be asked', async () => {
  using office_ = office()
  const { clerk, one, two, faults } = office_
  const max = KNOWLEDGE_LIMITS.outgoingNewPerDayMax
  const wrote = (worker: SharedMemory, name: string) =>
    worker.learn({ ...lesson(`${name}@bakery.test`, 'known'), source: 'outgoing' })
  one.learn(lesson('refused@bakery.test', 'unknown'))
  await one.drain()
  wrote(one, 'refused')
  for (let i = 0; i < max; i++) wrote(i % 2 === 0 ? one : two, `user${i}`)
  await Promise.all([one.drain(), two.drain()])
  assert.equal(two.get('refused@bakery.test')?.state, 'unknown')
  assert.equal(two.get(`user${max - 1}@bakery.test`)?.source, 'outgoing')
  assert.equal((await two.lease(request('user1@bakery.test'))).kind, 'probe')
  assert.deepEqual(faults, [])
  for (let i = 0; i < 3; i++) wrote(one, `invented${i}`)
  one.learn(lesson('delivered@bakery.test', 'known'))
  await one.drain()
  assert.equal(one.get('invented1@bakery.test'), undefined)
  assert.equal(one.get('delivered@bakery.test')?.state, 'known')
  assert.equal(faults.length, 1)
  const { counts } = (await clerk.command('show', { subject: 'bakery.test' })) as Shown
  assert.deepEqual(counts, { known: max + 1, unknown: 1 })
})

test('a callout: one worker asks, the other waits and hears, a third finds it in the store', async () => {
  using office_ = office()
  const { one, two } = office_
  const mine = await one.lease(request('bert@bakery.test'))
  assert.equal(mine.kind, 'probe')
  const theirs = await two.lease(request('bert@bakery.test'))
  assert.ok(theirs.kind === 'wait' && mine.kind === 'probe')
  const heard = two.wait(theirs.lease)
  const question = { kind: 'recipient', key: 'bert@bakery.test' } as const
  one.told(mine.lease, { question, route: ROUTE, answer: { kind: 'unknown' } })
  assert.equal(one.get('bert@bakery.test')?.state, 'unknown')
  assert.deepEqual(await heard, { kind: 'unknown' })
  assert.equal(two.get('bert@bakery.test')?.state, 'unknown')
  assert.deepEqual(await two.lease(request('bert@bakery.test')), { kind: 'look' })
  assert.equal(two.domain('bakery.test')?.takesAll, false)
})

test('a flush counts at once everywhere, and nothing from before it is learned after it', async () => {
  using office_ = office()
  const { clerk, one, two } = office_
  await one.hello()
  const leave = await one.lease(request('new@bakery.test'))
  assert.ok(leave.kind === 'probe')
  one.learn(lesson('refused@bakery.test', 'unknown'))
  one.learn(lesson('anna@bakery.test', 'known'))
  await clerk.command('flush', { subject: 'bakery.test' })
  assert.equal(one.get('refused@bakery.test'), undefined)
  const question = { kind: 'recipient', key: 'new@bakery.test' } as const
  one.told(leave.lease, { question, route: ROUTE, answer: { kind: 'unknown' } })
  await one.drain()
  await sleep(50)
  for (const worker of [one, two]) {
    for (const name of ['new', 'refused', 'anna']) assert.equal(worker.get(`${name}@bakery.test`), undefined, name)
  }
  // A batch that was on its way when something changed.
  const old = { lessons: [lesson('late@bakery.test', 'unknown'), lesson('good@bakery.test', 'known')], epoch: 0 }
  await clerk.answer('learn', old, 0)
  assert.equal(two.get('late@bakery.test'), undefined)
  assert.equal(two.get('good@bakery.test')?.state, 'known')
})

test('a change of the directory ends refusals, of one domain or all, and leaves what is good', async () => {
  using office_ = office()
  const { clerk, one, two } = office_
  for (const domain of ['bakery.test', 'shop.test']) {
    one.learn(lesson(`anna@${domain}`, 'known'))
    one.learn(lesson(`nobody@${domain}`, 'unknown'))
  }
  await one.drain()
  await clerk.directoryChanged('bakery.test')
  const states = () =>
    ['anna@bakery.test', 'nobody@bakery.test', 'anna@shop.test', 'nobody@shop.test'].map((key) => two.get(key)?.state)
  assert.deepEqual(states(), ['known', undefined, 'known', 'unknown'])
  await clerk.reload(config)
  assert.deepEqual(states(), ['known', undefined, 'known', undefined])
})

test('a desk that is silent is not waited for: the worker decides alone, within its share', async () => {
  using office_ = office()
  const { one, desk, faults } = office_
  desk.silent = true
  await one.hello()
  const answers = []
  for (let i = 0; i < 20; i++) answers.push(await one.lease(request(`name${i}@bakery.test`)))
  const granted = answers.filter((answer) => answer.kind === 'probe')
  assert.equal(granted.length, 5)
  assert.ok(desk.asked <= 2, 'asked once, not with every question')
  const [leave] = granted
  assert.ok(leave?.kind === 'probe' && leave.lease < 0)
  const waiting = one.wait(leave.lease)
  const question = { kind: 'recipient', key: 'name0@bakery.test' } as const
  one.told(leave.lease, { question, route: ROUTE, answer: { kind: 'known' } })
  assert.deepEqual(await waiting, { kind: 'known' })
  assert.equal(one.get('name0@bakery.test')?.state, 'known')
  await one.drain()
  assert.ok(faults.length > 0)
})

test('a budget that is used up is not asked for again before its time', async () => {
  using office_ = office()
  const { one, desk } = office_
  for (let i = 0; i < 500; i++) await one.lease(request(`name${i}@bakery.test`))
  assert.ok(desk.asked < 40, `${desk.asked} questions to the desk`)
})

test('a store that cannot be written or read loses lessons, and nothing else', async () => {
  using office_ = office()
  const { one, two, store, faults } = office_
  store.close()
  one.learn(lesson('anna@bakery.test', 'known'))
  await one.drain()
  assert.ok(
    faults.some((text) => /not written|database is not open/.test(text)),
    faults.join(),
  )
  assert.equal(two.get('anna@bakery.test'), undefined)
})

test('operators see what is known, and are told what they did wrong', async () => {
  using office_ = office()
  const { clerk, one } = office_
  one.learn(lesson('anna@bakery.test', 'known'))
  await one.drain()
  const shown = (await clerk.command('show', { subject: 'Anna@Bakery.TEST' })) as Shown
  assert.equal(shown.address, 'anna@bakery.test')
  assert.deepEqual(shown.served, { tenant: 'bakery', route: ROUTE, source: 'live' })
  assert.equal(shown.learned?.state, 'known')
  assert.equal(shown.learned?.source, 'delivery')
  const domain = (await clerk.command('show', { subject: 'bakery.test' })) as Shown
  assert.deepEqual(domain.counts, { known: 1, unknown: 0 })
  await assert.rejects(clerk.command('show', { subject: 'not an address@' }), /not an address/)
  await assert.rejects(clerk.command('show', {}), /not understood/)
  await assert.rejects(clerk.command('probe', { subject: 'bakery.test' }), /is a domain/)
  await assert.rejects(clerk.command('probe', { subject: 'a@elsewhere.test' }), /not served here/)
  assert.deepEqual(await clerk.command('flush', { subject: 'anna@bakery.test' }), { forgotten: 1 })
  assert.deepEqual(await clerk.command('flush', {}), { forgotten: 0 })
})
