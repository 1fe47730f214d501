import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { configFor, WARNINGS_TOLD_MAX } from './configuration.ts'

test('warnings are told one by one, and of very many the number', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vorposten-configuration-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'v.yaml')
  const head = 'hostname: mx.example\nlisteners: {name: mx, addresses: 127.0.0.1:2525, tls: none}\n'
  const told = async (count: number): Promise<string[]> => {
    const tenants = Array.from(
      { length: count },
      (_, i) => `t${i}: {domains: {t${i}.example: {deliver-to: a.example}}}`,
    )
    await writeFile(file, `${head}tenants: {${tenants.join(', ')}}\n`)
    const lines: string[] = []
    assert.equal((await configFor(file, (line) => lines.push(line))).tenants.length, count)
    return lines
  }
  assert.match((await told(1)).join('\n'), /^\S+v\.yaml:3:11: warning: tenants\.t0: t0 has no postmaster: .*$/)
  assert.equal((await told(WARNINGS_TOLD_MAX)).length, WARNINGS_TOLD_MAX)
  const many = await told(WARNINGS_TOLD_MAX + 7)
  assert.equal(many.length, WARNINGS_TOLD_MAX + 1)
  assert.equal(many.at(-1), `and 7 more warnings, see: vorposten check-config ${file}`)
})
