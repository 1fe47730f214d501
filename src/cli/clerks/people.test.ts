/**
 * People and thieves, simulated with the real clerk, its store and a clock by hand: who is warned of, slowed down, locked, and
 * at which of his messages. The table in docs/abuse-control.md is this one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientNetworks } from '#auth/client-networks.ts'
import { ANNA, openAbuse } from './abuse-testing.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const LIMITS = { login: { per10Minutes: 300, perDay: 2_000 } }
const [HOME, OFFICE, ABROAD] = ['198.51.100.7', '192.0.2.20', '203.0.113.9']

/** What became of one who sends: the number of the message at which it happened; absent: it did not. */
interface Fate {
  readonly warned?: number
  readonly slowed?: number
  readonly locked?: number
  readonly taken: number
}

class World {
  readonly #open = openAbuse()
  #random = 1
  /** The day that is under way: `DAY_MS` after the one before. */
  #dayMs: number

  constructor() {
    const nowMs = this.#open.clock.wall()
    this.#dayMs = nowMs - (nowMs % DAY_MS) + DAY_MS
  }

  /** 0 to `below` - 1, the same ones in each run. */
  random(below: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647
    return this.#random % below
  }

  unlock(): void {
    this.#open.credentials.unlock(ANNA)
  }

  nextDay(days = 1): void {
    this.#dayMs += days * DAY_MS
  }

  /** From the start of the day on. */
  async at(ms: number): Promise<void> {
    const { clock } = this.#open
    const aheadMs = this.#dayMs + ms - clock.wall()
    assert.ok(aheadMs >= 0, 'time does not go back')
    clock.jumpMs += aheadMs
    await clock.pass(0)
  }

  /** One message after another, `everyMs` apart; each to one domain. `stale`: every so manieth address is none. */
  async send(
    client: string,
    domains: readonly string[],
    everyMs: number,
    stale = Number.POSITIVE_INFINITY,
  ): Promise<Fate> {
    const { credentials, clock, take, answered, lines } = this.#open
    const happened = new Map<string, number>()
    let taken = 0
    for (const [i, domain] of domains.entries()) {
      clock.jumpMs += everyMs
      if (i % 20 === 0) credentials.usedFrom(ANNA, clientNetworks(client).site, clock.wall())
      const before = lines.length
      const { kind } = await take(ANNA, LIMITS, domain, client)
      if (kind === 'taken') {
        taken++
        await answered(1, (i + 1) % stale === 0 ? 1 : 0)
      }
      for (const line of lines.slice(before))
        for (const deed of ['watched', 'slowed down', 'locked'])
          if (line.includes(`: ${deed} (`) && !happened.has(deed)) happened.set(deed, i + 1)
      if (kind === 'locked') break
    }
    await clock.pass(2_000)
    const [warned, slowed, locked] = ['watched', 'slowed down', 'locked'].map((deed) => happened.get(deed))
    return {
      ...(warned !== undefined && { warned }),
      ...(slowed !== undefined && { slowed }),
      ...(locked !== undefined && { locked }),
      taken,
    }
  }

  /** A working day with its letters: some 40, to people of 40 domains, a few of them often. */
  async work(from: readonly string[], round: readonly string[] = []): Promise<Fate[]> {
    const fates: Fate[] = []
    for (let hour = 8; hour < 17; hour++) {
      await this.at(hour * HOUR_MS)
      const letters = Array.from({ length: 2 + this.random(5) }, () => `d${this.random(1 + this.random(40))}.test`)
      fates.push(await this.send(from[hour % from.length]!, letters, 4 * MINUTE_MS))
    }
    if (round.length > 0) {
      await this.at(18 * HOUR_MS)
      fates.push(await this.send(from[0]!, round, 500))
    }
    return fates
  }

  async weeks(count: number, from: readonly string[], round: readonly string[] = []): Promise<Fate[]> {
    const fates: Fate[] = []
    for (let day = 0; day < 7 * count; day++) {
      if (day % 7 < 5) fates.push(...(await this.work(from, day % 7 === 4 ? round : [])))
      this.nextDay()
    }
    return fates
  }
}

const many = (count: number, prefix = 'far'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}.test`)
/** As lists are: two of five at the big providers, of the rest each at another domain. */
const listed = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i % 5 < 2 ? `big${i % 6}.test` : `small${i}.test`))
const unharmed = (fates: readonly Fate[]) =>
  fates.every(({ slowed, locked }) => slowed === undefined && locked === undefined)
const unseen = (fates: readonly Fate[]) => fates.every((fate) => unharmed([fate]) && fate.warned === undefined)

test('people who write as they always do are not even warned of', async () => {
  const office = new World()
  assert.ok(unseen(await office.weeks(8, [HOME, OFFICE])), 'an office')
  const round = new World()
  await round.weeks(2, [HOME, OFFICE], many(60))
  assert.ok(unseen(await round.weeks(4, [HOME, OFFICE], many(60))), 'a round letter every week')
})

test('a newsletter of every month is warned of, never slowed down', async () => {
  const world = new World()
  await world.weeks(2, [HOME, OFFICE])
  const fates: Fate[] = []
  for (let month = 0; month < 4; month++) {
    await world.at(10 * HOUR_MS)
    fates.push(await world.send(OFFICE, [...many(120), ...many(120)], 1_000))
    world.nextDay()
    assert.ok(unseen(await world.weeks(4, [HOME, OFFICE])))
  }
  // The first time for its domains; later only for its volume, of which no more than a week is known.
  assert.deepEqual(
    fates,
    [30, 100, 100, 100].map((warned) => ({ warned, taken: 240 })),
  )
})

test('travellers are not even warned of: phone, hotels, and the round letter from there', async () => {
  const world = new World()
  await world.weeks(4, [HOME, OFFICE], many(60))
  for (let day = 0; day < 21; day++) {
    const phone = `100.${64 + (day % 4)}.${day}.5`
    const hotel = `203.${day >> 1}.113.9`
    assert.ok(unseen(await world.work([phone, hotel], day % 7 === 4 ? many(60) : [])), `day ${day}`)
    world.nextDay()
  }
})

test('thieves are slowed down and locked, from elsewhere also with addresses that all exist', async () => {
  const stolen = async (client: string, domains: readonly string[], everyMs: number, stale?: number) => {
    const world = new World()
    await world.weeks(4, [HOME, OFFICE])
    await world.at(2 * HOUR_MS)
    return world.send(client, domains, everyMs, stale)
  }
  assert.deepEqual(
    {
      list: await stolen(ABROAD, listed(2_000), 1_000),
      domains: await stolen(ABROAD, many(2_000), 1_000),
      'one domain': await stolen(ABROAD, many(2_000).fill('big.test'), 1_000),
      stale: await stolen(ABROAD, listed(2_000), 1_000, 5),
      patient: await stolen(ABROAD, listed(300), MINUTE_MS),
      'from home': await stolen(HOME, listed(2_000), 1_000),
      'from home, stale': await stolen(HOME, listed(2_000), 1_000, 5),
    },
    {
      list: { slowed: 40, locked: 90, taken: 40 },
      domains: { slowed: 30, locked: 80, taken: 30 },
      'one domain': { slowed: 100, locked: 150, taken: 100 },
      stale: { slowed: 40, locked: 90, taken: 40 },
      patient: { slowed: 40, taken: 300 },
      'from home': { warned: 40, taken: 921 },
      'from home, stale': { warned: 40, slowed: 50, locked: 100, taken: 50 },
    },
  )
})

test('a traveller whose first newsletter ever leaves from a hotel looks like a thief: slowed, and locked if he goes on', async () => {
  const world = new World()
  await world.weeks(4, [HOME, OFFICE])
  await world.at(10 * HOUR_MS)
  assert.deepEqual(await world.send(ABROAD, many(60), 1_000), { slowed: 30, taken: 30 })
})

test('what a thief did is no habit the next day; after an unlocking the owner begins anew', async () => {
  const world = new World()
  await world.weeks(4, [HOME, OFFICE])
  await world.at(2 * HOUR_MS)
  assert.deepEqual(await world.send(ABROAD, listed(60), 1_000), { slowed: 40, taken: 40 })
  world.nextDay()
  await world.at(2 * HOUR_MS)
  assert.deepEqual(await world.send(ABROAD, listed(100), 1_000), { slowed: 40, locked: 90, taken: 40 })
  world.unlock()
  assert.deepEqual(await world.send(HOME, many(20), 1_000), { taken: 20 })
})
