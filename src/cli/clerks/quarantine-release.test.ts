/** Releases, as the supervisor leads them: marked once they are in the spool, and found again after a crash in between. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTraceId, transaction } from '#mail/testing.ts'
import { QuarantineStore } from '#store/quarantine.ts'
import type { ReleaseAnswer, ReleaseQuestion } from '../../relay/release.ts'
import { quarantineBench } from './quarantine-testing.ts'

const TWO = transaction(['anna@bakery.test', 'ben@bakery.test']).envelope
const released: ReleaseAnswer = { kind: 'released', others: [], text: '<anna@bakery.test> by bakery/shop' }

/** A worker with a spool; `answer` undefined: it dies after it has, or has not, stored the message. */
function worker(answer: ReleaseAnswer | undefined = released) {
  const spool = new Set<string>()
  const asked: ReleaseQuestion[] = []
  const flushed: string[] = []
  const says: { answer: ReleaseAnswer | undefined; stores: boolean; alive: boolean } = {
    answer,
    stores: true,
    alive: true,
  }
  return {
    spool,
    asked,
    flushed,
    says,
    async answers(about: string, body: unknown): Promise<unknown> {
      if (about === 'quarantine/release') {
        const question = body as ReleaseQuestion
        asked.push(question)
        if (says.stores && !question.dryRun) spool.add(question.release)
        return says.answer
      }
      if (about === 'quarantine/spooled') return says.alive ? spool.has((body as { id: string }).id) : undefined
      if (about === 'queue-act') return void flushed.push(...(body as { selection: { ids: string[] } }).selection.ids)
      return undefined
    },
  }
}

test('in the spool, then marked, then due; who has it does not get it again', async (t) => {
  const one = worker()
  const begun: boolean[] = []
  const { keep, act, list, log, clerk, database } = await quarantineBench(t, {
    async worker(about, body) {
      if (about === 'quarantine/release') begun.push(new QuarantineStore(database).isBeingReleased(id))
      return one.answers(about, body)
    },
  })
  const { id } = await keep('bad', { envelope: TWO })
  const [done] = await act('release', [id], { recipient: 'Ben@bakery.test' })
  assert.ok(done?.done)
  const [first] = one.asked
  assert.deepEqual([first?.positions, first?.who, first?.force], [[1], 'anna', false])
  assert.deepEqual(one.flushed, [first?.release])
  assert.deepEqual(
    (await list())[0]?.recipients.map(({ releasedAs }) => releasedAs),
    [undefined, first?.release],
  )
  assert.match((await act('release', [id], { recipient: 'ben@bakery.test' }))[0]!.text, /released already, as \w+;/)
  await act('release', [id])
  assert.deepEqual(one.asked[1]?.positions, [0])
  assert.match((await act('release', [id]))[0]!.text, /released already/)
  assert.equal(one.asked.length, 2)
  // That it begins is written down before any worker can act.
  assert.deepEqual([begun, new QuarantineStore(database).openReleases()], [[true, true], []])
  assert.deepEqual(await log(), ['anna released', 'anna released'])
  assert.equal(
    clerk.metrics()['vorposten_quarantine_ended_total']?.samples[
      'vorposten_quarantine_ended_total{action="released",class="malware"}'
    ],
    2,
  )
})

test('a dry run changes nothing; what speaks against it is told and written down', async (t) => {
  const one = worker({ kind: 'would-release', text: 'by bakery/shop' })
  const { keep, act, list, log } = await quarantineBench(t, { worker: one.answers })
  const { id } = await keep('bad')
  assert.deepEqual(await act('release', [id], { dryRun: true }), [
    { id, done: false, text: 'would release: by bakery/shop' },
  ])
  one.says.answer = { kind: 'refused', text: 'something was found' }
  assert.deepEqual(await act('release', [id], { dryRun: true }), [{ id, done: false, text: 'something was found' }])
  assert.equal((await log()).length + one.flushed.length, 0)
  assert.deepEqual(await act('release', [id]), [{ id, done: false, text: 'something was found' }])
  assert.deepEqual([await log(), (await list())[0]?.recipients[0]?.releasedAs], [['anna release-refused'], undefined])
  assert.equal((await act('delete', [id]))[0]?.done, true)
})

test('a copy to another address leaves the recipients as they are', async (t) => {
  const one = worker()
  const { keep, act, list } = await quarantineBench(t, { worker: one.answers })
  const { id } = await keep('bad')
  assert.ok((await act('release', [id], { to: 'security@bakery.test' }))[0]?.done)
  assert.equal(one.asked[0]?.to, 'security@bakery.test')
  assert.equal((await list())[0]?.recipients[0]?.releasedAs, undefined)
  const both = await act('release', [id], { to: 'x@bakery.test', recipient: 'anna@bakery.test' })
  assert.match(both[0]!.text, /name --to or --recipient/)
  assert.match((await act('release', [id], { recipient: 'x@bakery.test' }))[0]!.text, /none of its recipients/)
})

test('of another tenant, or not there: the same answer', async (t) => {
  const one = worker()
  const { keep, act } = await quarantineBench(t, { worker: one.answers })
  const { id } = await keep('bad')
  const nobody = newTraceId()
  const texts = [...(await act('release', [id], { tenant: 'smith' })), ...(await act('release', [nobody]))].map(
    ({ text }) => text,
  )
  assert.deepEqual([texts, one.asked], [['is not in quarantine', 'is not in quarantine'], []])
})

test('the worker gave no answer: the spools say whether it was done', async (t) => {
  const one = worker()
  one.says.answer = undefined
  const { keep, act, list, log } = await quarantineBench(t, { worker: one.answers })
  const lost = await keep('lost')
  one.says.stores = false
  assert.match((await act('release', [lost.id]))[0]!.text, /no worker answered in time; try again/)
  assert.equal((await list())[0]?.recipients[0]?.releasedAs, undefined)
  one.says.stores = true
  assert.deepEqual(await act('release', [lost.id]), [{ id: lost.id, done: true, text: 'released' }])
  assert.equal((await list())[0]?.recipients[0]?.releasedAs, one.asked[1]?.release)
  assert.deepEqual([one.flushed, await log()], [[one.asked[1]?.release], ['anna released', 'anna release-refused']])
})

/** As a crash leaves it: begun, and nothing more. */
async function begun(t: Parameters<typeof quarantineBench>[0], stored: boolean) {
  const one = worker()
  const bench = await quarantineBench(t, { worker: one.answers })
  const { id } = await bench.keep('bad')
  const open = { release: newTraceId(), id, positions: [0], who: 'anna', text: 'anna@bakery.test' }
  const store = new QuarantineStore(bench.database)
  store.begin(open, bench.clock.wall())
  if (stored) one.spool.add(open.release)
  return { ...bench, one, open, store, id }
}

test('killed after it was spooled and before it was marked: marked at the start, and nobody gets it twice', async (t) => {
  const { again, one, open, list, act, store, lines } = await begun(t, true)
  const clerk = await again()
  await until(() => store.openReleases().length === 0)
  assert.equal((await list())[0]?.recipients[0]?.releasedAs, open.release)
  await until(() => one.flushed.length === 1)
  assert.match((await act('release', [open.id]))[0]!.text, /released already/)
  assert.deepEqual(one.asked, [])
  assert.match(lines.join('\n'), /begun and not written down, and is in the spool/)
  await clerk.close()
})

test('killed before it was spooled: still in quarantine, and can be released', async (t) => {
  const { again, store, list, act, open, one } = await begun(t, false)
  const clerk = await again()
  await until(() => store.openReleases().length === 0)
  assert.equal((await list())[0]?.recipients[0]?.releasedAs, undefined)
  assert.ok((await act('release', [open.id]))[0]?.done)
  assert.equal(one.asked.length, 1)
  await clerk.close()
})

test('while a worker is down nobody knows: neither released nor deleted until it can be asked', async (t) => {
  const { again, store, act, open, one, clock } = await begun(t, true)
  one.says.alive = false
  const clerk = await again()
  await clock.pass(30_000)
  assert.equal(store.openReleases().length, 1)
  assert.match((await act('release', [open.id]))[0]!.text, /busy/)
  assert.match((await act('delete', [open.id]))[0]!.text, /busy/)
  one.says.alive = true
  await clock.pass(10_000)
  await until(() => store.openReleases().length === 0)
  assert.ok((await act('delete', [open.id]))[0]?.done)
  await clerk.close()
})

async function until(is: () => boolean): Promise<void> {
  for (let turn = 0; !is(); turn++) {
    if (turn > 10_000) assert.fail('it never came')
    await new Promise(setImmediate)
  }
}
