/** Logins as we prove them: against the server's side of the same mechanisms, by the standard's example, and against liars. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ClientLogin, LoginExchange } from '#smtp/client/contract.ts'
import { scramKeysOf } from '../scram-keys.ts'
import { clientLogin } from './client.ts'
import { MECHANISMS } from './mechanisms.ts'
import { scram } from './scram.ts'
import { ITERATIONS_MAX, ITERATIONS_MIN, ScramSecrets, scramExchange } from './scram-client.ts'

const NONCE = 'rOprNGfwEbeRWgbNEkqO'
const of = (name: string, password: string, more = {}): ClientLogin =>
  clientLogin({ name, password, nonce: () => NONCE, ...more })
const begun = (login: ClientLogin, offered: readonly string[], binding?: () => Buffer): LoginExchange => {
  const exchange = login.begin(offered, binding)
  assert.ok(exchange)
  return exchange
}
const answer = async (exchange: LoginExchange, challenge: string): Promise<string> =>
  (await exchange.answer(Buffer.from(challenge))).toString()

const binding = randomBytes(32)
const bind = () => binding

describe('the mechanism', () => {
  const chosen = (offered: readonly string[], bound = true, more = {}) =>
    of('tim', 'secret', more).begin(offered, bound ? bind : undefined)?.mechanism
  it('is the best that both sides have', () => {
    assert.equal(chosen([...MECHANISMS]), 'SCRAM-SHA-256-PLUS')
    assert.equal(chosen([...MECHANISMS], false), 'SCRAM-SHA-256')
    assert.equal(chosen(['LOGIN', 'PLAIN']), 'PLAIN')
    assert.equal(chosen(['LOGIN', 'XOAUTH2']), 'LOGIN')
    assert.equal(chosen(['CRAM-MD5']), undefined)
    assert.equal(chosen([...MECHANISMS], true, { mechanisms: ['LOGIN'] }), 'LOGIN')
  })
})

describe('PLAIN and LOGIN', () => {
  it('say name and password, and no more', async () => {
    const plain = begun(of('tim', 'tanstaaftanstaaf'), ['PLAIN'])
    assert.equal(plain.initial?.toString(), '\0tim\0tanstaaftanstaaf')
    assert.match(await answer(plain, ''), /more than PLAIN has/)
    const login = begun(of('tim', 'straße'), ['LOGIN'])
    assert.equal(login.initial, undefined)
    assert.equal(await answer(login, 'Username:'), 'tim')
    assert.equal(await answer(login, 'Password:'), 'straße')
    assert.match(await answer(login, 'Again:'), /asks for more/)
  })
})

describe('SCRAM', () => {
  const SERVER_FIRST = `r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
  it('goes as the example does (RFC 7677 §3)', async () => {
    const exchange = begun(of('user', 'pencil'), ['SCRAM-SHA-256'])
    assert.equal(exchange.initial?.toString(), `n,,n=user,r=${NONCE}`)
    assert.equal(
      await answer(exchange, SERVER_FIRST),
      `c=biws,r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    )
    assert.equal(exchange.proved, false)
    assert.equal(await answer(exchange, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='), '')
    assert.equal(exchange.proved, true)
    assert.match(await answer(exchange, ''), /after the end/)
  })

  for (const plus of [false, true])
    it(`is taken by our own server, ${plus ? 'with' : 'without'} a binding`, async () => {
      const password = 'pass wörd'
      const keys = await scramKeysOf(password, randomBytes(16), ITERATIONS_MIN)
      const offered = plus ? ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'] : ['SCRAM-SHA-256']
      const client = begun(of('a,b=c', password), offered, bind)
      const server = scram({ nonce: 'server', plus, plusOffered: plus, ...(plus && { channelBinding: bind }) })
      assert.deepEqual(server.receive(client.initial!), { kind: 'keys', login: 'a,b=c' })
      const first = server.keys!(keys)
      assert.ok(first.kind === 'challenge')
      const last = server.receive((await client.answer(first.challenge)) as Buffer)
      assert.ok(last.kind === 'challenge')
      assert.deepEqual(server.receive((await client.answer(last.challenge)) as Buffer), {
        kind: 'proved',
        login: 'a,b=c',
      })
      assert.equal(client.proved, true)
    })

  it('does not take a server for proved that does not know the keys', async () => {
    const exchange = begun(of('user', 'pencil'), ['SCRAM-SHA-256'])
    await answer(exchange, SERVER_FIRST)
    assert.match(await answer(exchange, `v=${'A'.repeat(43)}=`), /does not know the keys/)
    assert.equal(exchange.proved, false)
  })

  const salt = 'W22ZaJ0SNY7soEsUEjb6gQ=='
  for (const [what, message] of [
    ['another nonce', `r=other,s=${salt},i=4096`],
    ['a nonce without its own part', `r=${NONCE},s=${salt},i=4096`],
    ['an endless nonce', `r=${NONCE}${'x'.repeat(600)},s=${salt},i=4096`],
    ['too few iterations', `r=${NONCE}x,s=${salt},i=${ITERATIONS_MIN - 1}`],
    ['too many iterations', `r=${NONCE}x,s=${salt},i=${ITERATIONS_MAX + 1}`],
    ['iterations that are no number', `r=${NONCE}x,s=${salt},i=1e9`],
    ['an endless salt', `r=${NONCE}x,s=${'QUFB'.repeat(200)},i=4096`],
    ['an extension that must be understood', `m=x,r=${NONCE}x,s=${salt},i=4096`],
    ['an error', 'e=unknown-user'],
    ['nothing', ''],
  ] as const)
    it(`answers a server's first message with ${what} by a text`, async () => {
      const exchange = begun(of('user', 'pencil'), ['SCRAM-SHA-256'])
      assert.equal(typeof (await exchange.answer(Buffer.from(message))), 'string')
      assert.equal(exchange.proved, false)
    })

  it('derives once for each salt and count', async () => {
    const secrets = new ScramSecrets('pencil')
    const one = secrets.salted(Buffer.from('salt'), 4096)
    assert.equal(secrets.salted(Buffer.from('salt'), 4096), one)
    assert.notEqual(secrets.salted(Buffer.from('salt'), 4097), one)
    for (let i = 0; i < 16; i++) void secrets.salted(Buffer.from(`other ${i}`), 4096)
    assert.notEqual(secrets.salted(Buffer.from('salt'), 4096), one)
    await one
  })

  it('says "y" only where it could bind and heard of no PLUS (RFC 5802 §6)', () => {
    const flag = (offered: string[], bound: boolean, more = {}) =>
      of('user', 'x', more)
        .begin(offered, bound ? bind : undefined)
        ?.initial?.toString()[0]
    assert.equal(flag(['SCRAM-SHA-256'], true), 'y')
    assert.equal(flag(['SCRAM-SHA-256'], false), 'n')
    assert.equal(flag([...MECHANISMS], true, { mechanisms: ['SCRAM-SHA-256'] }), 'n')
  })

  it('has an answer for anything', async () => {
    const piece = fc.constantFrom('r=', NONCE, 'x', ',s=', 'QUJD', ',i=', '4096', ',', 'v=', '\0', '=')
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    )
    const secrets = new ScramSecrets('pencil')
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 3 }), async (messages) => {
        const parts = { mechanism: 'SCRAM-SHA-256', name: 'user', nonce: NONCE, secrets, flag: 'n' } as const
        const exchange = scramExchange(parts)
        for (const message of messages) await exchange.answer(Buffer.from(message, 'latin1'))
        assert.equal(exchange.proved, false)
      }),
    )
  })
})

it('a text that holds the password, or what is sent of it, is known', () => {
  const login = of('tim', 'open sesame')
  assert.equal(login.betrays('535 open sesame?'), true)
  assert.equal(login.betrays(Buffer.from('open sesame').toString('base64')), true)
  assert.equal(login.betrays(Buffer.from('\0tim\0open sesame').toString('base64')), true)
  assert.equal(login.betrays('535 wrong password'), false)
})
