/** The mechanisms, by the examples of their standards and against what attackers send. */
import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ScramKeys } from '../credentials.ts'
import type { Exchange, Step } from './exchange.ts'
import { login, plain } from './plain.ts'
import { type ScramParts, scram } from './scram.ts'

const octets = (text: string) => Buffer.from(text)
const said = (step: Step): string => (step.kind === 'challenge' ? step.challenge.toString() : JSON.stringify(step))

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
function keysOf(password: string, salt: Buffer, iterations: number): ScramKeys & { clientKey: Buffer } {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash('sha256').update(clientKey).digest()
  return { salt, iterations, storedKey, serverKey: hmac(salted, 'Server Key'), clientKey }
}

describe('PLAIN', () => {
  const read = (text: string) => plain().receive(octets(text))
  it('has a login and a password (RFC 4616 §4)', () => {
    assert.deepEqual(read('\0tim\0tanstaaftanstaaf'), { kind: 'password', login: 'tim', password: 'tanstaaftanstaaf' })
    assert.deepEqual(read('tim\0tim\0pass word'), { kind: 'password', login: 'tim', password: 'pass word' })
    assert.deepEqual(read('\0jörg\0straße'), { kind: 'password', login: 'jörg', password: 'straße' })
  })
  for (const [name, text] of [
    ['another’s authorization', 'Ursel\0Kurt\0xipj3plmq'],
    ['two parts', 'tim\0password'],
    ['four parts', '\0tim\0pass\0word'],
    ['an empty login', '\0\0password'],
    ['an empty password', '\0tim\0'],
    ['nothing', ''],
    ['an endless password', `\0tim\0${'x'.repeat(1025)}`],
  ] as const)
    it(`is malformed with ${name}`, () => assert.equal(read(text).kind, 'malformed'))
  it('is malformed without UTF-8', () => {
    assert.equal(plain().receive(Buffer.from('\0tim\0\xff\xfe', 'latin1')).kind, 'malformed')
  })
})

describe('LOGIN', () => {
  it('asks for the password, then has both', () => {
    const exchange = login()
    assert.equal(said(exchange.receive(octets('tim'))), 'Password:')
    assert.deepEqual(exchange.receive(octets('secret')), { kind: 'password', login: 'tim', password: 'secret' })
  })
  it('takes no empty answers', () => {
    assert.equal(login().receive(octets('')).kind, 'malformed')
    const exchange = login()
    exchange.receive(octets('tim'))
    assert.equal(exchange.receive(octets('')).kind, 'malformed')
  })
})

const PARTS: ScramParts = { nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0', plus: false, plusOffered: false }
const FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO'
const KEYS = keysOf('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096)
const FINAL_BARE = 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const PROOF = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='

const begun = (first = FIRST, parts = PARTS, keys = KEYS): Exchange => {
  const exchange = scram(parts)
  assert.equal(exchange.receive(octets(first)).kind, 'keys')
  exchange.keys!(keys)
  return exchange
}

describe('SCRAM-SHA-256', () => {
  it('goes as the example does (RFC 7677 §3)', () => {
    const exchange = scram(PARTS)
    assert.deepEqual(exchange.receive(octets(FIRST)), { kind: 'keys', login: 'user' })
    assert.equal(
      said(exchange.keys!(KEYS)),
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    )
    assert.equal(
      said(exchange.receive(octets(`${FINAL_BARE},p=${PROOF}`))),
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    )
    assert.deepEqual(exchange.receive(octets('')), { kind: 'proved', login: 'user' })
  })

  it('is wrong with another proof, another nonce, another binding, other keys', () => {
    const wrong = { kind: 'wrong', login: 'user' }
    const other = `e${PROOF.slice(1)}`
    assert.deepEqual(begun().receive(octets(`${FINAL_BARE},p=${other}`)), wrong)
    assert.deepEqual(begun().receive(octets(`${FINAL_BARE.slice(0, -1)}1,p=${PROOF}`)), wrong)
    assert.deepEqual(begun().receive(octets(`${FINAL_BARE.replace('biws', 'eSws')},p=${PROOF}`)), wrong)
    const others = keysOf('pencil2', Buffer.from(KEYS.salt), 4096)
    assert.deepEqual(begun(FIRST, PARTS, others).receive(octets(`${FINAL_BARE},p=${PROOF}`)), wrong)
  })

  it('proves nothing before its last message, nor goes on after it', () => {
    assert.equal(begun().receive(octets('')).kind, 'malformed')
    const exchange = begun()
    exchange.receive(octets(`${FINAL_BARE},p=${PROOF}`))
    assert.equal(exchange.receive(octets('x')).kind, 'malformed')
  })

  it('reads names with commas and equals signs', () => {
    assert.deepEqual(scram(PARTS).receive(octets('n,,n=a=2Cb=3Dc,r=x')), { kind: 'keys', login: 'a,b=c' })
    for (const name of ['a=2cb', 'a=b', '', 'a=']) {
      assert.equal(scram(PARTS).receive(octets(`n,,n=${name},r=x`)).kind, 'malformed', name)
    }
    assert.equal(scram(PARTS).receive(octets('n,a=bob,n=tim,r=x')).kind, 'malformed')
    assert.equal(scram(PARTS).receive(octets('n,a=tim,n=tim,r=x')).kind, 'keys')
  })

  it('sees that somebody hid PLUS from the client', () => {
    assert.equal(scram({ ...PARTS, plusOffered: true }).receive(octets('y,,n=user,r=x')).kind, 'malformed')
    assert.equal(scram(PARTS).receive(octets('y,,n=user,r=x')).kind, 'keys')
    assert.equal(scram(PARTS).receive(octets('p=tls-exporter,,n=user,r=x')).kind, 'malformed')
  })
})

describe('SCRAM-SHA-256-PLUS', () => {
  const binding = randomBytes(32)
  const plus: ScramParts = { ...PARTS, plus: true, plusOffered: true, channelBinding: () => binding }
  const HEADER = 'p=tls-exporter,,'
  const finalOf = (bound: Buffer, header = HEADER) => {
    const bare = 'n=user,r=abc'
    const serverFirst = `r=abc${PARTS.nonce},s=${Buffer.from(KEYS.salt).toString('base64')},i=4096`
    const cbind = Buffer.concat([octets(header), bound]).toString('base64')
    const withoutProof = `c=${cbind},r=abc${PARTS.nonce}`
    const signature = hmac(Buffer.from(KEYS.storedKey), `${bare},${serverFirst},${withoutProof}`)
    const proof = KEYS.clientKey.map((octet, i) => octet ^ signature[i]!)
    return octets(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  }

  it('is right with the binding of this connection only', () => {
    assert.equal(begun(`${HEADER}n=user,r=abc`, plus).receive(finalOf(binding)).kind, 'challenge')
    assert.equal(begun(`${HEADER}n=user,r=abc`, plus).receive(finalOf(randomBytes(32))).kind, 'wrong')
    assert.equal(begun(`${HEADER}n=user,r=abc`, plus).receive(finalOf(Buffer.alloc(0))).kind, 'wrong')
  })

  it('needs a binding, and of the one type that we can give', () => {
    for (const flag of ['n', 'y', 'p=tls-unique', 'p=']) {
      assert.equal(scram(plus).receive(octets(`${flag},,n=user,r=abc`)).kind, 'malformed', flag)
    }
  })
})

describe('any input', () => {
  it('has an answer', () => {
    const piece = fc.constantFrom(
      'n,,',
      'n=user',
      ',r=abc',
      'c=biws',
      ',p=',
      '=',
      '\0',
      'x',
      PROOF,
      'y',
      'p=tls-exporter',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), (messages) => {
        for (const exchange of [plain(), login(), scram(PARTS)]) {
          for (const message of messages) {
            const step = exchange.receive(octets(message))
            assert.notEqual(step.kind, 'proved')
            if (step.kind === 'keys') exchange.keys!(KEYS)
          }
        }
      }),
    )
  })
})
