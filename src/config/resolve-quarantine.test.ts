import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from './load.ts'
import { problemLine } from './problem.ts'

const DAY = 86_400_000

async function load(t: TestContext, top: string, tenant: string) {
  const folder = mkdtempSync(join(tmpdir(), 'quarantine-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const domains = 'domains: {bakery.example: {deliver-to: mail.bakery.example}}'
  const text = `hostname: mx1.relay.example\n${top}\ntenants: {bakery: {${tenant}${domains}}}\n`
  writeFileSync(join(folder, 'v.yaml'), text)
  return loadConfig(join(folder, 'v.yaml'), { environment: {} })
}

test('how long and how much: for all, and what a tenant says of its own; any finding can be sent there', async (t) => {
  const plain = await load(t, '', '')
  assert.ok(plain.ok)
  assert.deepEqual(plain.config.quarantine, { keepMs: 30 * DAY, octetsMax: 1024 ** 3 })
  assert.equal(plain.config.tenants[0]?.quarantine, undefined)
  const top =
    'quarantine: {keep: 7d, size-max: 5GiB}\nvirus: {policy: {malware: quarantine, engine-silent: quarantine}}'
  const own = await load(
    t,
    top,
    'quarantine: {keep: 1d, size-max: 2MiB}, virus: {files: quarantine, macros: quarantine}, ',
  )
  assert.ok(own.ok)
  assert.deepEqual(own.config.quarantine, { keepMs: 7 * DAY, octetsMax: 5 * 1024 ** 3 })
  assert.deepEqual(own.config.tenants[0]?.quarantine, { keepMs: DAY, octetsMax: 2 * 1024 ** 2 })
  const { malware, engineSilent, files, macros, encrypted } = own.config.domains[0]!.virus!
  const all = [malware, engineSilent, files, macros, encrypted]
  assert.deepEqual(all, ['quarantine', 'quarantine', 'quarantine', 'quarantine', 'tag'])
})

test('what is out of bounds is told', async (t) => {
  for (const [top, tenant, place] of [
    ['quarantine: {keep: 367d}', '', 'quarantine.keep'],
    ['', 'quarantine: {size-max: 1KiB}, ', 'tenants.bakery.quarantine.size-max'],
  ] as const) {
    const result = await load(t, top, tenant)
    assert.ok(!result.ok)
    assert.ok(result.problems.map(problemLine).join('\n').includes(`error: ${place}`))
  }
})
