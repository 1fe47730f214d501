import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecipientFact, RecipientFactsWriter } from '#store/recipient-facts.ts'
import type { Lesson } from './lesson.ts'
import { LessonBook } from './lesson-book.ts'
import { KNOWLEDGE_LIMITS } from './limits.ts'

const HOUR = 3_600_000

test('who writes again does not count as new; who was not taken is not written down', () => {
  const written = new Map<string, RecipientFact>()
  const facts = {
    get: (key: string) => written.get(key),
    put: (key: string, fact: RecipientFact) => void written.set(key, fact),
    domain: () => undefined,
    together: (work: () => void) => work(),
  } as unknown as RecipientFactsWriter
  let nowMs = 0
  const clock = { wall: () => nowMs, monotonic: () => nowMs, after: () => () => {} }
  const limits = { ...KNOWLEDGE_LIMITS, outgoingNewPerDayMax: 2 }
  const book = new LessonBook({ facts, wall: { now: () => nowMs }, clock, limits, fault: () => {} })
  const wrote = (...names: string[]) => {
    const lessons = names.map(
      (name): Lesson => ({ key: `${name}@x.test`, state: 'known', source: 'outgoing', route: 'bakery/main' }),
    )
    void book.add(lessons.map((lesson) => ({ kind: 'lesson', lesson })))
    book.flush()
  }
  for (let times = 0; times < 5; times++, nowMs += HOUR) wrote('anna')
  wrote('bert', 'carl')
  assert.deepEqual([...written.keys()], ['anna@x.test', 'bert@x.test'])
  assert.equal(written.get('anna@x.test')?.atMs, 4 * HOUR)
})
