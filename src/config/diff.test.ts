import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { diffFromDefaults } from './diff.ts'
import { parseConfig } from './parse.ts'

function diff(text: string): unknown {
  const result = parseConfig(text, 'v.yaml', { environment: { FORMAT: 'text' } })
  assert.ok(result.ok)
  return JSON.parse(JSON.stringify(diffFromDefaults(result.written)))
}

test('what says the same as the default is left out, in whatever words', () => {
  const text = `hostname: mx1.relay.example
data-folder: /var/lib/vorposten
log: {format: text}
spool: {segment-size: 65536KiB, free-space-min: 2GiB}
limits: {command-time-max: 300s, recipients-max: 500}
listeners:
  - {name: mx, addresses: "0.0.0.0:25", tls: starttls, line-ends: normalise, limits: {errors-max: 20}}
tenants:
  bakery:
    language: en
    routes: {main: {hosts: a.example, tls: opportunistic, retry: {first: 5m, max: 2h}}}
    domains: {bakery.example: {route: main, recipients: live, commit: spool}, b.example: {route: main, commit: cut-through}}
  empty: {}
`
  assert.deepEqual(diff(text), {
    hostname: 'mx1.relay.example',
    spool: { 'free-space-min': '2GiB' },
    limits: { 'recipients-max': 500 },
    // A limit of a listener differs from the common ones, whatever its figure.
    listeners: [{ name: 'mx', addresses: '0.0.0.0:25', 'line-ends': 'normalise', limits: { 'errors-max': 20 } }],
    tenants: {
      bakery: {
        routes: { main: { hosts: 'a.example', retry: { max: '2h' } } },
        domains: { 'bakery.example': { route: 'main', commit: 'spool' }, 'b.example': { route: 'main' } },
      },
      empty: {},
    },
  })
})

test('a variable is shown as a variable', () => {
  const text = `hostname: mx1.relay.example\nlog: {format: "\${ENV:FORMAT}"}\ntenants: {}\n`
  assert.deepEqual(diff(text), parse(text))
})

test('a secret is not shown', () => {
  const keys = { 3: { secret: 'sixteen octets or more' }, 4: { 'secret-env': 'KEY' } }
  const written = { tenants: { bakery: { 'bounce-protection': { kind: 'batv', since: '2026-11-24', keys } } } }
  assert.deepEqual(diffFromDefaults(written), {
    tenants: {
      bakery: {
        'bounce-protection': {
          kind: 'batv',
          since: '2026-11-24',
          keys: { 3: { secret: '***' }, 4: { 'secret-env': 'KEY' } },
        },
      },
    },
  })
})
