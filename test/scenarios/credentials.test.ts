/**
 * Logins are added, shown, changed and removed by the command line; every worker knows at once, and a restart keeps them.
 * No password stands in the data folder, nor in the log.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'

const PASSWORD = 'correct horse battery'
const OTHER = 'staple of correct horses'
const ANNA = 'anna@dest.test'

/** What `vorposten credentials …` prints, when it ends with this code. */
const runs =
  (relay: Vorposten) =>
  async (code: number, args: readonly string[], input?: string): Promise<string> => {
    const whole = ['credentials', ...args]
    const done = await (input === undefined ? relay.command(...whole) : relay.commandWithInput(`${input}\n`, ...whole))
    assert.equal(done.code, code, done.text)
    return done.text
  }

function assertKeepsNo(secrets: readonly string[], relay: Vorposten): void {
  const files = readdirSync(relay.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const kept = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
  const found = secrets.filter((secret) => [...kept, ...relay.log()].some((text) => text.includes(secret)))
  assert.deepEqual(found, [])
}

test('a login is added and gets another password; it outlives a restart, and ends when it is removed', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port), workers: 2 })
  const run = runs(relay)
  const add = (tenant: string) => ['add', tenant, 'Anna@dest.test', '--password-stdin', '--network', '127.0.0.0/8']
  const tried = (code: number, password: string) => run(code, ['try', 'ANNA@dest.test', '--password-stdin'], password)

  assert.match(await run(78, add('nobody'), PASSWORD), /nobody is not a tenant of this relay/)
  assert.match(await run(65, add('bakery'), 'too short'), /9 characters only\. At least 12/)
  assert.match(await run(0, add('bakery'), PASSWORD), /anna@dest\.test added/)
  assert.match(await run(65, add('bakery'), PASSWORD), /a login anna@dest\.test already/)
  await tried(0, PASSWORD)
  await run(0, ['passwd', ANNA, '--password-stdin'], OTHER)
  assert.match(await tried(65, PASSWORD), /wrong password, or no such login/)

  assert.equal(await relay.stop(), 0)
  await relay.start()
  assert.match(await run(0, ['list']), /anna@dest\.test {2}bakery {2}from 127\.0\.0\.0\/8; used /)
  await tried(0, OTHER)
  await run(0, ['remove', ANNA])
  await tried(65, OTHER)
  assertKeepsNo([PASSWORD, OTHER], relay)
})

test('one password for each device; a lock says why, to the owner and to whoever unlocks it', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port) })
  const run = runs(relay)
  const tried = (code: number, password: string) => run(code, ['try', ANNA, '--password-stdin'], password)
  await run(0, ['add', 'bakery', ANNA, '--generate', '--sender', '@dest.test'])
  const shown = await run(0, ['application-password', 'add', ANNA, 'phone'])
  const phone = /^password: (\S+)$/m.exec(shown)?.[1] ?? assert.fail(shown)
  await tried(0, phone.replaceAll('-', ' ').toUpperCase())

  await run(0, ['lock', ANNA, '--reason', 'it sent spam'])
  assert.match(await tried(65, phone), /locked: it sent spam; ask the administrator of bakery/)
  assert.match(await run(0, ['unlock', ANNA]), /is unlocked; it was locked .*: it sent spam/)
  await tried(0, phone)
  const anna = JSON.parse(await run(0, ['show', ANNA, '--json'])) as Record<string, unknown>
  assert.deepEqual([anna['senders'], anna['networks'], anna['disabled']], [['@dest.test'], [], false])
  await run(0, ['application-password', 'remove', ANNA, 'phone'])
  await tried(65, phone)
  assertKeepsNo([phone, phone.replaceAll('-', '')], relay)
})

test('with its tenant a login goes at once, and comes back with it', async () => {
  await using sink = await startSink()
  const config = bakery(sink.port) as { tenants: Record<string, unknown> }
  await using relay = await startVorposten({ config })
  const run = runs(relay)
  const { password } = JSON.parse(await run(0, ['add', 'bakery', 'scanner', '--generate', '--json']))
  const tried = (code: number) => run(code, ['try', 'scanner', '--password-stdin'], password)
  await tried(0)
  await relay.reload({ ...config, tenants: { smith: config.tenants['bakery'] } })
  await tried(65)
  assert.match(await run(0, ['list']), /scanner {2}bakery {2}its tenant is not configured/)
  await relay.reload(config)
  await tried(0)
})
