/** Who may send, by network, key or login, and how much each login may: what only the whole configuration shows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

const OUT =
  'listeners: [{name: mx, addresses: 192.0.2.1:25, tls: none}, {name: out, addresses: 192.0.2.1:26, tls: none, service: outbound}]'

function problems(tenants: string, head: string): string[] {
  const result = parseConfig(`hostname: mx1.relay.example\n${head}\ntenants:\n${tenants}`, 'v', {
    machine: ['192.0.2.9'],
  })
  const lines = (result.ok ? result.warnings : result.problems).map(problemLine)
  return lines.filter((line) => !line.includes('has no postmaster'))
}

const tenant = (name: string, from: string) =>
  `  ${name}: {routes: {main: {hosts: a.example}}, domains: {${name}.example: {route: main}}, outbound: {route: main${from}}}\n`

test('servers of a tenant are known by network or by key; a key belongs to one tenant', () => {
  const key = 'ab'.repeat(32)
  const written = key.toUpperCase().match(/../g)!.join(':')
  const door = (tls: string) =>
    `listeners: [{name: mx, addresses: 192.0.2.1:25, tls: none}, {name: out, addresses: 192.0.2.1:26, tls: ${tls}, service: outbound}]`
  const told = (text: string, tls = 'starttls') =>
    problems(text, door(tls))
      .filter((line) => !line.includes('has no certificate'))
      .join('\n')
  assert.equal(told(tenant('bakery', `, from-client-keys: "${written}"`)), '')
  assert.match(told(tenant('bakery', '')), /outbound: does not say which servers are the tenant’s/)
  const users = `listeners: [{name: mx, addresses: 192.0.2.1:25, tls: none}, {name: users, addresses: 192.0.2.1:587, service: submission}]`
  const alone = problems(tenant('bakery', ''), users).filter((line) => !line.includes('has no certificate'))
  assert.deepEqual(alone, [], 'users with a login are enough')
  assert.match(told(tenant('bakery', ', from-client-keys: abcd')), /64 hexadecimal digits/)
  assert.match(told(tenant('bakery', `, from-client-keys: ${key}`), 'none'), /no server can show a certificate/)
  const two = tenant('bakery', `, from-client-keys: ${key}`) + tenant('smith', `, from-client-keys: "${written}"`)
  assert.match(told(two), /this key already belongs to bakery/)
})

test('what a login may have of its own is not less than what every login has', () => {
  const limits = (text: string) => problems(tenant('bakery', `, from-networks: 10.0.0.0/8, limits: ${text}`), OUT)
  assert.deepEqual(limits('{login-max: {recipients-per-10-minutes: 300, recipients-per-day: 2000}}'), [])
  assert.match(
    limits('{login: {recipients-per-day: 30000}, login-max: {recipients-per-10-minutes: 5000}}').join(),
    /error: .*login-max\.recipients-per-day: is less than what every login may send.*30000 or more/,
  )
})
