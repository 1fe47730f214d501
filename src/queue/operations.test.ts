import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attempted, deferred, delivered, newTraceId } from '#mail/testing.ts'
import { Operations, type Selection } from './operations.ts'
import { DAY, HOUR, queueBench, route, settle } from './testing.ts'

function bench() {
  const all = queueBench(['bakery/main', 'bakery/spare', 'smith/main'].map((id) => route(id, { retryMaxMs: 20 * DAY })))
  const { queue, keep, byId, report } = all
  const entries = () => [...keep.messages.keys()].flatMap((id) => keep.get(id) ?? [])
  const woken: string[] = []
  const wake = (id: string) => void woken.push(id)
  const operations = new Operations({ queue, keep, entries, route: (id) => byId.get(id), report, wake })
  const ids = async (selection: Selection) => (await operations.list(selection)).rows.map(({ id }) => id)
  const later = (to: string, routeId: string) => all.add([to], routeId, 10 * DAY)
  return { ...all, operations, ids, later, woken }
}

describe('a selection', () => {
  it('chooses by each of its parts, and by all of them together', async () => {
    const { ids, later, clock } = bench()
    const bob = later('bob@bakery.test', 'bakery/main')
    await clock.pass(2 * HOUR)
    const joe = later('joe@smith.test', 'smith/main')
    assert.deepEqual(await ids({}), [bob, joe])
    assert.deepEqual(await ids({ tenant: 'smith' }), [joe])
    assert.deepEqual(await ids({ route: 'bakery/main' }), [bob])
    assert.deepEqual(await ids({ recipient: 'BOB@' }), [bob])
    assert.deepEqual(await ids({ sender: 'Anna@sender' }), [bob, joe])
    assert.deepEqual(await ids({ sender: '<>' }), [])
    assert.deepEqual(await ids({ olderThanMs: HOUR }), [bob])
    assert.deepEqual(await ids({ state: 'held' }), [])
    assert.deepEqual(await ids({ ids: [joe.toLowerCase(), 'nonsense', newTraceId()] }), [joe])
    assert.deepEqual(await ids({ tenant: 'smith', recipient: 'bob' }), [])
  })

  it('of many says that there are more', async () => {
    const { operations, later } = bench()
    for (let i = 0; i < 5; i++) later('bob@bakery.test', 'bakery/main')
    const { rows, more } = await operations.list({}, 3)
    assert.deepEqual([rows.length, more], [3, true])
    assert.equal((await operations.list({}, 5)).more, false)
  })
})

describe('an action', () => {
  it('is only told in a dry run', async () => {
    const { operations, later, keep, events } = bench()
    const id = later('bob@bakery.test', 'bakery/main')
    for (const kind of ['flush', 'hold', 'requeue', 'delete'] as const) {
      const [result] = await operations.act({}, { kind }, true)
      assert.deepEqual(result, { id, done: false, text: `would ${kind}` })
    }
    assert.deepEqual([keep.changes.length, events.length], [0, 0])
  })

  it('leaves alone what is being attempted', async () => {
    const { operations, add } = bench()
    add()
    await settle()
    const [result] = await operations.act({}, { kind: 'delete' }, false)
    assert.match(result?.text ?? '', /^busy/)
    assert.equal((await operations.list({})).rows[0]?.state, 'under way')
  })

  it('hold stops attempts, release starts them again', async () => {
    const { operations, later, trying, clock, events } = bench()
    later('bob@bakery.test', 'bakery/main')
    const act = async (kind: 'hold' | 'release' | 'flush') => (await operations.act({}, { kind }, false))[0]?.text
    assert.equal(await act('release'), 'not held')
    assert.equal(await act('hold'), 'held')
    assert.equal(await act('hold'), 'already held')
    assert.match((await act('flush')) ?? '', /^held/)
    await clock.pass(20 * DAY)
    assert.equal(trying.length, 0)
    assert.equal(await act('release'), 'released, due now')
    await settle()
    assert.equal(trying.length, 1)
    assert.deepEqual(
      events.map((event) => event.kind === 'operator' && event.action),
      ['held', 'released'],
    )
  })

  it('delete ends the message, and tells the report', async () => {
    const { operations, later, keep, events, clock, trying } = bench()
    later('bob@bakery.test', 'bakery/main')
    await operations.act({}, { kind: 'delete' }, false)
    assert.equal(keep.messages.size, 0)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['operator', 'settled'],
    )
    await clock.pass(20 * DAY)
    assert.equal(trying.length, 0)
  })

  it('requeue by another route leaves the line of a site that is down', async () => {
    const { operations, add, trying, clock, woken, later } = bench()
    add()
    await settle()
    await trying[0]?.end(attempted(deferred('connect')))
    const id = add()
    await settle()
    assert.equal(trying.length, 1)
    const requeue = { kind: 'requeue', route: 'bakery/spare' } as const
    await operations.act({ ids: [id] }, requeue, false)
    await settle()
    assert.deepEqual(woken, ['bakery/spare'])
    assert.deepEqual([trying[1]?.id, trying[1]?.route], [id, 'bakery/spare'])
    await trying[1]?.end(attempted(delivered()))
    await clock.pass(HOUR)
    assert.equal(trying.filter((one) => one.id === id).length, 1)
    const other = later('bob@bakery.test', 'bakery/main')
    const [result] = await operations.act({ ids: [other] }, { kind: 'requeue', route: 'no/where' }, false)
    assert.match(result?.text ?? '', /^no route/)
  })
})

it('show gives the row, and the header section but not the body', async () => {
  const { operations, later } = bench()
  const id = later('bob@bakery.test', 'bakery/main')
  const shown = await operations.show(id)
  assert.equal(shown?.header, 'Subject: hello\r\n')
  assert.deepEqual(shown?.row.to, [{ address: 'bob@bakery.test', state: 'pending' }])
  assert.equal(shown?.row.from, '<anna@sender.example>')
  assert.equal(await operations.show('nonsense'), undefined)
})
