import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declaredDirectory } from './declared.ts'
import type { Route, ServedDomain, Tenant } from './directory.ts'

const tenant: Tenant = { name: 'bakery', language: 'en' }
const route: Route = {
  id: 'bakery/main',
  tenant: 'bakery',
  protocol: 'smtp',
  hosts: [{ name: 'mail.bakery.example', port: 25, preference: 10 }],
  tls: 'opportunistic',
  connectionsMax: 1,
  deliveriesPerConnectionMax: 1,
  retryFirstMs: 1,
  retryMaxMs: 1,
  lifetimeMs: 1,
}
const domain = (name: string, policyClass = name): ServedDomain => ({
  name,
  tenant,
  route,
  recipients: { kind: 'live' },
  commit: 'spool',
  policyClass,
  contentOctetsMax: 1,
})
const directory = (...names: string[]) =>
  declaredDirectory({ tenants: [tenant], routes: [route], domains: names.map((name) => domain(name)) })

test('domains, routes and tenants are found by their names, and nothing else is', () => {
  const found = directory('bakery.example')
  assert.equal(found.domain('bakery.example')?.tenant, tenant)
  assert.equal(found.route('bakery/main'), route)
  assert.equal(found.tenant('bakery'), tenant)
  for (const name of ['', 'example', 'a.bakery.example', 'xbakery.example', '__proto__', 'constructor']) {
    assert.equal(found.domain(name), undefined, name)
    assert.equal(found.tenant(name), undefined, name)
    assert.equal(found.route(name), undefined, name)
  }
})

test('a wildcard stands for subdomains of any depth, not for the domain itself', () => {
  const found = directory('*.bakery.example')
  assert.deepEqual(found.domain('shop.bakery.example'), domain('shop.bakery.example', '*.bakery.example'))
  assert.equal(found.domain('a.b.c.bakery.example')?.name, 'a.b.c.bakery.example')
  assert.equal(found.domain('bakery.example'), undefined)
  assert.equal(found.domain('shop.xbakery.example'), undefined)
})

test('the closest declaration wins', () => {
  const found = directory('*.example', '*.bakery.example', 'shop.bakery.example')
  const chosen = (name: string) => found.domain(name)?.policyClass
  assert.equal(chosen('shop.bakery.example'), 'shop.bakery.example')
  assert.equal(chosen('a.bakery.example'), '*.bakery.example')
  assert.equal(chosen('bakery.example'), '*.example')
})

test('all domains and routes can be gone through, again and again', () => {
  const found = directory('bakery.example', '*.bakery.example')
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(
      [...found.domains()].map(({ name }) => name),
      ['bakery.example', '*.bakery.example'],
    )
    assert.deepEqual([...found.routes()], [route])
  }
})
