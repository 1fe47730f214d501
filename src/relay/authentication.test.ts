/** AUTH as the path answers it: what is checked, what is counted, and what a client may learn. */
import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Admission, Credential, PasswordAnswer } from '#auth/credentials.ts'
import type { AuthAnswer } from '#mail/decisions.ts'
import type { PathEvent } from '#mail/event.ts'
import { replyLine } from '#mail/reply.ts'
import { session } from '#mail/testing.ts'
import { HandClock, settle } from '#queue/testing.ts'
import { Authentication } from './authentication.ts'

const ANNA: Credential = { tenant: 'bakery', login: 'anna@bakery.test', networks: [], senders: [] }
const RIGHT: PasswordAnswer = { kind: 'right', credential: ANNA }
const SECRET = Buffer.from('\0anna@bakery.test\0secret')

interface Given {
  readonly check?: PasswordAnswer
  readonly admission?: Admission | Error
  readonly keys?: Error
  readonly address?: string
}

function bench({ check = RIGHT, admission = { kind: 'go' }, keys, address = '192.0.2.1' }: Given = {}) {
  const clock = new HandClock()
  const events: PathEvent[] = []
  const asked: string[] = []
  const salted = pbkdf2Sync('secret', 'salt', 4096, 32, 'sha256')
  const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash('sha256').update(clientKey).digest()
  const authentication = new Authentication({
    clock,
    nonce: () => 'server',
    report: (event) => void events.push(event),
    credentials: {
      async check(login, password) {
        asked.push(`check ${login} ${password}`)
        return check
      },
      scramKeys() {
        if (keys) throw keys
        return { salt: Buffer.from('salt'), iterations: 4096, storedKey, serverKey: hmac(salted, 'Server Key') }
      },
      proved: (login) => {
        asked.push(`proved ${login}`)
        return check
      },
    },
    guesses: {
      async admit(login, from) {
        asked.push(`admit ${login} ${from}`)
        if (admission instanceof Error) throw admission
        return admission
      },
      ended: (login, _, right) => void asked.push(`ended ${login} ${right}`),
    },
  })
  const client = session({ service: 'submission', client: { address, port: 1 } })
  const start = (mechanism: string, initial?: Buffer) =>
    Promise.resolve(authentication.step(client, { kind: 'start', mechanism, ...(initial && { initial }) }))
  const respond = (text: string) =>
    Promise.resolve(authentication.step(client, { kind: 'response', response: Buffer.from(text) }))
  const results = () => events.flatMap((event) => (event.kind === 'authenticated' ? [event.result] : []))
  return { clock, events, asked, start, respond, results, clientKey, storedKey, hmac }
}

const heard = (answer: AuthAnswer): string =>
  'reply' in answer
    ? replyLine(answer.reply)
    : answer.kind === 'challenge'
      ? `334 ${Buffer.from(answer.challenge)}`
      : `${answer.kind} ${answer.as.tenant} ${answer.as.login} ${answer.as.mechanism}`

describe('a password', () => {
  it('is counted first, then checked; and the right one opens the door', async () => {
    const { start, asked, results } = bench()
    assert.equal(heard(await start('PLAIN', SECRET)), 'authenticated bakery anna@bakery.test PLAIN')
    assert.deepEqual(asked, [
      'admit anna@bakery.test 192.0.2.1',
      'check anna@bakery.test secret',
      'ended anna@bakery.test true',
    ])
    assert.deepEqual(results(), ['right'])
  })

  it('is asked for where it did not come with the command', async () => {
    const { start, respond } = bench()
    assert.equal(heard(await start('PLAIN')), '334 ')
    assert.match(heard(await respond(SECRET.toString())), /^authenticated/)
    assert.equal(heard(await start('LOGIN')), '334 Username:')
    assert.equal(heard(await respond('anna@bakery.test')), '334 Password:')
    assert.match(heard(await respond('secret')), /^authenticated .* LOGIN$/)
  })

  it('that is wrong is 535 and counts; nobody can say is 454 and does not', async () => {
    const wrong = bench({ check: { kind: 'wrong' } })
    assert.match(heard(await wrong.start('PLAIN', SECRET)), /^535 5\.7\.8 /)
    assert.equal(wrong.asked.at(-1), 'ended anna@bakery.test false')
    const unknown = bench({ check: { kind: 'unknown', text: 'the store is away' } })
    const reply = heard(await unknown.start('PLAIN', SECRET))
    assert.match(reply, /^454 4\.7\.0 /)
    assert.doesNotMatch(reply, /store/)
    assert.equal(unknown.asked.at(-1), 'ended anna@bakery.test undefined')
    assert.deepEqual([...wrong.results(), ...unknown.results()], ['wrong', 'unknown'])
  })

  it('is not looked at when there were too many guesses, or nobody can count them', async () => {
    for (const admission of [{ kind: 'refuse', text: 'too many' }, new Error('no supervisor')] as const) {
      const { start, asked } = bench({ admission })
      assert.match(heard(await start('PLAIN', SECRET)), /^454 4\.7\.0 /)
      assert.equal(asked.length, 1)
    }
  })

  it('waits where it must', async () => {
    const { start, asked, clock } = bench({ admission: { kind: 'wait', waitMs: 5000 } })
    const answer = start('PLAIN', SECRET)
    await clock.pass(4999)
    assert.equal(asked.length, 1)
    await clock.pass(1)
    assert.match(heard(await answer), /^authenticated/)
  })

  it('that is right, of a locked login: 535 with the reason, and no guess', async () => {
    const { start, asked, results } = bench({ check: { kind: 'locked', credential: ANNA, text: 'too much spam' } })
    assert.match(heard(await start('PLAIN', SECRET)), /^535 5\.7\.13 This login is locked: too much spam/)
    assert.equal(asked.at(-1), 'ended anna@bakery.test undefined')
    assert.deepEqual(results(), ['locked'])
  })

  it('that is right, from another network than the login has: 535', async () => {
    const check: PasswordAnswer = { kind: 'right', credential: { ...ANNA, networks: ['10.0.0.0/8'] } }
    const outside = bench({ check })
    assert.match(heard(await outside.start('PLAIN', SECRET)), /^535 5\.7\.8 .*192\.0\.2\.1/)
    assert.equal(outside.asked.at(-1), 'ended anna@bakery.test undefined')
    assert.match(heard(await bench({ check, address: '10.1.2.3' }).start('PLAIN', SECRET)), /^authenticated/)
  })

  it('that cannot be read is 501, and the session goes on', async () => {
    const { start, results, asked } = bench()
    assert.match(heard(await start('PLAIN', Buffer.from('anna'))), /^501 5\.5\.2 /)
    assert.deepEqual([results(), asked], [['malformed'], []])
    assert.match(heard(await start('PLAIN', SECRET)), /^authenticated/)
  })
})

describe('SCRAM', () => {
  const talk = async (given: Given, password = 'secret') => {
    const { start, respond, clientKey, storedKey, hmac, ...more } = bench(given)
    const first = heard(await start('SCRAM-SHA-256', Buffer.from('n,,n=anna@bakery.test,r=client')))
    if (!first.startsWith('334 ')) return { ...more, last: first }
    const bare = 'c=biws,r=clientserver'
    const signature = hmac(storedKey, `n=anna@bakery.test,r=client,${first.slice(4)},${bare}`)
    const proof = Buffer.from(clientKey.map((octet, i) => octet ^ signature[i]! ^ (password === 'secret' ? 0 : 1)))
    const second = heard(await respond(`${bare},p=${proof.toString('base64')}`))
    return { ...more, last: second.startsWith('334 v=') ? heard(await respond('')) : second }
  }

  it('proves the password, counted as others are', async () => {
    const { last, asked } = await talk({})
    assert.equal(last, 'authenticated bakery anna@bakery.test SCRAM-SHA-256')
    assert.deepEqual(asked, [
      'admit anna@bakery.test 192.0.2.1',
      'proved anna@bakery.test',
      'ended anna@bakery.test true',
    ])
  })

  it('does not prove another', async () => {
    const { last, asked } = await talk({}, 'other')
    assert.match(last, /^535 5\.7\.8 /)
    assert.equal(asked.at(-1), 'ended anna@bakery.test false')
  })

  it('is locked, throttled, and unknown like a password', async () => {
    const locked: PasswordAnswer = { kind: 'locked', credential: ANNA, text: 'x' }
    assert.match((await talk({ check: locked })).last, /^535 5\.7\.13/)
    assert.match((await talk({ admission: { kind: 'refuse', text: 'x' } })).last, /^454/)
    assert.match((await talk({ keys: new Error('no store') })).last, /^454/)
  })
})

it('a new start forgets the old exchange', async () => {
  const { start, respond } = bench()
  await start('LOGIN')
  await respond('eve@bakery.test')
  assert.equal(heard(await start('LOGIN')), '334 Username:')
  assert.equal(heard(await respond('anna@bakery.test')), '334 Password:')
  await settle()
})
