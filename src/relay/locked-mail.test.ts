import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempted, delivered } from '#mail/testing.ts'
import { newMessage, queueBench, route, settle } from '#queue/testing.ts'
import { LockedMail, type LoginState } from './locked-mail.ts'

const ANNA = 'anna@bakery.test'

function bench() {
  const states = new Map<string, LoginState>()
  const asked = { with: (login: string): LoginState => states.get(login) ?? 'gone' }
  const { queue, keep, events, answer, trying } = queueBench([route()], () => 0.5, {
    withheld: (message) => locked.withheld(message),
  })
  const locked = new LockedMail({
    keep,
    entries: () => [...keep.messages.keys()].map((id) => keep.get(id)!),
    queue,
    login: (name) => asked.with(name),
    report: (event) => void events.push(event),
  })
  const add = (credential: string | undefined, inMs = 1e6, tenant = 'bakery', as: object = {}) => {
    const message = newMessage(['bob@far.test'], 'bakery/main', queue.nowMs())
    const entry = keep.put(
      { ...message, tenant, ...(credential && { submission: { credential } }), ...as },
      queue.nowMs() + inMs,
    )
    queue.add(entry)
    return entry.id
  }
  const held = () => [...keep.messages.keys()].filter((id) => keep.get(id)?.state === 'held')
  answer.with = () => attempted(delivered('250 ok'))
  return { states, asked, queue, keep, events, trying, locked, add, held }
}

test('what waits for a locked login is held, of nobody else; unlocked, it goes out', async () => {
  const { states, keep, events, locked, add, held } = bench()
  states.set(ANNA, 'locked')
  const [hers] = [add(ANNA), add('bernd@bakery.test'), add(undefined), add(ANNA, 1e6, 'other')]
  assert.equal(await locked.hold('bakery', ANNA), 1)
  assert.deepEqual(held(), [hers])
  const event = events.find(({ kind }) => kind === 'held')
  assert.ok(event?.kind === 'held' && event.reason === 'locked' && event.recipients.length === 1)
  assert.equal(await locked.release(ANNA), 0, 'not while it is locked')
  states.set(ANNA, 'open')
  assert.equal(await locked.release('bernd@bakery.test'), 0)
  assert.equal(await locked.release(ANNA), 1)
  await settle()
  assert.equal(keep.get(hers), undefined, 'delivered')
})

test('mail from <> is known by its login too', async () => {
  const { states, locked, add, held } = bench()
  states.set(ANNA, 'locked')
  const hers = add(undefined, 1e6, 'bakery', { login: ANNA })
  add(undefined, 1e6, 'bakery', { login: 'bernd@bakery.test' })
  assert.equal(await locked.hold('bakery', ANNA), 1)
  assert.deepEqual(held(), [hers])
  states.set(ANNA, 'open')
  assert.equal(await locked.release(ANNA), 1)
})

test('an attempt asks too: what nobody has held yet does not slip out', async () => {
  const { states, asked, keep, trying, add, held } = bench()
  states.set(ANNA, 'locked')
  const id = add(ANNA, 0)
  await settle()
  assert.deepEqual(held(), [id])
  assert.equal(trying.length, 0)
  asked.with = () => {
    throw new Error('disk I/O error')
  }
  const other = add(ANNA, 0)
  await settle()
  assert.equal(keep.get(other), undefined, 'a store that cannot be read holds nothing back')
})

test('a start releases what was unlocked while it was away, and nothing of a login that was removed', async () => {
  const { states, keep, locked, add } = bench()
  states.set(ANNA, 'locked').set('bernd@bakery.test', 'locked')
  const [hers, his] = [add(ANNA, 0), add('bernd@bakery.test', 0)]
  await settle()
  states.set(ANNA, 'open').delete('bernd@bakery.test')
  for (const id of [hers, his]) locked.found(keep.get(id)!)
  await settle()
  assert.equal(keep.get(hers), undefined)
  assert.equal(keep.get(his)?.state, 'held')
})
