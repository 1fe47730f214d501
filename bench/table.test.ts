import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figure, markdown } from './table.ts'

test('a figure has three digits that mean something', () => {
  assert.deepEqual([12345.6, 99.94, 5.678, 0.12345, Number.NaN].map(figure), ['12346', '99.9', '5.68', '0.123', '-'])
})

test('a table is Markdown, padded; what was not measured is a dash', () => {
  const text = markdown({
    title: 'T',
    columns: ['cell', 'msg/s'],
    rows: [
      ['4k', 1200],
      ['64k multi', undefined],
    ],
  })
  assert.equal(
    text,
    '### T\n\n| cell      | msg/s |\n|-----------|-------|\n| 4k        | 1200  |\n| 64k multi | -     |\n',
  )
})
