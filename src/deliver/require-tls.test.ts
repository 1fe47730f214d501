/** RFC 8689 at the way out: which next hop will do for REQUIRETLS, and what `TLS-Required: No` makes up for. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Envelope } from '#mail/envelope.ts'
import type { Attempt } from '#mail/outcome.ts'
import type { Route } from '#tenant/directory.ts'
import type { Destinations } from './destinations.ts'
import { good, host, message, route, summary, World } from './testing.ts'
import type { TlsPolicy } from './tls-policy.ts'

const SEND = { onMixed: 'send' } as const
const WITH = good({}, ['STARTTLS', 'REQUIRETLS'])
const WITHOUT = good({}, ['STARTTLS'])

const asking = (more: Partial<Envelope>) => {
  const plain = message()
  return { ...plain, envelope: { ...plain.envelope, ...more } }
}
const REQUIRED = asking({ requireTls: true })
const OPTIONAL = asking({ tlsOptional: true })

const textOf = (attempt: Attempt): string =>
  attempt.outcomes[0]?.kind === 'failed' ? attempt.outcomes[0].text : summary(attempt)
const mailOf = (world: World, name: string) =>
  world.servers.get(name)!.last.commands.find((line) => line.startsWith('MAIL'))

/** A destination by MX, with what DNS says of its hosts. */
function byMx(hosts: readonly { name: string; secure?: boolean; policy?: TlsPolicy }[]): { world: World; to: Route } {
  const destinations: Destinations = {
    find: async () => ({
      kind: 'hosts',
      secure: false,
      hosts: hosts.map(({ name, secure }, i) => ({ ...host(name, i), ...(secure && { secureFor: 'far.example' }) })),
    }),
    addresses: async (name) => [name],
    tlsPolicy: async ({ name }) => hosts.find((one) => one.name === name)?.policy ?? { kind: 'none' },
  }
  const to = route([], { byMx: { port: 25 }, destination: 'far.example', tls: 'opportunistic', id: 'c/i/far.example' })
  return { world: new World({ destinations }), to }
}

describe('REQUIRETLS (RFC 8689 §4.2.1)', () => {
  it('is passed on to a server whose certificate was verified and that offers it', async () => {
    const world = new World()
    world.server('mx', WITH)
    const attempt = await world.delivery.attempt(route(['mx'], { tls: 'opportunistic' }), REQUIRED, SEND)
    assert.equal(summary(attempt), 'delivered')
    assert.equal(mailOf(world, 'mx'), 'MAIL FROM:<anna@sender.example> REQUIRETLS')
    assert.equal(world.servers.get('mx')!.last.wire.secured?.verify, true)
  })

  it('fails for good where it is not offered, where TLS fails, is not offered, or is off', async () => {
    const cases = [
      [WITHOUT, 'ok', 'opportunistic', /^5\.7\.30 .* does not offer it$/],
      [WITH, 'fails', 'opportunistic', /^5\.7\.10 .*handshake/],
      [good(), 'ok', 'required', /^5\.7\.10 .*does not offer STARTTLS$/],
      [WITH, 'ok', 'never', /^5\.7\.10 .*tls: never/],
    ] as const
    for (const [answers, handshake, tls, words] of cases) {
      const world = new World()
      const server = world.server('mx', answers)
      server.tls = handshake
      const to = route(['mx'], { tls })
      for (let again = 0; again < 2; again++) {
        const attempt = await world.delivery.attempt(to, REQUIRED, SEND)
        assert.match(textOf(attempt), words)
        assert.equal(summary(attempt), 'failed/connect')
      }
      assert.equal(server.taken, 0)
      assert.ok(!server.sessions.some(({ commands }) => commands.some((line) => line.startsWith('MAIL'))))
      assert.equal(server.sessions.length, tls === 'never' ? 0 : 1)
      server.tls = 'ok'
      assert.equal(summary(await world.delivery.attempt({ ...to, tls: 'never' }, message(), SEND)), 'delivered')
    }
  })

  it('is tried at every host; one that is away, or says not now, is a reason to wait', async () => {
    const world = new World()
    world.server('without', WITHOUT)
    const both = route([host('without', 1), host('with', 2)], { tls: 'opportunistic' })
    assert.equal(summary(await world.delivery.attempt(both, REQUIRED, SEND)), 'connect')
    const busy = world.server('with', good({ STARTTLS: '454 4.7.0 not now' }, ['STARTTLS', 'REQUIRETLS']))
    await world.clock.pass(10_000)
    assert.equal(summary(await world.delivery.attempt(both, REQUIRED, SEND)), 'tls')
    busy.answers = WITH
    await world.clock.pass(20_000)
    assert.equal(summary(await world.delivery.attempt(both, REQUIRED, SEND)), 'delivered')
    assert.equal(busy.taken, 1)
  })

  it('by MX wants the name verified as well: DNSSEC, and then DANE or an authority', async () => {
    const open = byMx([{ name: 'mx' }])
    open.world.server('mx', WITH)
    assert.match(
      textOf(await open.world.delivery.attempt(open.to, REQUIRED, SEND)),
      /^5\.7\.10 .*neither DNSSEC nor MTA-STS/,
    )
    assert.deepEqual(open.world.dialled, [])
    const reference = { records: [], names: ['mx'] }
    const policies = [{ kind: 'none' }, { kind: 'encrypt' }, { kind: 'dane', serverName: 'base', reference }] as const
    for (const policy of policies) {
      const { world, to } = byMx([{ name: 'mx', secure: true, policy }])
      world.server('mx', WITH)
      assert.equal(summary(await world.delivery.attempt(to, REQUIRED, SEND)), 'delivered')
      const { secured } = world.servers.get('mx')!.last.wire
      assert.deepEqual([secured?.verify, secured?.dane !== undefined], [true, policy.kind === 'dane'])
    }
    const mute = byMx([{ name: 'mx', secure: true, policy: { kind: 'unknown', by: 'dane', text: 'SERVFAIL' } }])
    mute.world.server('mx', WITH)
    assert.equal(summary(await mute.world.delivery.attempt(mute.to, REQUIRED, SEND)), 'tls')
  })

  it('shares no connection with mail that did not ask for it', async () => {
    const world = new World()
    const server = world.server('mx', WITH)
    for (const one of [message(), REQUIRED, message(), REQUIRED]) {
      await world.delivery.attempt(route(['mx'], { tls: 'opportunistic' }), one, SEND)
    }
    const verified = server.sessions.map(({ wire }) => wire.secured?.verify)
    assert.deepEqual([server.taken, verified], [4, [false, true]])
    assert.deepEqual(
      world.delivery.stats().map(({ open }) => open),
      [2],
    )
    const drained = world.delivery.drain()
    await world.clock.pass(2_000)
    await drained
    assert.equal(server.open, 0)
  })

  it('does not keep a report from its sender (§5)', async () => {
    const world = new World()
    const server = world.server('mx', WITHOUT)
    const report = asking({ requireTls: true, reversePath: { kind: 'null' } })
    const to = route(['mx'], { tls: 'opportunistic' })
    assert.equal(summary(await world.delivery.attempt(to, report, SEND)), 'delivered')
    assert.equal(mailOf(world, 'mx'), 'MAIL FROM:<>')
    assert.equal(server.taken, 1)
  })
})

describe('TLS-Required: No (RFC 8689 §4.2.2)', () => {
  it('goes out although the policy of the domain cannot be kept, and follows it where it can', async () => {
    const reference = { records: [], names: ['mx'] }
    const { world, to } = byMx([{ name: 'mx', secure: true, policy: { kind: 'dane', serverName: 'mx', reference } }])
    const server = world.server('mx', WITHOUT)
    server.tls = 'fails'
    assert.equal(summary(await world.delivery.attempt(to, message(), SEND)), 'tls')
    const relaxed = await world.delivery.attempt(to, OPTIONAL, SEND)
    assert.deepEqual([summary(relaxed), relaxed.tls], ['delivered', false])
    server.tls = 'ok'
    await world.clock.pass(60_000)
    const kept = await world.delivery.attempt(to, OPTIONAL, SEND)
    assert.deepEqual([summary(kept), kept.tls, kept.verifiedBy], ['delivered', true, 'DANE'])
  })

  it('does not relax what the operator wants, nor what nobody can reach', async () => {
    const world = new World()
    world.server('mx', good())
    assert.equal(summary(await world.delivery.attempt(route(['mx'], { tls: 'required' }), OPTIONAL, SEND)), 'tls')
    const { to } = byMx([])
    const strict = byMx([{ name: 'mx', secure: true }])
    strict.world.server('mx', good())
    assert.equal(summary(await strict.world.delivery.attempt({ ...to, tls: 'required' }, OPTIONAL, SEND)), 'tls')
    const away = byMx([{ name: 'mx' }])
    assert.equal(summary(await away.world.delivery.attempt(away.to, OPTIONAL, SEND)), 'connect')
  })

  it('is nothing beside REQUIRETLS (§4.1)', async () => {
    const { world, to } = byMx([{ name: 'mx' }])
    world.server('mx', WITHOUT)
    const both = asking({ requireTls: true, tlsOptional: true })
    assert.equal(summary(await world.delivery.attempt(to, both, SEND)), 'failed/connect')
  })
})
