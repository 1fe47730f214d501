import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Classifier } from '#scan/spam/classifier/classifier.ts'
import { featuresOf } from '#scan/spam/classifier/features.ts'
import { globalFile, Models, tenantFile } from '#scan/spam/classifier/models.ts'
import { packed } from '#scan/spam/classifier/packing.ts'
import { readMessage } from '#scan/spam/message.ts'
import { type Database, openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { SOURCE_LESSONS_PER_DAY_MAX, SPAM_LESSONS } from '#store/spam-lessons.ts'
import { systemClock } from '#sys/clock.ts'
import { systemDisk } from '#sys/disk.ts'
import { SpamClerk } from './spam.ts'
import type { StatsAnswer, Teaching, TrainAnswer } from './spam-requests.ts'

const features = (text: string) => {
  const octets = Buffer.from(`From: a@b.example\r\nSubject: ${text}\r\n\r\n${text}, they wrote. ${text}\r\n`)
  return featuresOf(readMessage(octets), octets)
}
const lesson = (text: string, isSpam: boolean) => ({ isSpam, features: packed(features(text)).toString('base64') })
const teaching = (text: string, rest: Partial<Teaching> = {}): Teaching => ({
  ...{ tenant: 'bakery', isSpam: false, teacher: 'release', source: 'anna@bakery.example' },
  features: packed(features(text)),
  ...rest,
})

interface Here {
  readonly clerk: SpamClerk
  readonly database: Database
  readonly folder: string
  readonly lines: string[]
  readonly nowMs: { value: number }
  readonly reopened: () => Promise<Here>
}

function opened(place = mkdtempSync(join(tmpdir(), 'spam-clerk-'))): Here {
  const storePath = join(place, 'store.db')
  const folder = join(place, 'spam')
  const database = openStore(storePath, [SPAM_LESSONS])
  const lines: string[] = []
  const nowMs = { value: Date.UTC(2026, 10, 25) }
  const clerk = new SpamClerk({
    ...{ database, commits: new GroupCommit(database), storePath, folder, disk: systemDisk, clock: systemClock },
    wallMs: () => nowMs.value,
    log: (line) => void lines.push(line),
  })
  const close = async () => {
    await clerk.close()
    database.close()
  }
  return { clerk, database, folder, lines, nowMs, reopened: async () => close().then(() => opened(place)) }
}

const score = ({ folder }: Here, text: string, tenant?: string): number => {
  const learned = new Models(folder).of(tenant)
  return (learned.kind === 'learned' ? learned.classifier : new Classifier([])).score(features(text))
}

test('what is taught is made use of, for everybody or for one tenant, and undone to the bit', async () => {
  const here = opened()
  const { clerk, folder } = here
  const before = score(here, 'quarterly garden figures')
  const learned = await clerk.command('train', { source: 'admin', lessons: [lesson('quarterly garden figures', true)] })
  assert.deepEqual(learned, { learned: 1, known: 0, tooMany: 0 })
  await clerk.command('settle', {})
  assert.ok(score(here, 'quarterly garden figures') > before)
  const file = readFileSync(globalFile(folder))
  await clerk.answer('learn', [teaching('quarterly garden figures')])
  await clerk.command('settle', {})
  assert.ok(score(here, 'quarterly garden figures', 'bakery') < score(here, 'quarterly garden figures', 'florist'))
  assert.deepEqual(await clerk.command('train', { source: 'mallory', lessons: [lesson('our offer', false)] }), {
    ...{ learned: 1, known: 0, tooMany: 0 },
  })
  await clerk.command('settle', {})
  assert.notDeepEqual(readFileSync(globalFile(folder)), file)
  assert.deepEqual(await clerk.command('undo', { source: 'mallory' }), { forgotten: 1 })
  await clerk.command('settle', {})
  assert.deepEqual(readFileSync(globalFile(folder)), file)
  await clerk.command('undo', { tenant: 'bakery', source: 'anna@bakery.example' })
  await clerk.command('settle', {})
  assert.ok(!existsSync(tenantFile(folder, 'bakery')))
  await clerk.close()
})

test('the same lesson is known; who changes his mind has said the last thing', async () => {
  const { clerk } = opened()
  const train = (isSpam: boolean) => clerk.command('train', { source: 'admin', lessons: [lesson('a sale', isSpam)] })
  await train(true)
  assert.equal(((await train(true)) as TrainAnswer).known, 1)
  await train(false)
  const { tenants } = (await clerk.command('stats', {})) as StatsAnswer
  assert.deepEqual([tenants[0]!.ham, tenants[0]!.spam], [1, 0])
  await clerk.close()
})

test('a person teaches so much a day; the operator has no such limit', async () => {
  const { clerk, nowMs } = opened()
  const many = Array.from(
    { length: SOURCE_LESSONS_PER_DAY_MAX + 5 },
    (_, i) => `offer ${'abcdefghij'[i % 10]}${'klmnopqrstu'[Math.trunc(i / 10)]} of the day`,
  )
  await clerk.answer(
    'learn',
    many.map((text) => teaching(text)),
  )
  const count = async () => ((await clerk.command('stats', { tenant: 'bakery' })) as StatsAnswer).tenants[0]!.ham
  assert.equal(await count(), SOURCE_LESSONS_PER_DAY_MAX)
  nowMs.value += 86_400_001
  await clerk.answer('learn', [teaching(many.at(-1)!)])
  assert.equal(await count(), SOURCE_LESSONS_PER_DAY_MAX + 1)
  await clerk.close()
})

test('what was taught before a crash is made use of after it', async () => {
  const here = opened()
  await here.clerk.command('train', { source: 'admin', lessons: [lesson('quarterly garden figures', true)] })
  assert.ok(!existsSync(globalFile(here.folder)))
  const again = await here.reopened()
  again.clerk.started()
  await again.clerk.settle()
  assert.ok(existsSync(globalFile(again.folder)))
  await again.clerk.close()
})

test('what was exported is imported: the same layer, to the bit', async () => {
  const { clerk, folder } = opened()
  await clerk.command('train', { source: 'a', lessons: [lesson('a sale', true), lesson('a minute', false)] })
  await clerk.command('settle', {})
  const { lessons } = (await clerk.command('export', { after: 0 })) as { lessons: object[] }
  await clerk.close()
  const other = opened()
  await other.clerk.command('import', { lessons: lessons.toReversed() })
  await other.clerk.command('settle', {})
  assert.deepEqual(readFileSync(globalFile(other.folder)), readFileSync(globalFile(folder)))
  await other.clerk.close()
})

test('a lesson that is none is refused, and a damaged layer is made again from what there is', async () => {
  const { clerk, lines, folder } = opened()
  const wrong = { source: 'admin', lessons: [{ isSpam: true, features: 'gICA' }] }
  await assert.rejects(clerk.command('train', wrong), /not understood/)
  await assert.rejects(clerk.command('train', { source: 'admin' }), /not understood/)
  await clerk.command('train', { source: 'admin', lessons: [lesson('a sale', true)] })
  await clerk.command('settle', {})
  rmSync(globalFile(folder))
  await clerk.command('train', { source: 'admin', lessons: [lesson('another one', true)] })
  await clerk.command('settle', {})
  assert.ok(existsSync(globalFile(folder)))
  assert.deepEqual(lines, [])
  await clerk.close()
})
