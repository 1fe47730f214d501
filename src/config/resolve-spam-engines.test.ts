/** Spam filters beside us, as they are written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

const parse = (engines: string) =>
  parseConfig(
    `hostname: mx1.relay.example
listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}
tenants: {bakery: {postmaster: p@bakery.example, domains: {bakery.example: {deliver-to: 192.0.2.9}}}}
spam: {engines: {${engines}}}
`,
    '/etc/v/v.yaml',
  )

function problems(engines: string): string {
  const result = parse(engines)
  return result.ok ? '' : result.problems.map(problemLine).join('\n')
}

test('engines have defaults, and what belongs to their kind', () => {
  const result = parse(
    'a: {kind: rspamd, servers: ["127.0.0.1:11333", "[::1]:1"], settings-id: in, password-file: p, weight: 0.5},' +
      'b: {kind: spamd, servers: /run/s, user: anna, size-max: 1MiB}',
  )
  assert.ok(result.ok)
  const [a, b] = result.config.spam.engines
  assert.deepEqual(a, {
    name: 'a',
    kind: 'rspamd',
    servers: [
      { kind: 'tcp', address: '127.0.0.1', port: 11333 },
      { kind: 'tcp', address: '::1', port: 1 },
    ],
    weight: 0.5,
    connectionsMax: 10,
    connectMsMax: 1_000,
    timeMsMax: 4_000,
    octetsMax: 512 * 1024,
    settingsId: 'in',
    password: { 'password-file': '/etc/v/p' },
  })
  assert.ok(b?.kind === 'spamd')
  assert.deepEqual([b.servers, b.user, b.octetsMax], [[{ kind: 'local', path: '/run/s' }], 'anna', 1024 * 1024])
})

test('what does not fit the kind is said', () => {
  assert.equal(problems('a: {kind: spamd, servers: /s}'), '')
  assert.match(
    problems('a: {kind: spamd, servers: /s, settings-id: x}'),
    /spam\.engines\.a\.settings-id: .*spamd has none/,
  )
  assert.match(problems('a: {kind: rspamd, servers: /s, user: x}'), /user: .*rspamd has none/)
  assert.match(problems('a: {kind: rspamd, servers: /s, password-file: p, password-env: P}'), /exactly one of/)
  assert.match(
    problems('a: {kind: rspamd, servers: "http://127.0.0.1:11333"}'),
    /an address with its port and nothing else/,
  )
  assert.match(problems('a: {kind: rspamd, servers: /s, weight: 3}'), /a number from 0 to 2/)
  assert.match(problems('a: {servers: /s}'), /kind: is missing/)
})
