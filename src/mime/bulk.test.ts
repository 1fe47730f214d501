import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { isBulk } from './bulk.ts'
import { readHeaderSection } from './header-section.ts'

const bulk = (fields: string): boolean =>
  isBulk(readHeaderSection(content([Buffer.from(`From: a@b.example\r\n${fields}\r\n\r\nPrecedence: bulk\r\n`)])))

test('mail of a list, or that says so, is bulk; other mail is not', () => {
  for (const field of [
    'List-Id: <a.b.example>',
    'LIST-UNSUBSCRIBE: <https://b.example>',
    'Precedence:  Bulk',
    'Precedence: list',
  ])
    assert.ok(bulk(field), field)
  for (const field of ['Subject: list-id', 'Precedence: first-class', 'Precedence: bulky', 'X-List-Id: a'])
    assert.ok(!bulk(field), field)
})
