import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ClientLogin, ClientSettings, LoginExchange } from './contract.ts'
import { CLIENT_LIMITS } from './limits.ts'
import { Dialogue, ehloReply, job } from './testing.ts'

const PEER = { verified: true }
const SECRET = 'open sesame'

/** A mechanism that counts: its answer to a challenge is that challenge and one more. */
function counting(more: Partial<LoginExchange> = {}): ClientLogin {
  return {
    betrays: (text) => text.includes(SECRET),
    begin: (offered) =>
      offered.includes('COUNT')
        ? {
            mechanism: 'COUNT',
            answer: (challenge) => Promise.resolve(Buffer.from(`${challenge}+1`)),
            proved: true,
            ...more,
          }
        : undefined,
  }
}

/** Up to the reply to EHLO after TLS; the answer to that. */
function secured(keywords: readonly string[], settings: Partial<ClientSettings> = {}, peer = PEER) {
  const server = new Dialogue({ tls: 'verified', login: counting(), ...settings })
  server.server('220 mx.example ESMTP\r\n')
  assert.equal(server.server(ehloReply('STARTTLS', 'AUTH COUNT')), 'STARTTLS\r\n')
  server.server('220 go\r\n')
  server.machine.secured(peer)
  server.heard()
  server.effects.length = 0
  return { server, said: server.server(ehloReply(...keywords)) }
}

/** What the driver does for `prove`. */
async function prove(server: Dialogue): Promise<string> {
  const { exchange, challenge } = server.of('prove')
  server.effects.length = 0
  server.machine.respond(await exchange.answer(challenge))
  return server.heard()
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const faultOf = (server: Dialogue) => server.of('over').fault

describe('a login', () => {
  it('comes after EHLO over TLS, and before the first job', async () => {
    const { server, said } = secured(['AUTH X COUNT'])
    assert.equal(said, 'AUTH COUNT\r\n')
    assert.equal(server.machine.ready, false)
    assert.equal(server.server(`334 ${base64('41')}\r\n`), '')
    assert.equal(await prove(server), `${base64('41+1')}\r\n`)
    assert.equal(server.machine.ready, false)
    server.server('235 2.7.0 welcome\r\n')
    assert.deepEqual(server.kinds, ['ready'])
    assert.match(server.deliver(job(['a@customer.example'])), /^MAIL FROM/)
  })

  it('sends what the mechanism says first with the command; nothing is "="; what is too long waits for the challenge', () => {
    const of = (initial: Buffer) => secured(['AUTH COUNT'], { login: counting({ initial }) })
    assert.equal(of(Buffer.from('hello')).said, `AUTH COUNT ${base64('hello')}\r\n`)
    assert.equal(of(Buffer.alloc(0)).said, 'AUTH COUNT =\r\n')
    const long = Buffer.alloc(400, 'x')
    const late = of(long)
    assert.equal(late.said, 'AUTH COUNT\r\n')
    assert.equal(late.server.server('334 \r\n'), `${long.toString('base64')}\r\n`)
  })

  it('is never sent without TLS, or by TLS that verified nobody', () => {
    const clear = new Dialogue({ tls: 'opportunistic', login: counting() })
    clear.server('220 mx.example ESMTP\r\n')
    assert.equal(clear.server(ehloReply('AUTH COUNT')), 'QUIT\r\n')
    assert.equal(faultOf(clear).obstacle, 'login')
    const never = new Dialogue({ tls: 'never', login: counting() })
    never.server('220 mx.example ESMTP\r\n')
    assert.equal(never.server(ehloReply('AUTH COUNT')), 'QUIT\r\n')
    const required = secured(['AUTH COUNT'], { tls: 'required' })
    assert.equal(required.said, 'QUIT\r\n')
    const unverified = secured(['AUTH COUNT'], {}, { verified: false })
    assert.equal(unverified.said, 'QUIT\r\n')
  })

  it('is not sent where STARTTLS was stripped', () => {
    for (const tls of ['verified', 'required', 'opportunistic'] as const) {
      const server = new Dialogue({ tls, login: counting() })
      server.server('220 mx.example ESMTP\r\n')
      assert.equal(server.server(ehloReply('AUTH COUNT')), 'QUIT\r\n', tls)
      const refused = new Dialogue({ tls, login: counting() })
      refused.server('220 mx.example ESMTP\r\n')
      refused.server(ehloReply('STARTTLS', 'AUTH COUNT'))
      assert.equal(refused.server('454 TLS not available\r\n'), 'QUIT\r\n', tls)
    }
  })

  it('does not believe what was offered in clear', () => {
    assert.equal(secured([]).said, 'QUIT\r\n')
    const { server } = secured(['AUTH PLAIN'])
    assert.deepEqual(
      [faultOf(server).obstacle, faultOf(server).text],
      ['login', 'the server offers AUTH PLAIN, and the login of the route needs something else'],
    )
  })

  for (const [reply, obstacle] of [
    ['535 5.7.8 wrong', 'login'],
    ['534 5.7.9 too weak', 'login'],
    ['432 4.7.12 change your password', 'login'],
    ['454 4.7.0 ask me later', 'refused-for-now'],
    ['451 4.3.0 busy', 'refused-for-now'],
  ] as const)
    it(`${reply}: ${obstacle}, and no job is given`, () => {
      const { server } = secured(['AUTH COUNT'])
      assert.equal(server.server(`${reply}\r\n`), 'QUIT\r\n')
      assert.equal(faultOf(server).obstacle, obstacle)
      assert.match(faultOf(server).text, new RegExp(reply.replaceAll('.', '\\.')))
      assert.equal(server.machine.ready, false)
    })

  it('is not done before the server has proved itself', () => {
    const { server } = secured(['AUTH COUNT'], { login: counting({ proved: false }) })
    assert.equal(server.server('235 2.7.0 yes\r\n'), 'QUIT\r\n')
    assert.equal(faultOf(server).obstacle, 'login')
  })

  it('does not show a reply that holds the password', () => {
    const { server } = secured(['AUTH COUNT'])
    server.server(`535 5.7.8 ${SECRET} is wrong\r\n`)
    assert.doesNotMatch(JSON.stringify(server.effects), new RegExp(SECRET))
    assert.equal(faultOf(server).reply, undefined)
  })
})

describe('a hostile server', () => {
  it('that speaks while an answer is made is left', async () => {
    const { server } = secured(['AUTH COUNT'])
    server.server(`334 ${base64('1')}\r\n`)
    server.server('235 yes\r\n')
    assert.equal(faultOf(server).obstacle, 'protocol')
    server.machine.respond(Buffer.from('late'))
    assert.equal(server.heard(), '')
  })

  it('that sends no base64, several lines, or a challenge too early hears nothing more', () => {
    for (const reply of ['334 what?\r\n', '334-YQ==\r\n334 YQ==\r\n', '334 YQ\r\n']) {
      const { server } = secured(['AUTH COUNT'])
      assert.equal(server.server(reply), '', reply)
      assert.deepEqual(server.kinds, ['over', 'close'], reply)
    }
    const early = secured(['AUTH COUNT'], { login: counting({ initial: Buffer.alloc(400) }) }).server
    assert.equal(early.server(`334 ${base64('x')}\r\n`), '')
    assert.deepEqual(early.kinds, ['over', 'close'])
  })

  it('that makes no sense to the mechanism is left, and told nothing', async () => {
    const { server } = secured(['AUTH COUNT'], { login: counting({ answer: () => Promise.resolve('what?') }) })
    server.server(`334 ${base64('1')}\r\n`)
    assert.equal(await prove(server), '')
    assert.deepEqual(server.kinds, ['over', 'close'])
  })

  it('that hangs up with 421, or says what AUTH cannot answer, ends it', () => {
    for (const [reply, obstacle] of [
      ['421 4.3.2 bye\r\n', 'refused-for-now'],
      ['250 ok\r\n', 'protocol'],
      ['354 go\r\n', 'protocol'],
    ] as const) {
      const { server } = secured(['AUTH COUNT'])
      server.server(reply)
      assert.equal(faultOf(server).obstacle, obstacle, reply)
    }
  })

  it('that keeps silent is waited for as for any command; our own time does not count', () => {
    const { server } = secured(['AUTH COUNT'])
    server.machine.tick(0)
    server.server(`334 ${base64('1')}\r\n`)
    server.machine.tick(CLIENT_LIMITS.commandMsMax * 2)
    server.machine.tick(CLIENT_LIMITS.commandMsMax * 4)
    assert.deepEqual(server.kinds, ['prove'])
    server.effects.length = 0
    server.machine.respond(Buffer.from('x'))
    server.machine.tick(CLIENT_LIMITS.commandMsMax * 5)
    server.machine.tick(CLIENT_LIMITS.commandMsMax * 6)
    server.heard()
    assert.match(faultOf(server).text, /no reply to AUTH/)
  })

  it('never brings a session to its first job without 235', async () => {
    const reply = fc.oneof(
      fc.constantFrom('334 \r\n', '334 YQ==\r\n', '250 ok\r\n', '535 no\r\n', '454 x\r\n', '220 x\r\n', '334-a\r\n'),
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `${text.replaceAll('235', '')}\r\n`),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { maxLength: 6 }), async (replies) => {
        const { server } = secured(['AUTH COUNT'])
        for (const each of replies) {
          server.server(each)
          if (server.kinds.includes('prove')) await prove(server)
          assert.equal(server.machine.ready, false)
        }
      }),
    )
  })
})
