/** Attempts of routes that find their hosts by MX. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Destinations } from './destinations.ts'
import type { Found } from './exchangers.ts'
import { good, host, message, quiet, route, summary, World } from './testing.ts'
import type { TlsPolicy } from './tls-policy.ts'

const SEND = { onMixed: 'send' } as const

function world() {
  const found = new Map<string, Found>()
  const addresses = new Map<string, string[]>()
  const asked: string[] = []
  const policies: TlsPolicy[] = []
  const destinations: Destinations = {
    async find(destination, port) {
      asked.push(`${destination}:${port}`)
      return found.get(destination) ?? { kind: 'failed', status: '5.1.2', text: `${destination} does not exist` }
    },
    addresses: async (name) => addresses.get(name) ?? [name],
    tlsPolicy: async () => policies.shift() ?? { kind: 'none' },
  }
  const met: string[] = []
  const made = new World({
    tlsPolicyMet: (policy, result) => met.push(`${policy} ${result}`),
    destinations,
    resolve: () => Promise.reject(new Error('the resolver of configured hosts')),
  })
  const leads = (destination: string, ...hosts: (string | ReturnType<typeof host>)[]) =>
    found.set(destination, {
      kind: 'hosts',
      hosts: hosts.map((one) => (typeof one === 'string' ? host(one) : one)),
      secure: false,
    })
  return { made, found, addresses, asked, leads, policies, met }
}

const to = (destination: string) =>
  route([], { id: `customer/internet/${destination}`, byMx: { port: 2525 }, destination })

test('each destination has its hosts, and connections of its own', async () => {
  const { made, leads, asked } = world()
  leads('one.example', 'mx1')
  leads('two.example', 'mx2')
  const [one, two] = [made.server('mx1'), made.server('mx2')]
  for (const destination of ['one.example', 'two.example', 'one.example']) {
    assert.equal(summary(await made.delivery.attempt(to(destination), message(), SEND)), 'delivered')
  }
  assert.deepEqual([one.taken, two.taken, one.sessions.length], [2, 1, 1])
  assert.deepEqual(asked, ['one.example:2525', 'two.example:2525', 'one.example:2525'])
})

test('a certain no fails with its status, silence defers', async () => {
  const { made, found } = world()
  const no = await made.delivery.attempt(to('nobody.example'), message('a@x.example', 'b@x.example'), SEND)
  assert.equal(summary(no), 'failed/connect,failed/connect')
  assert.equal(no.relay, 'none')
  const [outcome] = no.outcomes
  assert.equal(outcome?.kind === 'failed' && outcome.status, '5.1.2')
  found.set('mute.example', { kind: 'deferred', text: 'SERVFAIL' })
  assert.equal(summary(await made.delivery.attempt(to('mute.example'), message(), SEND)), 'dns')
})

test('when the answer changes, mail goes to the new hosts and the old connections end', async () => {
  const { made, leads } = world()
  leads('one.example', 'mx1')
  const [one, two] = [made.server('mx1'), made.server('mx2')]
  await made.delivery.attempt(to('one.example'), message(), SEND)
  leads('one.example', 'mx2')
  assert.equal((await made.delivery.attempt(to('one.example'), message(), SEND)).relay, 'mx2[mx2]:25')
  await quiet()
  assert.deepEqual([one.open, two.open], [0, 1])
})

test('a destination that sleeps is forgotten, one with a fallback in use not before the back-off is over', async () => {
  const { made, leads } = world()
  leads('one.example', 'mx1')
  leads('two.example', host('down', 10), host('mx1', 20))
  leads('three.example', 'down')
  made.server('mx1')
  for (const destination of ['one.example', 'two.example', 'three.example']) {
    await made.delivery.attempt(to(destination), message(), SEND)
  }
  const known = () => made.delivery.stats().map(({ route: id }) => id.split('/')[2])
  assert.deepEqual(known(), ['one.example', 'two.example', 'three.example'])
  await made.clock.pass(1_000)
  assert.deepEqual(known(), ['one.example', 'two.example'])
  await made.clock.pass(60_000)
  assert.deepEqual(known(), [])
  assert.equal(made.clock.timers, 0)
})

test('the addresses of a host are raced to, and one whose session fails does not stop the next', async () => {
  const { made, leads, addresses } = world()
  leads('one.example', 'mx')
  addresses.set('mx', ['silent', 'rude', 'good'])
  made.server('silent').refuses = 'hang'
  made.server('rude', good()).greeting = '554 go away'
  const server = made.server('good')
  const attempt = made.delivery.attempt(to('one.example'), message(), SEND)
  await quiet()
  await made.clock.pass(1_000)
  assert.equal(summary(await attempt), 'delivered')
  assert.equal(server.taken, 1)
  assert.deepEqual(made.dialled.slice(0, 2), ['silent', 'rude'])
})

test('TLS that fails is tried in clear at the same address', async () => {
  const { made, leads, addresses } = world()
  leads('one.example', 'mx')
  addresses.set('mx', ['first', 'second'])
  const server = made.server('first', good({}, ['STARTTLS']))
  server.tls = 'fails'
  const attempt = await made.delivery.attempt({ ...to('one.example'), tls: 'opportunistic' }, message(), SEND)
  assert.deepEqual([summary(attempt), attempt.tls], ['delivered', false])
  assert.deepEqual(made.dialled, ['first', 'first'])
})

test('a reload that keeps the declared route keeps its destinations', async () => {
  const { made, leads } = world()
  leads('one.example', 'mx1')
  const server = made.server('mx1')
  await made.delivery.attempt(to('one.example'), message(), SEND)
  made.delivery.retire(new Set(['customer/internet']))
  await quiet()
  assert.equal(server.open, 1)
  made.delivery.retire(new Set())
  await quiet()
  assert.equal(server.open, 0)
})

test('what was stored for a smarthost goes to each destination, when its route has become one by MX', async () => {
  const { made, leads } = world()
  leads('one.example', 'mx1')
  leads('two.example', 'mx2')
  const [one, two] = [made.server('mx1'), made.server('mx2', good({ RCPT: '550 5.1.1 nobody' }))]
  const mixed = message('a@one.example', 'b@two.example', 'c@One.Example', 'd@three.example')
  const attempt = await made.delivery.attempt(route([], { byMx: { port: 25 } }), mixed, SEND)
  assert.equal(summary(attempt), 'delivered,failed/rcpt,delivered,failed/connect')
  assert.deepEqual([one.taken, two.sessions.length], [1, 1])
})

test('a TLS policy that nobody can say leaves the host out, and no clear text comes of one that is known', async () => {
  const { made, leads, policies } = world()
  leads('one.example', 'mx1', host('mx2', 20))
  const [one, two] = [made.server('mx1'), made.server('mx2')]
  policies.push({ kind: 'unknown', by: 'dane', text: 'TLSA: SERVFAIL' }, { kind: 'encrypt' })
  const attempt = await made.delivery.attempt({ ...to('one.example'), tls: 'opportunistic' }, message(), SEND)
  assert.equal(summary(attempt), 'tls')
  assert.deepEqual([one.sessions.length, two.sessions.length, two.taken], [0, 1, 0])
})

test('what came of a policy is counted, and a failure says who can mend it', async () => {
  const { made, leads, policies, met } = world()
  leads('one.example', 'mx1')
  const server = made.server('mx1', good({}, ['STARTTLS']))
  const attempt = async (policy: TlsPolicy) => {
    policies.push(policy)
    made.delivery.retire(new Set())
    const { outcomes, verifiedBy } = await made.delivery.attempt(
      { ...to('one.example'), tls: 'opportunistic' },
      message(),
      SEND,
    )
    await made.clock.pass(3_600_000)
    const [outcome] = outcomes
    return outcome?.kind === 'deferred' ? outcome.text : (verifiedBy ?? 'delivered')
  }
  const policy = { mode: 'testing', mx: ['mx1'], maxAgeMs: 1 } as const
  const sts = { kind: 'sts', domain: 'one.example', policy } as const
  assert.equal(await attempt(sts), 'MTA-STS')
  assert.equal(server.last.wire.secured?.verify, true)
  assert.equal(await attempt({ kind: 'sts-testing', domain: 'one.example', named: false, policy }), 'delivered')
  server.tls = 'fails'
  assert.match(await attempt(sts), /handshake.*; MTA-STS of one\.example.*mta-sts\.one\.example.*tls-by-domain/)
  assert.equal(await attempt({ kind: 'sts-testing', domain: 'one.example', named: true, policy }), 'delivered')
  assert.equal(await attempt({ kind: 'refused', by: 'sts', policy, text: 'mx1 is not named' }), 'mx1 is not named')
  assert.equal(await attempt({ kind: 'none' }), 'delivered')
  assert.deepEqual(met, ['sts met', 'sts-testing would-fail', 'sts failed', 'sts-testing would-fail', 'sts failed'])
})

test('an operator’s own word for a domain is all that counts', async () => {
  const { made, leads, policies } = world()
  leads('one.example', 'mx1')
  const server = made.server('mx1')
  policies.push({ kind: 'encrypt' })
  const route = { ...to('one.example'), tls: 'opportunistic', tlsByOperator: true } as const
  assert.equal(summary(await made.delivery.attempt(route, message(), SEND)), 'delivered')
  assert.deepEqual([server.taken, policies.length], [1, 1])
})
