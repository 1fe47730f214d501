import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMailbox } from '#mail/address.ts'
import { declaredDirectory } from './declared.ts'
import { routeToLeaveBy, splitRouteId, towards } from './destination.ts'
import type { OutboundSettings, Route } from './directory.ts'

const route = (id: string, more: Partial<Route> = {}): Route => ({
  id,
  tenant: 'bakery',
  protocol: 'smtp',
  hosts: [],
  tls: 'opportunistic',
  connectionsMax: 20,
  deliveriesPerConnectionMax: 100,
  retryFirstMs: 1,
  retryMaxMs: 1,
  lifetimeMs: 1,
  ...more,
})
const OUTBOUND: OutboundSettings = {
  networks: ['192.0.2.0/24'],
  route: 'bakery/internet',
  domainRoutes: new Map([
    ['partner.example', 'bakery/partner'],
    ['twin.example', 'bakery/second'],
  ]),
  nullPathRoute: 'bakery/second',
  senders: 'any',
  contentOctetsMax: 1000,
  ndrs: 'pass',
  dkim: { ifUnavailable: 'defer' },
  autoReplies: { limit: 2, windowMs: 1, per: 'mailbox' },
}
const directory = declaredDirectory({
  tenants: [{ name: 'bakery', language: 'en', outbound: OUTBOUND }],
  routes: [
    route('bakery/internet', { byMx: { port: 25 } }),
    route('bakery/second', { byMx: { port: 25 } }),
    route('bakery/partner', { hosts: [{ name: 'x', port: 25, preference: 10 }] }),
  ],
  domains: [],
})

function domain(text: string) {
  const parsed = parseMailbox(`a@${text}`)
  if (!parsed.ok) throw new Error(text)
  return parsed.value.domain
}

test('a destination has a route of its own, with everything that the declared one says', () => {
  const made = directory.route('bakery/internet/example.org')
  assert.deepEqual(made, {
    ...directory.route('bakery/internet'),
    id: 'bakery/internet/example.org',
    destination: 'example.org',
  })
  assert.equal(directory.route('bakery/internet/example.org'), made)
  assert.equal(directory.route('bakery/internet/[192.0.2.1]')?.destination, '[192.0.2.1]')
  assert.equal(directory.route('bakery/internet/[IPv6:2001:db8::1]')?.destination, '[IPv6:2001:db8::1]')
  assert.deepEqual([...directory.routes()].map(({ id }) => id).length, 3)
})

test('what is no destination has none', () => {
  for (const id of [
    'bakery/nothing/example.org',
    'smith/internet/example.org',
    'bakery/internet/',
    'bakery/internet/Example.org',
    'bakery/internet/a b',
    'bakery/internet/x/y',
    'bakery/internet/[192.0.2.1',
    'bakery/internet/[x]',
    'bakery/internet/[IPv6:2001:DB8::1]',
  ]) {
    assert.equal(directory.route(id), undefined, id)
  }
})

test('a route that has hosts now takes what waits for its destinations', () => {
  const made = directory.route('bakery/partner/example.org')
  assert.deepEqual(made, { ...directory.route('bakery/partner'), id: 'bakery/partner/example.org' })
})

test('ids come apart again', () => {
  assert.deepEqual(splitRouteId('bakery/internet'), { declared: 'bakery/internet' })
  assert.deepEqual(splitRouteId('bakery/internet/a.b'), { declared: 'bakery/internet', destination: 'a.b' })
})

test('by which route mail leaves', () => {
  const way = directory.outbound('192.0.2.7')!
  const leaves = (to: string, fromNullPath = false) => routeToLeaveBy(way, fromNullPath, domain(to), directory.route)
  assert.equal(leaves('Example.org'), 'bakery/internet/example.org')
  assert.equal(leaves('[192.0.2.1]'), 'bakery/internet/[192.0.2.1]')
  assert.equal(leaves('partner.example'), 'bakery/partner')
  assert.equal(leaves('twin.example'), 'bakery/second/twin.example')
  assert.equal(leaves('example.org', true), 'bakery/second/example.org')
  assert.equal(leaves('partner.example', true), 'bakery/partner')
})

test('a wildcard stands for subdomains; the name itself comes first, then the longest', () => {
  const way = directory.outbound('192.0.2.7')!
  const domainRoutes = new Map([
    ['*.example', 'bakery/second'],
    ['*.big.example', 'bakery/partner'],
    ['own.big.example', 'bakery/internet'],
  ])
  const wild = { ...way, outbound: { ...way.outbound, domainRoutes } }
  const leaves = (to: string) => routeToLeaveBy(wild, false, domain(to), directory.route)
  assert.equal(leaves('a.big.example'), 'bakery/partner')
  assert.equal(leaves('a.b.big.example'), 'bakery/partner')
  assert.equal(leaves('big.example'), 'bakery/second/big.example')
  assert.equal(leaves('OWN.big.example'), 'bakery/internet/own.big.example')
  assert.equal(leaves('a.own.big.example'), 'bakery/partner')
  assert.equal(leaves('notbig.example'), 'bakery/second/notbig.example')
  assert.equal(leaves('example.org'), 'bakery/internet/example.org')
  assert.equal(leaves('[192.0.2.1]'), 'bakery/internet/[192.0.2.1]')
})

test('an answer goes to the destination of its own recipient', () => {
  const taken = directory.route('bakery/internet/example.org')!
  assert.equal(towards(taken, domain('sender.example')), 'bakery/internet/sender.example')
  assert.equal(towards(directory.route('bakery/partner')!, domain('sender.example')), 'bakery/partner')
})

test('an operator’s word on TLS holds for its destination, and for no other', () => {
  const named = declaredDirectory({
    tenants: [],
    routes: [route('bakery/out', { byMx: { port: 25 }, tlsByDomain: new Map([['broken.example', 'never']]) })],
    domains: [],
  })
  const [one, other] = ['broken.example', 'sub.broken.example'].map((to) => named.route(`bakery/out/${to}`)!)
  assert.deepEqual([one!.tls, one!.tlsByOperator], ['never', true])
  assert.deepEqual([other!.tls, other!.tlsByOperator], ['opportunistic', undefined])
})
