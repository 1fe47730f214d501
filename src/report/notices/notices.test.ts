/** `GOLDEN=write node --test …` writes `fixtures/notices` anew: then read the difference. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { HeldMessage } from '#mail/notice.ts'
import { mailbox } from '#mail/testing.ts'
import { composedBytes } from '#mime/compose.ts'
import { ROWS_MAX } from './digest.ts'
import { htmlOf } from './html.ts'
import { documentOf, renderNotice } from './notices.ts'
import { digest, held, NOTICES, options } from './notices-testing.ts'
import { textOf } from './plain-text.ts'

const LANGUAGES = ['de', 'en'] as const
const both = Object.entries(NOTICES).flatMap(([name, notice]) =>
  LANGUAGES.map((language) => ({ name: `${name}.${language}`, notice, language })),
)

describe('a notice reads as in fixtures/notices', () => {
  for (const { name, notice, language } of both) {
    it(name, () => {
      const document = documentOf(notice, options(language))
      golden(`${name}.txt`, textOf(document))
      golden(`${name}.html`, htmlOf(document))
    })
  }
})

function golden(name: string, now: string): void {
  const file = new URL(`../../../fixtures/notices/${name}`, import.meta.url)
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, now)
  assert.equal(now, readFileSync(file, 'utf8'))
}
