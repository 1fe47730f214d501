import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directoryFrom } from '#config/directory.ts'
import { parseConfig } from '#config/parse.ts'
import { mailbox } from '#mail/testing.ts'
import { type NamedRoutes, reportWay } from './report-way.ts'

const TEXT = `hostname: relay.example
listeners: {name: mx, addresses: 192.0.2.1:25}
tenants:
  bakery:
    routes: {out: {use-mx: true}, quiet: {use-mx: true}, partner: {hosts: 192.0.2.7}, in: {hosts: 192.0.2.9}}
    domains: {bakery.example: {route: in}}
    outbound: {from-networks: 10.0.0.0/8, route: out, null-path-route: quiet, domain-routes: {partner.example: partner}}
  provider:
    routes: {spare: {use-mx: true}}
    domains: {relay.example: {deliver-to: 192.0.2.8}}\n`

function wayOf(from: string, to: string, named: NamedRoutes = {}): string | undefined {
  const parsed = parseConfig(TEXT, 'v')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const way = reportWay(mailbox(from), mailbox(to), named, directoryFrom(parsed.config))
  return way && `${way.tenant}: ${way.route}`
}

test('as the mail of the sending tenant from the null path leaves', () => {
  assert.equal(wayOf('t@bakery.example', 'r@far.example'), 'bakery: bakery/quiet/far.example')
  assert.equal(wayOf('t@bakery.example', 'r@partner.example'), 'bakery: bakery/partner')
})

test('by the route that is named, else by that of notices, if there is one', () => {
  const named = { reports: 'provider/spare', notices: 'bakery/out' }
  assert.equal(wayOf('t@bakery.example', 'r@far.example', named), 'provider: provider/spare')
  assert.equal(wayOf('t@relay.example', 'r@far.example', { notices: 'bakery/out' }), 'bakery: bakery/out')
  assert.equal(wayOf('t@relay.example', 'r@far.example'), undefined)
  assert.equal(wayOf('t@relay.example', 'r@far.example', { reports: 'provider/gone' }), undefined)
})

test('to a domain that is served here, as all its mail goes', () => {
  assert.equal(wayOf('t@relay.example', 'r@bakery.example', { reports: 'provider/spare' }), 'bakery: bakery/in')
})
