import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Layer } from './classifier.ts'
import { layerFile } from './layer-file.ts'
import { globalFile, Models, tenantFile } from './models.ts'

const BITS = 8
const layer = (ham: number): Layer => ({
  ham,
  spam: 1,
  bits: BITS,
  weights: [1, 2, 3].map(() => new Int8Array(2 ** BITS).fill(1)),
  steps: [1, 1, 1],
})
const OCTETS = 3 * 2 ** BITS

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'models-'))
  const put = (file: string, octets: Buffer): void => {
    writeFileSync(join(path, 'draft'), octets)
    renameSync(join(path, 'draft'), file)
  }
  return { path, put }
}
const layersOf = (learned: ReturnType<Models['of']>): readonly Layer[] =>
  learned.kind === 'learned' ? learned.classifier.layers : assert.fail(learned.text)

test('without a folder, or with an empty one, there is the starter', () => {
  assert.equal(layersOf(new Models().of()).length, 1)
  const [starter] = layersOf(new Models(folder().path).of('bakery'))
  assert.ok(starter!.ham > 1000 && starter!.spam > 1000)
})

test('a layer is there with the next message after it was written, and gone with the next after it was removed', () => {
  const { path, put } = folder()
  const models = new Models(path)
  assert.equal(layersOf(models.of('bakery')).length, 1)
  put(globalFile(path), layerFile(layer(10)))
  put(tenantFile(path, 'bakery'), layerFile(layer(20)))
  assert.deepEqual(
    layersOf(models.of('bakery'))
      .map(({ ham }) => ham)
      .slice(1),
    [10, 20],
  )
  assert.deepEqual(
    layersOf(models.of('florist'))
      .map(({ ham }) => ham)
      .slice(1),
    [10],
  )
  put(tenantFile(path, 'bakery'), layerFile(layer(21)))
  assert.deepEqual(
    layersOf(models.of('bakery'))
      .map(({ ham }) => ham)
      .slice(1),
    [10, 21],
  )
})

test('a damaged file is told of, and nothing is said without it', () => {
  const { path, put } = folder()
  const models = new Models(path)
  put(tenantFile(path, 'bakery'), layerFile(layer(20)).subarray(0, -1))
  assert.deepEqual(models.of('bakery'), { kind: 'silent', text: 'tenant bakery: its digest is wrong' })
  assert.equal(models.of('florist').kind, 'learned')
})

test('layers of tenants that were not used for long make room, and come back', () => {
  const { path, put } = folder()
  const models = new Models(path, 2 * OCTETS)
  for (const name of ['a', 'b', 'c']) put(tenantFile(path, name), layerFile(layer(5)))
  const first = layersOf(models.of('a'))[1]
  models.of('b')
  assert.equal(layersOf(models.of('a'))[1], first)
  models.of('c')
  assert.equal(layersOf(models.of('a'))[1], first)
  models.of('b')
  models.of('c')
  const again = layersOf(models.of('a'))[1]
  assert.notEqual(again, first)
  assert.deepEqual(again, first)
})

test('the name of a tenant cannot lead out of the folder', () => {
  assert.equal(tenantFile('/x', '../../etc/passwd'), '/x/tenant-..%2F..%2Fetc%2Fpasswd.model')
})
