/**
 * Rot: flips, overwritten and zeroed ranges, cuts and missing pieces, at random places of a well-filled spool. Each
 * must be noticed, hurt only the records it touches, and nothing of what is damaged may be deleted.
 * `SPOOL_TEST_DAMAGES` sets the number; the acceptance figure is 10,000.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceId } from '#mail/trace-id.ts'
import { TwinDisk } from '../../sim/disk.ts'
import { FOLDER, type Opened, open, Promises, readAll, start } from './rig.test.ts'
import { Scan } from './scan.ts'
import { segmentOfName } from './segment.ts'

const DAMAGES = Number(process.env['SPOOL_TEST_DAMAGES'] ?? 800)

interface Piece {
  readonly from: number
  readonly to: number
  /** Messages that it speaks of. */
  readonly ids: readonly string[]
}

interface World {
  readonly files: ReadonlyMap<string, Buffer>
  readonly pieces: ReadonlyMap<string, readonly Piece[]>
  /** State of each live message, as JSON. */
  readonly states: ReadonlyMap<TraceId, string>
}

async function statesOf(spool: Opened['spool']): Promise<Map<TraceId, string>> {
  const states = new Map<TraceId, string>()
  for (const [id, { content, ...rest }] of await readAll(spool)) {
    states.set(id, JSON.stringify(rest) + Buffer.concat(content.chunks).toString('latin1'))
  }
  return states
}

/** Several segments with messages, states, settled ones, and an unclean end in between. */
async function world(): Promise<World> {
  const disk = new TwinDisk(1)
  const promises = new Promises()
  for (let life = 0; life < 2; life++) {
    const opened = await open(disk.boot())
    for (let i = 0; i < 14; i++) {
      const ids = await opened.clock.until(Promise.all([promises.append(opened.spool, 50 + i * 60)]))
      if (i % 4 === 0) promises.settle(opened.spool, ids[0]!)
      if (i % 4 !== 1) continue
      const recipients = new Map([[0, { kind: 'held' as const, atMs: 1, reason: 'operator' as const, text: 'x' }]])
      opened.spool.change(ids[0]!, { kind: 'attempted', atMs: 1, recipients, nextAttemptMs: i, text: 'later' })
    }
    await opened.clock.pass(200)
    if (life === 1) await opened.clock.until(opened.spool.close())
    disk.kill()
  }
  const { spool, clock } = await start(disk)
  const states = await statesOf(spool)
  await clock.until(spool.close())
  return await describe(disk, states)
}

async function describe(disk: TwinDisk, states: World['states']): Promise<World> {
  const files = new Map<string, Buffer>()
  const pieces = new Map<string, Piece[]>()
  for (const path of disk.paths()) {
    const segment = segmentOfName(FOLDER, path.slice(FOLDER.length + 1))
    if (segment === undefined) continue
    const bytes = disk.bytes(path)
    const found: Piece[] = []
    const record = (
      header: { type: number; metaOctets: number; contentOctets: number },
      meta: Buffer,
      from: number,
    ) => {
      const ids = meta.toString().match(/[0-9A-HJKMNP-TV-Z]{15}/g) ?? []
      found.push({ from, to: from + 36 + header.metaOctets + header.contentOctets, ids })
      return true
    }
    const file = await disk.boot().open(path, 'read')
    const damaged = () => assert.fail('not damaged yet')
    await new Scan(file, segment.key, bytes.length, { record, damaged, idOf: () => undefined }).run()
    files.set(path, bytes)
    pieces.set(path, found)
  }
  return { files, pieces, states }
}

interface Damage {
  readonly path: string
  readonly bytes: Buffer
  /** Touched, in the original. */
  readonly from: number
  readonly to: number
}

function damageOf({ files }: World, random: (below: number) => number): Damage {
  const [path, original] = [...files][random(files.size)]!
  const from = random(original.length)
  const to = Math.min(original.length, from + 1 + random(700))
  const bytes = Buffer.from(original)
  switch (random(6)) {
    case 0:
    case 1:
      bytes[from]! ^= 1 << random(8)
      return { path, bytes, from, to: from + 1 }
    case 2:
      for (let i = from; i < to; i++) bytes[i] = random(256)
      return { path, bytes, from, to }
    case 3:
      bytes.fill(0, from, to)
      return { path, bytes, from, to }
    case 4:
      return { path, bytes: bytes.subarray(0, from), from, to: original.length }
    default:
      return { path, bytes: Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]), from, to }
  }
}

async function check(world: World, damage: Damage): Promise<void> {
  const disk = new TwinDisk(1)
  for (const [path, bytes] of world.files) disk.overwrite(path, path === damage.path ? damage.bytes : bytes)
  const { spool, clock, alarms } = await start(disk)
  const hurt = new Set<string>()
  const touched = world.pieces.get(damage.path)!.filter((p) => p.from < damage.to && p.to > damage.from)
  // A file that only held a seal may be cut to nothing.
  assert.ok(alarms.length > 0 || touched.every((piece) => piece.ids.length === 0), 'not noticed')
  for (const piece of touched) for (const id of piece.ids) hurt.add(id)
  const states = await statesOf(spool)
  for (const [id, state] of world.states) if (!hurt.has(id)) assert.equal(states.get(id), state, `${id} is hurt`)
  for (const id of states.keys()) assert.ok(world.states.has(id) || hurt.has(id), `${id} came from nowhere`)

  for (const id of states.keys()) spool.change(id, { kind: 'drop', atMs: 1, text: '' })
  await clock.pass(10_000)
  assertKept(disk, world, damage, touched)
  await clock.until(spool.close())
}

/** What is left of each damaged record is in its segment still, or set aside. */
function assertKept(disk: TwinDisk, world: World, damage: Damage, touched: readonly Piece[]): void {
  const kept = disk.paths().includes(damage.path) ? [disk.bytes(damage.path)] : []
  for (const path of disk.paths()) if (path.includes('/set-aside/')) kept.push(disk.bytes(path))
  const missing = world.files.get(damage.path)!.length - damage.bytes.length
  for (const { from, to } of touched) {
    // A piece that was taken out is missing from every record that it touches, in whole or in part.
    const left = missing > 0 ? damage.bytes.subarray(from, damage.from) : damage.bytes.subarray(from, to)
    const isNothing = left.every((octet) => octet === 0)
    assert.ok(isNothing || kept.some((bytes) => bytes.includes(left)), `octets ${from}-${to} are gone`)
  }
}

/** A linear congruential generator: the same damages in each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test(`${DAMAGES} damages: each noticed, no neighbour hurt, nothing deleted`, async () => {
  const intact = await world()
  assert.ok(intact.files.size >= 4 && intact.states.size >= 15)
  const random = seeded(7)
  for (let i = 0; i < DAMAGES; i++) {
    const damage = damageOf(intact, random)
    if (damage.bytes.equals(intact.files.get(damage.path)!)) continue
    try {
      await check(intact, damage)
    } catch (cause) {
      throw new Error(`damage ${i}: ${damage.path} ${damage.from}-${damage.to}`, { cause })
    }
  }
})
