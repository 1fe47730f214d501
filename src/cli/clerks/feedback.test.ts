import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lesson } from '#mail/feedback.ts'
import { HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { FEEDBACK } from '#store/feedback.ts'
import { GroupCommit } from '#store/group-commit.ts'
import type { Said } from '#store/suppressions.ts'
import type { AnsweredRecipients } from '../../relay/answered-recipients.ts'
import { FeedbackClerk, LESSONS_PER_HOUR_MAX, SOURCES_MAX } from './feedback.ts'

const ANNA = 'anna@bakery.test'

function open() {
  const clock = new HandClock()
  const database = openStore(':memory:', [FEEDBACK])
  const suppressed: [string, Said][] = []
  const counted: AnsweredRecipients[] = []
  const state = { isNew: true }
  const clerk = new FeedbackClerk({
    database,
    commits: new GroupCommit(database),
    wallMs: () => clock.wall(),
    clock,
    suppress(reason, said) {
      suppressed.push([reason, said])
      return state.isNew
    },
    hasLogin: (tenant, login) => tenant === 'bakery' && login === ANNA,
    counted: (of) => void counted.push(of),
  })
  const learn = (lessons: readonly Lesson[], source = 'bounces bakery') => clerk.answer('learn', { source, lessons })
  return { clock, clerk, suppressed, counted, state, learn }
}

let number = 0
const lesson = (about: Lesson['about'], more: Partial<Lesson> = {}): Lesson => ({
  about,
  tenant: 'bakery',
  login: ANNA,
  address: 'bob@far.test',
  proof: 'token',
  text: '550 5.1.1 no',
  evidence: '1M8693VGN006S6T from far.test',
  once: `${++number}`,
  ...more,
})

test('hard bounces and complaints are suppressed, with their source, and counted for the login; soft ones are not', async () => {
  const { learn, suppressed, counted, state } = open()
  const decided = await learn([lesson('hard-bounce'), lesson('soft-bounce'), lesson('complaint')])
  assert.deepEqual(decided, ['suppressed', 'counted', 'suppressed'])
  const said = {
    tenant: 'bakery',
    address: 'bob@far.test',
    text: '550 5.1.1 no',
    evidence: lesson('complaint').evidence,
  }
  assert.deepEqual(suppressed, [
    ['bounced', { ...said, source: 'dsn' }],
    ['complained', { ...said, source: 'feedback' }],
  ])
  assert.deepEqual(counted, [{ tenant: 'bakery', login: ANNA, answered: 0, unknown: 0, bounced: 1, complaints: 1 }])
  state.isNew = false
  assert.deepEqual(await learn([lesson('hard-bounce'), lesson('soft-bounce')]), ['counted', 'counted'])
  assert.equal(counted.length, 2)
})

test('the same answer counts once, also within one message', async () => {
  const { learn, suppressed, counted } = open()
  const twice = lesson('complaint')
  assert.deepEqual(await learn([twice, twice]), ['suppressed', 'repeated'])
  assert.deepEqual(await learn([twice]), ['repeated'])
  assert.equal(suppressed.length, 1)
  assert.deepEqual(
    counted.map(({ complaints }) => complaints),
    [1],
  )
})

test('a complaint of nobody in particular counts, and suppresses nobody; servers and logins that are gone count for nobody', async () => {
  const { learn, suppressed, counted } = open()
  const { address, login, ...nobody } = lesson('complaint')
  assert.deepEqual(await learn([{ ...nobody, login: ANNA }]), ['counted'])
  assert.equal(suppressed.length, 0)
  assert.equal(counted.length, 1)
  const { login: _, ...server } = lesson('hard-bounce')
  assert.deepEqual(await learn([server, lesson('hard-bounce', { login: 'gone@bakery.test' })]), [
    'suppressed',
    'suppressed',
  ])
  await learn([lesson('hard-bounce', { tenant: 'smith' })])
  assert.equal(counted.length, 1)
})

test('who says too much within an hour is not listened to, and others are', async () => {
  const { learn, clock } = open()
  const many = (count: number) => Array.from({ length: count }, () => lesson('soft-bounce', { once: 'same' }))
  for (let i = 0; i < LESSONS_PER_HOUR_MAX / 1000; i++) await learn(many(1000), 'reports far.test')
  assert.deepEqual(await learn([lesson('complaint')], 'reports far.test'), ['over-limit'])
  assert.deepEqual(await learn([lesson('complaint')], 'reports near.test'), ['suppressed'])
  clock.jumpMs += 2 * 3_600_000
  assert.deepEqual(await learn([lesson('complaint')], 'reports far.test'), ['suppressed'])
  await learn(many(LESSONS_PER_HOUR_MAX - 1), 'reports far.test')
  assert.deepEqual(await learn([lesson('complaint')], 'reports far.test'), ['over-limit'])
  for (let i = 0; i < SOURCES_MAX; i++) void learn([], `source ${i}`)
  assert.deepEqual(
    await learn([lesson('complaint')], 'reports far.test'),
    ['suppressed'],
    'forgotten, not kept for ever',
  )
})
