import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { ed25519Pair, rsaPair } from '#auth/dkim/testing.ts'
import type { Config } from '#config/config.ts'
import { HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { DKIM_KEYS, DkimKeys, sealKey } from '#store/dkim-keys.ts'
import { makeMasterKey, masterKeyOf } from './master-key.ts'
import { SigningKeys } from './signing-keys.ts'

function bench(t: TestContext) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'keys-'))
  t.after(() => rmSync(dataFolder, { recursive: true }))
  let masterKeys = new Map<number, Uint8Array>()
  const config = () => ({ dataFolder, dkim: { masterKeys, keepPublishedMs: 1 } }) as unknown as Config
  const store = openStore(':memory:', [DKIM_KEYS])
  const rows = new DkimKeys(store)
  const clock = new HandClock()
  const put = (tenant: string, selector: string, pair = rsaPair) => {
    const name = { tenant, domain: 'bakery.test', selector }
    const algorithm = pair === rsaPair ? 'rsa-sha256' : 'ed25519-sha256'
    const der = pair.privateKey.export({ type: 'pkcs8', format: 'der' })
    const times = { stateMs: 0, madeMs: 0 }
    const sealed = sealKey(masterKeyOf(config()) ?? makeMasterKey(config()), name, der)
    rows.put({ ...name, algorithm, bits: 0, state: 'active', ...times, publicKey: '', ...sealed })
  }
  const keys = new SigningKeys(store, config, clock)
  const say = (tenant = 'bakery') => {
    const answer = keys.of(tenant, 'bakery.test')
    if (answer.kind === 'unavailable') return answer.text
    return answer.kind === 'none' ? 'none' : answer.keys.map(({ selector }) => selector).join()
  }
  const configure = (secret?: string) => {
    masterKeys = new Map(secret === undefined ? [] : [[0, Buffer.from(secret)]])
  }
  return { put, say, keys, rows, clock, config, configure, dataFolder }
}

it('a worker reads the keys of a tenant’s domain, and keeps them until it is told, or for a minute', async (t) => {
  const { put, say, keys, clock } = bench(t)
  assert.equal(say(), 'none')
  put('bakery', 's1')
  assert.equal(say(), 'none')
  keys.changed()
  assert.equal(say(), 's1')
  assert.equal(say('smith'), 'none')
  put('bakery', 'e1', ed25519Pair)
  assert.equal(say(), 's1')
  await clock.pass(60_001)
  assert.equal(say(), 's1,e1')
})

it('the master key that was made is its owner’s only; without it, or with another, no key is to be had', (t) => {
  const { put, say, keys, configure, config, dataFolder } = bench(t)
  put('bakery', 's1')
  const path = join(dataFolder, 'master-key')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.throws(() => makeMasterKey(config()), /EEXIST/)
  assert.equal(say(), 's1')
  configure('another secret, long enough')
  keys.changed()
  assert.match(say(), /master key \(dkim\.master-key of the configuration\) does not open the keys of bakery\.test: s1/)
  configure()
  assert.equal(say(), 's1')
  rmSync(path)
  keys.changed()
  assert.match(say(), /master key \(\S+master-key\) does not open/)
})
