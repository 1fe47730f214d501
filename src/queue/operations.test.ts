import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attempted, deferred, delivered, failed, newTraceId } from '#mail/testing.ts'
import type { ServedDomain } from '#tenant/directory.ts'
import { Operations, type Selection } from './operations.ts'
import { DAY, HOUR, queueBench, route, settle } from './testing.ts'

function bench() {
  const all = queueBench(['bakery/main', 'bakery/spare', 'smith/main'].map((id) => route(id, { retryMaxMs: 20 * DAY })))
  const { queue, keep, byId, report } = all
  const entries = () => [...keep.messages.keys()].flatMap((id) => keep.get(id) ?? [])
  const woken: string[] = []
  const wake = (id: string) => void woken.push(id)
  const domains = new Map<string, ServedDomain>()
  const operations = new Operations({
    queue,
    keep,
    entries,
    route: (id) => byId.get(id),
    domain: (ascii) => domains.get(ascii),
    keptUntilMs: ({ heldSinceMs }) => (heldSinceMs === undefined ? undefined : heldSinceMs + 14 * DAY),
    report,
    wake,
  })
  const ids = async (selection: Selection) => (await operations.list(selection)).rows.map(({ id }) => id)
  const later = (to: string, routeId: string) => all.add([to], routeId, 10 * DAY)
  const serve = (name: string, routeId: string, recipients: ServedDomain['recipients'] = { kind: 'accept-all' }) => {
    const to = byId.get(routeId)!
    const tenant = { name: to.tenant, language: 'en' } as const
    const way = { tenant, route: to, commit: 'spool', policyClass: 'default', contentOctetsMax: 1e6 } as const
    domains.set(name, { name, recipients, ...way })
  }
  serve('bakery.test', 'bakery/main')
  serve('spare.test', 'bakery/spare')
  serve('listed.test', 'bakery/main', { kind: 'listed', keys: new Set(['info@listed.test']) })
  serve('smith.test', 'smith/main')
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

describe('release to another address', () => {
  const redirectTo = (to: string, recipient?: string) => ({ kind: 'release', redirect: { to, recipient } }) as const

  async function refusedFor(...to: string[]) {
    const all = bench()
    const id = all.add(to)
    await settle()
    await all.trying[0]?.end(attempted(...to.map(() => failed('550 5.1.1 no such user'))))
    const text = async (order: ReturnType<typeof redirectTo>, dryRun = false) =>
      (await all.operations.act({ ids: [id] }, order, dryRun))[0]
    const row = async () => (await all.operations.list({ ids: [id] })).rows[0]!
    return { ...all, id, text, row }
  }

  it('sends it there by the route of its domain, and shows where it was for', async () => {
    const { text, row, trying, events, woken, keep, id } = await refusedFor('bob@bakery.test')
    assert.match(
      (await text(redirectTo('info@spare.test'), true))?.text ?? '',
      /^would release: <bob@bakery.test> goes/,
    )
    assert.equal(keep.changes.filter(({ kind }) => kind === 'redirect').length, 0)
    assert.equal((await text(redirectTo('info@spare.test')))?.done, true)
    await settle()
    assert.deepEqual([trying[1]?.id, trying[1]?.route, trying[1]?.recipients], [id, 'bakery/spare', [0]])
    assert.deepEqual(woken, ['bakery/spare'])
    const { to, from } = await row()
    assert.deepEqual(to, [{ address: 'info@spare.test', state: 'pending', original: 'bob@bakery.test' }])
    assert.equal(from, '<anna@sender.example>')
    assert.deepEqual(
      events.flatMap((event) => (event.kind === 'operator' ? [event.action, event.text] : [])),
      ['redirected', '<bob@bakery.test> goes to <info@spare.test> by bakery/spare'],
    )
  })

  it('needs an address of the same tenant that may exist', async () => {
    const { text, keep } = await refusedFor('bob@bakery.test')
    const refusals: [string, RegExp][] = [
      ['bob', /no address/],
      ['joe@smith.test', /no domain that bakery has/],
      ['joe@elsewhere.test', /no domain that bakery has/],
      ['joe@[192.0.2.1]', /no domain that bakery has/],
      ['joe@listed.test', /not on the list/],
      ['BOB@bakery.test', /where it was held/],
    ]
    for (const [to, why] of refusals) assert.match((await text(redirectTo(to)))?.text ?? '', why)
    assert.match((await text(redirectTo('info@spare.test', 'joe@bakery.test')))?.text ?? '', /^no held recipient/)
    assert.deepEqual(
      keep.changes.map(({ kind }) => kind),
      ['attempted'],
    )
    assert.equal((await text(redirectTo('postmaster@listed.test')))?.done, true)
  })

  it('of several gives the new mailbox one copy', async () => {
    const { text, row } = await refusedFor('bob@bakery.test', 'joe@bakery.test')
    assert.equal((await text(redirectTo('info@spare.test')))?.done, true)
    assert.deepEqual(
      (await row()).to.map(({ address, state }) => `${state} ${address}`),
      ['pending info@spare.test', 'dropped joe@bakery.test'],
    )
  })

  it('of one of several stays on their route, and never doubles a recipient', async () => {
    const { text, row } = await refusedFor('bob@bakery.test', 'joe@bakery.test')
    const bob = 'bob@bakery.test'
    const left = (await text(redirectTo('info@spare.test', bob)))?.text ?? ''
    assert.match(left, /<joe@bakery.test> must stay on bakery\/main.*without --recipient/)
    assert.match((await text(redirectTo('joe@bakery.test', bob)))?.text ?? '', /recipient of this message already/)
    assert.equal((await text(redirectTo('info@listed.test', bob)))?.done, true)
    assert.deepEqual(
      (await row()).to.map(({ address, state }) => `${state} ${address}`),
      ['pending info@listed.test', 'held joe@bakery.test'],
    )
  })

  it('does not take along who is still pending', async () => {
    const { operations, add, trying, keep } = bench()
    const id = add(['bob@bakery.test', 'joe@bakery.test'])
    await settle()
    await trying[0]?.end(attempted(failed('550 5.1.1 no such user'), deferred('refused-for-now')))
    const text = async (order: ReturnType<typeof redirectTo>) =>
      (await operations.act({ ids: [id] }, order, false))[0]?.text
    assert.match(
      (await text(redirectTo('info@spare.test'))) ?? '',
      /not held|<joe@bakery\.test> must stay on bakery\/main/,
    )
    assert.ok(!keep.changes.some(({ kind }) => kind === 'redirect'))
  })

  it('gives it the time of a new message', async () => {
    const { text, clock, trying, row, answer } = await refusedFor('bob@bakery.test')
    await clock.pass(10 * DAY)
    answer.with = () => attempted(deferred('connect'))
    await text(redirectTo('info@spare.test'))
    await clock.pass(4 * DAY)
    assert.ok(trying.length > 2)
    assert.equal((await row()).to[0]?.state, 'pending')
    await clock.pass(40 * DAY)
    assert.equal((await row()).to[0]?.state, 'held')
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
