import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServedDomain } from '#tenant/directory.ts'
import { askList, withoutSubaddress } from './lists.ts'

const domain = (more: object = {}): ServedDomain =>
  ({
    name: 'a.bakery.test',
    tenant: { name: 'bakery' },
    recipients: { kind: 'directory', otherwise: 'refuse', list: '*.bakery.test', ...more },
  }) as unknown as ServedDomain

const listOf = (tenant: string, ...keys: string[]) => ({
  has: (name: string, key: string) =>
    name === '*.bakery.test' ? { listed: keys.includes(key), tenant, source: 'imported', loadedAtMs: 400 } : undefined,
})

test('a list says yes or no, with its age; the list of another tenant, or none, says nothing (laws 4 and 7)', () => {
  const lists = listOf('bakery', 'anna@a.bakery.test')
  assert.deepEqual(askList(lists, domain(), 'anna@a.bakery.test', 1000), { kind: 'listed', ageMs: 600 })
  assert.deepEqual(askList(lists, domain(), 'bert@a.bakery.test', 0), { kind: 'absent', ageMs: 0 })
  const foreign = listOf('smith', 'anna@a.bakery.test')
  for (const key of ['anna@a.bakery.test', 'bert@a.bakery.test']) {
    assert.equal(askList(foreign, domain(), key, 1000).kind, 'no-list')
    assert.equal(askList(undefined, domain(), key, 1000).kind, 'no-list')
  }
  assert.equal(askList(lists, domain({ list: undefined }), 'anna@a.bakery.test', 1000).kind, 'no-list')
})

test('a detail is taken off only where there is a name before it, and where the domain says so', () => {
  const lists = listOf('bakery', 'anna@a.bakery.test', '@a.bakery.test')
  const plus = domain({ subaddressSeparator: '+' })
  assert.equal(askList(lists, plus, 'anna+shop@a.bakery.test', 0).kind, 'listed')
  assert.equal(askList(lists, domain(), 'anna+shop@a.bakery.test', 0).kind, 'absent')
  assert.equal(askList(lists, plus, '+shop@a.bakery.test', 0).kind, 'absent')
  assert.equal(withoutSubaddress('anna@x+y.test', '+'), undefined)
  assert.equal(withoutSubaddress('anna+a+b@x.test', '+'), 'anna@x.test')
})
