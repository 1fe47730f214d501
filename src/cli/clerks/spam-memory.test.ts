/**
 * The memory of the spam filter as a whole: two workers, their batches, the clerk and the store. What one tenant knows stays
 * with it, what was learned survives a restart, and nobody makes or breaks another's name.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { SpamSign } from '#mail/spam.ts'
import { HandClock } from '#queue/testing.ts'
import type { MemoryFacts, Trail } from '#scan/spam/memory/facts.ts'
import type { Fingerprint } from '#scan/spam/memory/simhash.ts'
import { SpamMemory } from '#scan/spam/memory/spam-memory.ts'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { REMEMBERED_NAMES } from '#store/remembered-names.ts'
import { SPAM_CORRESPONDENTS } from '#store/spam-correspondents.ts'
import { SPAM_SENDERS } from '#store/spam-senders.ts'
import { SPAM_TEXTS } from '#store/spam-texts.ts'
import { STEADY_WALL } from '#store/steady-wall.ts'
import type { Clock } from '#sys/clock.ts'
import { type RememberedSpam, rememberedSpam } from '../assemble-spam-memory.ts'
import { Desk } from '../serve/desk.ts'
import { reputationLines } from '../spam-reputation.ts'
import { type ReputationAnswer, SpamMemoryClerk, type SpamMemoryNews } from './spam-memory.ts'

const PARTS = [STEADY_WALL, REMEMBERED_NAMES, SPAM_SENDERS, SPAM_CORRESPONDENTS, SPAM_TEXTS]
const DAY_MS = 86_400_000

class Site {
  readonly clock: HandClock
  readonly database
  readonly tenants = new Set(['bakery', 'smith', 'miller'])
  readonly clerk: SpamMemoryClerk
  readonly workers: RememberedSpam[]

  constructor(path = ':memory:', clock = new HandClock()) {
    this.clock = clock
    this.database = openStore(path, PARTS)
    const parts = { commits: new GroupCommit(this.database), wallMs: () => clock.wall(), clock: clock as Clock }
    const tenantExists = (name: string) => this.tenants.has(name)
    this.clerk = new SpamMemoryClerk({ ...parts, database: this.database, tenantExists })
    const desk = new Desk([this.clerk])
    this.workers = [0, 1].map((index) => {
      const ask = (about: string, body: unknown) => desk.answer(index, about, structuredClone(body))
      return rememberedSpam({ store: this.database, desk: ask, workers: 2 }, index, clock)!
    })
    this.clerk.started(async (_about, news) => {
      for (const worker of this.workers) worker.news(news as SpamMemoryNews)
      return []
    })
  }

  signs(facts: MemoryFacts, worker = 0): string[] {
    return this.workers[worker]!.memory.signs(facts).signs.map(({ symbol, weight }) => `${symbol} ${weight.toFixed(1)}`)
  }
  weight(facts: MemoryFacts, symbol: string): number {
    return this.workers[1]!.memory.signs(facts).signs.find((one) => one.symbol === symbol)?.weight ?? 0
  }
  heard(facts: MemoryFacts, weight: number, times = 1): void {
    for (let i = 0; i < times; i++) this.workers[0]!.memory.heard(facts, { signs: judged(weight) })
  }
  wrote(tenant: string, address: string, messageId = `${address} ${this.clock.wall()}`): Promise<unknown> {
    return this.clerk.answer('written', [{ tenant, addresses: [address], messageId }])
  }
  /** Without the pruning of every hour. */
  async passDays(days: number): Promise<void> {
    await this.clerk.close()
    await this.clock.pass(days * DAY_MS)
  }
  async close(): Promise<void> {
    await this.clock.pass(3_000)
    await this.clerk.close()
    this.database.close()
  }
}

const judged = (weight: number): SpamSign[] => [{ symbol: weight > 0 ? 'CLASSIFIER_SPAM' : 'CLASSIFIER_HAM', weight }]

interface Of {
  tenant?: string
  client?: string
  author?: string
  proven?: boolean
  dmarc?: 'pass' | 'fail' | 'none'
  trail?: Partial<Trail>
}

function facts({ tenant = 'bakery', client = '192.0.2.7', author = 'anna@shop.test', proven = true, ...of }: Of = {}) {
  const authenticated = { dkim: [], dmarc: of.dmarc ?? (proven ? 'pass' : 'none') } as const
  const session = { client, tls: true }
  return {
    tenant,
    about: { session, authenticated },
    trail: { author, answers: [], ...of.trail },
  } satisfies MemoryFacts
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'spam-memory-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('verdicts of one worker are known to the other, to others’ tenants less, and after a restart', async (t) => {
  const path = join(folder(t), 'store.db')
  const first = new Site(path)
  first.heard(facts(), 7, 30)
  await first.clock.pass(3_000)
  assert.deepEqual(first.signs(facts(), 1), ['REPUTATION_BAD 1.5'])
  assert.ok(first.weight(facts({ tenant: 'smith' }), 'REPUTATION_BAD') > 0)
  await first.close()
  const second = new Site(path, first.clock)
  assert.deepEqual(second.signs(facts()), ['REPUTATION_BAD 1.5'])
  await second.passDays(200)
  assert.deepEqual(second.signs(facts()), ['REPUTATION_NEW_SENDER 0.0'])
  await second.close()
})

test('who claims a domain harms and helps it not, and learns nothing from it', async () => {
  const site = new Site()
  site.heard(facts({ client: '198.51.100.9', proven: false }), 7, 50)
  const reported = facts({ client: '198.51.100.9', dmarc: 'fail' })
  for (let i = 0; i < 5; i++) site.workers[0]!.memory.taught({ kind: 'reported', facts: reported })
  await site.clock.pass(3_000)
  assert.deepEqual(site.signs(facts()), ['REPUTATION_NEW_SENDER 0.0'])
  assert.equal(site.weight(reported, 'REPUTATION_BAD'), 3)
  // And the good name of the real one is nothing to him who only says that he is it.
  for (let i = 0; i < 5; i++) site.workers[0]!.memory.taught({ kind: 'released', facts: facts() })
  await site.clock.pass(3_000)
  assert.ok(site.weight(facts(), 'REPUTATION_GOOD') < -2)
  assert.deepEqual(site.signs(facts({ client: '203.0.113.9', proven: false })), ['REPUTATION_NEW_SENDER 0.0'])
  await site.close()
})

test('the memory does not teach itself: only a verdict that is sure without it counts', async () => {
  const site = new Site()
  const signs = [...judged(5), { symbol: 'REPUTATION_BAD', weight: 3 }, { symbol: 'DUPLICATE_OF_SPAM', weight: 3 }]
  for (let i = 0; i < 50; i++) site.workers[0]!.memory.heard(facts(), { signs })
  site.heard(facts(), 3, 50)
  await site.clock.pass(3_000)
  assert.deepEqual(site.signs(facts()), ['REPUTATION_NEW_SENDER 0.0'])
  await site.close()
})

test('whom a tenant wrote to is known to it alone; who plays him is found out', async () => {
  const site = new Site()
  await site.wrote('bakery', 'anna@shop.test', '1@bakery.test')
  assert.deepEqual(site.signs(facts()), ['REPUTATION_NEW_SENDER 0.0', 'KNOWN_CORRESPONDENT -2.0'])
  const other = facts({ author: 'bob@shop.test' })
  assert.deepEqual(site.signs(other)[1], 'KNOWN_CORRESPONDENT -1.0')
  const answer = facts({ author: 'new@far.test', trail: { answers: ['x', '1@bakery.test'] } })
  assert.deepEqual(site.signs(answer)[1], 'KNOWN_ANSWER -2.0')
  assert.deepEqual(
    site.signs(facts({ ...answer, author: 'new@far.test', proven: false, trail: answer.trail })).length,
    1,
  )
  assert.deepEqual(site.signs(facts({ proven: false }))[1], 'KNOWN_UNPROVEN 0.0')
  assert.deepEqual(site.signs(facts({ dmarc: 'fail' }))[1], 'KNOWN_PLAYED 1.0')
  for (const tenant of ['smith', 'miller'])
    assert.deepEqual(site.signs({ ...answer, tenant }), ['REPUTATION_NEW_SENDER 0.0'])
  assert.deepEqual(site.signs(facts({ tenant: 'smith' })), ['REPUTATION_NEW_SENDER 0.0'])
  await site.clock.pass(2 * DAY_MS)
  await site.wrote('bakery', 'anna@shop.test')
  assert.deepEqual(site.signs(facts())[1], 'KNOWN_CORRESPONDENT -3.0')
  await site.passDays(181)
  assert.deepEqual(site.signs(facts()), ['REPUTATION_NEW_SENDER 0.0'])
  await site.close()
})

test('a domain where anybody has an address is not known by one of them', async () => {
  const site = new Site()
  await site.wrote('bakery', 'anna@gmail.com')
  assert.deepEqual(site.signs(facts({ author: 'bob@gmail.com' })), ['REPUTATION_NEW_SENDER 0.0'])
  site.heard(facts({ author: 'spammer@gmail.com', client: '198.51.100.1' }), 7, 50)
  await site.clock.pass(3_000)
  assert.deepEqual(site.signs(facts({ author: 'bob@gmail.com' })), ['REPUTATION_NEW_SENDER 0.0'])
  await site.close()
})

test('a campaign that comes to both workers is one, and what people said of a text outlives a restart', async (t) => {
  const path = join(folder(t), 'store.db')
  const fingerprint: Fingerprint = [0x12345678, 0x9abcdef0]
  const site = new Site(path)
  const from = (i: number) =>
    facts({ author: `x@s${i}.test`, client: `198.51.${i}.1`, proven: false, trail: { fingerprint } })
  for (let i = 0; i < 6; i++) site.workers[i % 2]!.memory.heard(from(i), { signs: [] })
  assert.deepEqual(site.signs(from(9)), ['REPUTATION_NEW_SENDER 0.0'])
  await site.clock.pass(3_000)
  for (const worker of [0, 1])
    assert.deepEqual(site.signs(from(9), worker), ['REPUTATION_NEW_SENDER 0.0', 'DUPLICATE_MANY_SENDERS 2.0'])
  site.workers[0]!.memory.taught({ kind: 'reported', facts: from(9) })
  await site.clock.pass(3_000)
  await site.close()
  const again = new Site(path, site.clock)
  assert.ok(again.weight(from(20), 'DUPLICATE_OF_SPAM') === 3)
  await again.close()
})

test('a message costs as many look-ups as it has senders, whatever is remembered', () => {
  const site = new Site()
  let looks = 0
  const look = (): undefined => {
    looks++
  }
  const counting = { find: look, days: () => look() ?? 0 }
  const names = { digest: () => Buffer.alloc(16) }
  const tell = { evidence: () => {}, seen: () => {}, judged: () => {} }
  const parts = { senders: counting, correspondents: counting, names, wallMs: () => 0, tell } as never
  const answers = Array.from({ length: 8 }, (_, i) => `${i}@x`)
  new SpamMemory(parts).signs(facts({ trail: { answers } }))
  assert.equal(looks, 3 * 2 + 2 + 8)
  site.database.close()
})

test('a store that cannot be read is silent, and says so', () => {
  const site = new Site()
  site.database.exec('DROP TABLE spam_senders')
  const { signs, silent } = site.workers[0]!.memory.signs(facts())
  assert.deepEqual(silent, ['memory'])
  assert.deepEqual(
    signs.map(({ symbol, weight }) => [symbol, weight]),
    [['REPUTATION_UNREADABLE', 0]],
  )
  site.database.close()
})

test('a tenant that is no more is forgotten, and nobody else', async () => {
  const site = new Site()
  const rows = () =>
    ['spam_senders', 'spam_correspondents', 'spam_texts'].map((table) =>
      site.database
        .prepare(`SELECT DISTINCT tenant FROM ${table} ORDER BY tenant`)
        .all()
        .map(({ tenant }) => tenant),
    )
  for (const tenant of ['bakery', 'smith']) {
    await site.wrote(tenant, 'anna@shop.test')
    const trail = { fingerprint: [1, 2] as const }
    site.workers[0]!.memory.taught({ kind: 'reported', facts: facts({ tenant, trail }) })
  }
  await site.clock.pass(3_000)
  assert.deepEqual(rows(), [
    ['', 'bakery', 'smith'],
    ['bakery', 'smith'],
    ['bakery', 'smith'],
  ])
  site.tenants.delete('bakery')
  await site.clerk.reload()
  assert.deepEqual(rows(), [['', 'smith'], ['smith'], ['smith']])
  await site.close()
})

test('an operator sees what is remembered of an address, a domain, a network', async () => {
  const site = new Site()
  const ask = async (body: unknown) => (await site.clerk.command('reputation', body)) as ReputationAnswer
  assert.deepEqual(reputationLines(await ask({ subject: 'shop.test' })), [
    'Nothing is remembered.',
    '0.0  REPUTATION_NEW_SENDER: nothing is known of this sender yet',
  ])
  await site.wrote('bakery', 'anna@shop.test')
  site.workers[0]!.memory.taught({ kind: 'reported', facts: facts() })
  await site.clock.pass(3_000)
  const lines = reputationLines(await ask({ subject: 'Anna@Shop.Test', tenant: 'bakery' }), 'bakery')
  assert.match(
    lines[0]!,
    /^domain shop\.test {2}bakery: 0\.0 good and 0\.0 bad by verdicts, 0\.0 good and 10\.0 bad for sure, since \d{4}-/,
  )
  assert.match(lines[3]!, /^address anna@shop\.test {2}all tenants: .* 10\.0 bad for sure/)
  assert.deepEqual(lines[4], 'bakery wrote there on one day')
  assert.match(lines[5]!, /^[12]\.\d {2}REPUTATION_BAD: earlier mail of this sender was spam$/)
  for (const subject of ['192.0.2.99', '192.0.2.0/24'])
    assert.equal((await ask({ subject })).rows[0]?.sender.name, '192.0.2.0/24')
  for (const subject of ['no domain', '@', 'a@b@c'])
    await assert.rejects(ask({ subject }), /is no address, domain or network/)
  await assert.rejects(ask({ subject: 'shop.test', tenant: 'nobody' }), /not a tenant/)
  await site.close()
})
