import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '#config/load.ts'
import { relayConfig } from './relay-config.ts'

const wall = { embedded: true, clamd: '/run/clamd.socket' }

test('the relay takes the configuration that it is measured with, and means by it what the bench means', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-config-'))
  const file = join(folder, 'vorposten.yaml')
  try {
    for (const commit of ['spool', 'cut-through'] as const) {
      const domains = { 'good.test': 2600, 'hole.test': 2601 }
      writeFileSync(file, relayConfig({ port: 2511, dataFolder: folder, commit, domains, wall }))
      const loaded = await loadConfig(file)
      assert.ok(loaded.ok, JSON.stringify(loaded))
      const routes = loaded.config.routes.map(({ hosts }) => hosts.map(({ name, port }) => `${name}:${port}`).join())
      assert.deepEqual(routes, ['127.0.0.1:2600', '127.0.0.1:2601'])
      const { virus } = loaded.config
      assert.deepEqual([virus.embedded, virus.engines.map(({ name }) => name)], [true, ['clamav']])
      for (const domain of loaded.config.domains) {
        assert.equal(domain.commit, commit)
        assert.equal(domain.recipients.kind, 'accept-all')
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
