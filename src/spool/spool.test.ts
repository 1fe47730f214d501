/** The spool without faults: what is put in comes out, also after restarts, whatever was done to it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { content } from '#mail/content.ts'
import { SpoolReceipt } from '#mail/custody.ts'
import type { Change, NewMessage, RecipientState, Redirect, StoredMessage } from '#mail/stored.ts'
import { forwardPath } from '#mail/testing.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { TwinDisk } from '../../sim/disk.ts'
import { bodyOf, delivered, drop, newMessage, type Opened, open, readAll } from './rig.test.ts'

test('a receipt comes after the sync, and the message can be read at once', async () => {
  const disk = new TwinDisk(1)
  const { spool, clock } = await open(disk.boot())
  const message = newMessage(2)
  const receipt = spool.append(message, content([bodyOf(message), Buffer.from('tail')]), 77)
  assert.equal(disk.callsOf.get('datasync'), undefined)
  assert.equal(spool.get(message.id), undefined)
  assert.ok(SpoolReceipt.is(await clock.until(receipt)))
  assert.equal(disk.callsOf.get('datasync'), 1)
  assert.equal(spool.get(message.id)?.nextAttemptMs, 77)
  const result = spool.read(message.id)
  assert.ok(!(result instanceof Promise) && result.kind === 'stored')
  assert.equal(Buffer.concat(result.message.content.chunks).toString('latin1').slice(-4), 'tail')
  assert.deepEqual(result.message.recipients, [{ kind: 'pending' }, { kind: 'pending' }])
})

test('many appends at a time share one sync', async () => {
  const disk = new TwinDisk(1)
  const { spool, clock } = await open(disk.boot(), { segmentOctets: 1 << 20 })
  const all = Array.from({ length: 100 }, newMessage.bind(undefined, 1))
  await clock.until(Promise.all(all.map((message) => spool.append(message, content([bodyOf(message)]), 0))))
  assert.equal(spool.counts.syncs, 1)
  assert.equal(spool.counts.messages, 100)
})

test('changes alone wait 2 ms for company, are then written, and synced within 100 ms', async () => {
  const disk = new TwinDisk(1)
  const { spool, clock } = await open(disk.boot())
  const message = newMessage()
  await clock.until(spool.append(message, content([bodyOf(message)]), 0))
  const { syncs, batches } = spool.counts
  spool.change(message.id, { kind: 'reschedule', atMs: 0, nextAttemptMs: 5 })
  await clock.pass(1)
  assert.deepEqual([spool.counts.batches, spool.counts.syncs], [batches, syncs])
  await clock.pass(1)
  assert.deepEqual([spool.counts.batches, spool.counts.syncs], [batches + 1, syncs])
  await clock.pass(100)
  assert.deepEqual([spool.counts.batches, spool.counts.syncs], [batches + 1, syncs + 1])
})

test('a change goes out with the next message, in one write', async () => {
  const disk = new TwinDisk(1)
  const { spool, clock } = await open(disk.boot())
  const [first, second] = [newMessage(), newMessage()]
  await clock.until(spool.append(first, content([bodyOf(first)]), 0))
  const { syncs, batches } = spool.counts
  spool.change(first.id, { kind: 'reschedule', atMs: 0, nextAttemptMs: 5 })
  await clock.until(spool.append(second, content([bodyOf(second)]), 0))
  assert.deepEqual([spool.counts.batches, spool.counts.syncs], [batches + 1, syncs + 1])
})

test('replay tells of each live message once, after openSpool returned', async () => {
  const disk = new TwinDisk(1)
  const first = await open(disk.boot())
  const messages = Array.from({ length: 40 }, newMessage.bind(undefined, 1))
  await first.clock.until(Promise.all(messages.map((m) => first.spool.append(m, content([bodyOf(m)]), 0))))
  first.spool.change(messages[0]!.id, drop)
  await first.clock.until(first.spool.close())
  const { spool, clock } = await open(disk.boot())
  const told: TraceId[] = []
  spool.onEntry((entry) => told.push(entry.id))
  const { messages: found, corrupt, torn } = await clock.until(spool.replayed)
  assert.deepEqual([found, corrupt, torn], [39, 0, 0])
  assert.deepEqual(
    told.sort(),
    messages
      .slice(1)
      .map((m) => m.id)
      .sort(),
  )
})

test('appends after close are refused as closing', async () => {
  const { spool, clock } = await open(new TwinDisk(1).boot())
  await clock.until(spool.close())
  const message = newMessage()
  await assert.rejects(spool.append(message, content([bodyOf(message)]), 0), { kind: 'closing' })
})

test('a change of an unknown message does nothing', async () => {
  const { spool } = await open(new TwinDisk(1).boot())
  spool.change(newMessage().id, drop)
  assert.equal(spool.counts.messages, 0)
})

/** An independent, naive reading of what changes do. */
interface Model {
  message: NewMessage
  body: Buffer
  recipients: RecipientState[]
  route: string
  attempts: number
  nextAttemptMs: number
  lastText: string | undefined
  redirects: readonly Redirect[]
}

const isFinal = (state: RecipientState) => state.kind === 'delivered' || state.kind === 'dropped'

function changeModel(model: Model, change: Change): void {
  const each = (next: (state: RecipientState, i: number) => RecipientState) => {
    model.recipients = model.recipients.map((state, i) => (isFinal(state) ? state : next(state, i)))
  }
  if (change.kind === 'redirect') {
    redirectModel(model, change)
    return
  }
  if ('nextAttemptMs' in change) model.nextAttemptMs = change.nextAttemptMs
  if (change.kind === 'attempted') {
    model.attempts++
    model.lastText = change.text ?? model.lastText
    each((state, i) => change.recipients.get(i) ?? state)
  } else if (change.kind === 'hold') {
    const { atMs, reason, text } = change
    each((state) => (state.kind === 'pending' ? { kind: 'held', atMs, reason, text } : state))
  } else if (change.kind === 'release') each((state) => (state.kind === 'held' ? { kind: 'pending' } : state))
  else if (change.kind === 'reroute') model.route = change.route
  else if (change.kind === 'drop') each(() => ({ kind: 'dropped', atMs: change.atMs, text: change.text }))
}

function redirectModel(model: Model, change: Extract<Change, { kind: 'redirect' }>): void {
  const { atMs, forwardPath, text } = change
  const [first, ...others] = change.recipients.filter((i) => model.recipients[i] && !isFinal(model.recipients[i]))
  if (first === undefined) return
  model.recipients[first] = { kind: 'pending' }
  for (const i of others) model.recipients[i] = { kind: 'dropped', atMs, text }
  model.redirects = [
    ...model.redirects.filter((one) => one.recipient !== first),
    { recipient: first, forwardPath, atMs },
  ]
  model.route = change.route
  model.nextAttemptMs = change.nextAttemptMs
}

/** The message with its new addresses, and the old ones beside it. */
function redirectedModel({ message, redirects }: Model): Pick<StoredMessage, 'envelope' | 'redirected'> {
  const { envelope } = message
  if (redirects.length === 0) return { envelope }
  const now = (i: number) => redirects.find(({ recipient }) => recipient === i)?.forwardPath
  return {
    envelope: {
      ...envelope,
      recipients: envelope.recipients.map((one, i) => ({ ...one, forwardPath: now(i) ?? one.forwardPath })),
    },
    redirected: redirects.map(({ recipient, atMs }) => {
      return { recipient, original: envelope.recipients[recipient]!.forwardPath, atMs }
    }),
  }
}

const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((t) => t.isWellFormed())
const ms = fc.integer({ min: 0, max: 2 ** 50 })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('attempted' as const),
    atMs: ms,
    nextAttemptMs: ms,
    text,
    recipients: fc
      .array(fc.tuple(fc.nat(3), fc.constantFrom<RecipientState>(delivered, { kind: 'pending' })), { maxLength: 3 })
      .map((pairs) => new Map(pairs)),
  }),
  fc.record({ kind: fc.constant('hold' as const), atMs: ms, reason: fc.constant('operator' as const), text }),
  fc.record({ kind: fc.constant('release' as const), atMs: ms, nextAttemptMs: ms }),
  fc.record({ kind: fc.constant('reschedule' as const), atMs: ms, nextAttemptMs: ms }),
  fc.record({ kind: fc.constant('reroute' as const), atMs: ms, route: fc.constant('b/c'), nextAttemptMs: ms }),
  fc.record({ kind: fc.constant('drop' as const), atMs: ms, text }),
  fc.record({
    kind: fc.constant('redirect' as const),
    atMs: ms,
    recipients: fc.uniqueArray(fc.nat(4), { minLength: 1 }),
    forwardPath: fc.constantFrom(forwardPath('a@x.test'), forwardPath('"b c"@\u00fc.test')),
    route: fc.constantFrom('b/d', 'b/e'),
    nextAttemptMs: ms,
    text,
  }),
)
type Step =
  | { kind: 'append'; recipients: number; octets: number }
  | { kind: 'change'; which: number; change: Change }
  | { kind: 'restart' }
  | { kind: 'wait' }
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      recipients: fc.integer({ min: 1, max: 4 }),
      octets: fc.integer({ min: 15, max: 3000 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('change' as const), which: fc.nat(30), change }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'wait' as const }) },
)

test('property: appends, changes, housekeeping and restarts lose and invent nothing', async () => {
  const run = async (steps: Step[]) => {
    const disk = new TwinDisk(1)
    let opened = await open(disk.boot())
    const models = new Map<TraceId, Model>()
    for (const each of steps) {
      if (each.kind === 'append') await append(opened, models, each.recipients, each.octets)
      else if (each.kind === 'change') changeOne(opened, models, each.which, each.change)
      else if (each.kind === 'wait') await opened.clock.pass(3000)
      else {
        await opened.clock.until(opened.spool.close())
        opened = await open(disk.boot())
        await opened.clock.until(opened.spool.replayed)
      }
      await compare(opened, models)
    }
    await opened.clock.until(opened.spool.close())
    assert.deepEqual(opened.alarms, [])
  }
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), run), { numRuns: 60 })
})

async function append({ spool, clock }: Opened, models: Map<TraceId, Model>, recipients: number, octets: number) {
  const message = newMessage(recipients)
  const body = bodyOf(message, octets)
  const half = octets >> 1
  await clock.until(spool.append(message, content([body.subarray(0, half), body.subarray(half)]), 9))
  const pending = Array.from({ length: recipients }, (): RecipientState => ({ kind: 'pending' }))
  const { route } = message
  models.set(message.id, {
    message,
    body,
    recipients: pending,
    route,
    attempts: 0,
    nextAttemptMs: 9,
    lastText: undefined,
    redirects: [],
  })
}

function changeOne({ spool }: Opened, models: Map<TraceId, Model>, which: number, change: Change): void {
  const [id, model] = [...models][which % Math.max(1, models.size)] ?? []
  if (id === undefined || model === undefined) return
  spool.change(id, change)
  changeModel(model, change)
  if (model.recipients.every(isFinal)) models.delete(id)
}

async function compare({ spool }: Opened, models: Map<TraceId, Model>): Promise<void> {
  const found = await readAll(spool)
  assert.deepEqual([...found.keys()].sort(), [...models.keys()].sort())
  for (const [id, model] of models) {
    const { content: body, ...rest } = found.get(id)!
    const { message, recipients, route, attempts, nextAttemptMs, lastText } = model
    const text = lastText === undefined ? {} : { lastText }
    assert.deepEqual(rest, {
      ...message,
      ...redirectedModel(model),
      route,
      recipients,
      attempts,
      nextAttemptMs,
      ...text,
    })
    assert.ok(Buffer.concat(body.chunks).equals(model.body))
    const held = recipients.every((r) => r.kind !== 'pending')
    assert.equal(spool.get(id)?.state, held ? 'held' : 'active')
  }
}
