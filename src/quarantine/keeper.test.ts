/** Law 1: a receipt only for what the supervisor has committed; what was not kept leaves nothing behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { promise, QuarantineReceipt } from '#mail/custody.ts'
import type { KeepAnswer, Quarantined } from '#mail/quarantine.ts'
import { replyBytes } from '#mail/reply.ts'
import { transaction } from '#mail/testing.ts'
import { Keeper, type KeeperDesk } from './keeper.ts'

const { id, envelope } = transaction(['anna@bakery.test'])
const ENTRY = {
  id,
  tenant: 'bakery',
  service: 'inbound',
  class: 'malware',
  by: 'virus',
  text: 'malware Eicar',
  facts: [],
  envelope,
  reception: { clientAddress: '192.0.2.1', greetingName: 'x', protocol: 'ESMTP', receivedMs: 1 },
} as const
const MAIL = content([Buffer.from('Received: x\r\nSub'), Buffer.from('ject: y\r\n\r\nz\r\n')])
const TRACE = 'Received: x\r\n'

function bench(desk: Partial<KeeperDesk> = {}, write = async (): Promise<string> => 'ab'.repeat(32)) {
  const seen: string[] = []
  const kept: Quarantined[] = []
  const contents = {
    async write(name: string, body: { readonly chunks: readonly Buffer[] }) {
      seen.push(`write ${name} ${Buffer.concat(body.chunks)}`)
      return write()
    },
    async abandon(name: string) {
      seen.push(`abandon ${name}`)
    },
  }
  const keeper = new Keeper(contents, {
    room: async () => undefined,
    async keep(entry) {
      kept.push(entry)
      return { kind: 'kept' }
    },
    ...desk,
  })
  return { keep: () => keeper.keep(ENTRY, MAIL, TRACE.length), seen, kept }
}

test('kept: what is ours is in the entry, the rest on the disk, and the sender hears what he always hears', async () => {
  const { keep, seen, kept } = bench()
  const answer = await keep()
  assert.ok(answer.kind === 'kept' && QuarantineReceipt.is(answer.receipt))
  assert.equal(replyBytes(promise(answer.receipt)), `250 2.0.0 Ok: queued as ${id}\r\n`)
  assert.deepEqual(seen, [`write ${id} Subject: y\r\n\r\nz\r\n`])
  assert.deepEqual(
    [Buffer.from(kept[0]!.trace).toString(), kept[0]!.hash, kept[0]!.octets],
    [TRACE, 'ab'.repeat(32), MAIL.octets],
  )
})

test('no room: nothing is written at all', async () => {
  const full: KeepAnswer = { kind: 'full', of: 'disk' }
  const { keep, seen } = bench({ room: async () => full })
  assert.deepEqual(await keep(), full)
  assert.deepEqual(seen, [])
})

test('refused after it was written: it is removed again', async () => {
  const full: KeepAnswer = { kind: 'full', of: 'tenant' }
  const { keep, seen } = bench({ keep: async () => full })
  assert.deepEqual(await keep(), full)
  assert.deepEqual(seen.at(-1), `abandon ${id}`)
})

test('no answer to the last question: nobody knows, and the file is left to who may have moved it', async () => {
  const { keep, seen } = bench({ keep: async () => Promise.reject(new Error('no answer within 30000 ms')) })
  assert.deepEqual(await keep(), { kind: 'uncertain', text: 'bakery: no answer within 30000 ms' })
  assert.equal(seen.length, 1)
})

test('a disk that fails, or no answer before anything was written: not kept, for certain', async () => {
  const broken = bench({}, () => Promise.reject(new Error('EIO')))
  assert.deepEqual(await broken.keep(), { kind: 'failed', text: 'EIO' })
  const mute = bench({ room: async () => Promise.reject(new Error('no answer')) })
  assert.deepEqual(await mute.keep(), { kind: 'failed', text: 'no answer' })
  assert.deepEqual([mute.seen, broken.kept], [[], []])
})
