import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test } from 'node:test'
import { freePort } from '../../../test/harness/free-port.ts'
import { askServer } from './exchange.ts'
import { type Asked, a, fakeNameServer, type Script, TRUNCATED } from './testing.ts'

const question = { name: 'mx.example', type: 'A' } as const
const answers = [a('mx.example', '192.0.2.1')]
const spoofed = [a('mx.example', '192.0.2.66')]
const truth = ({ reply }: Asked) => [reply({ answers })]

async function ask(script: Script, timeoutMs = 5_000) {
  await using server = await fakeNameServer(script)
  const answer = await askServer(server.endpoint, question, timeoutMs)
  return { answer, asked: server.asked }
}

function addressOf(answer: Awaited<ReturnType<typeof ask>>['answer']): string | undefined {
  return answer.kind === 'records' ? answer.records[0] : answer.kind
}

test('one datagram there, one back', async () => {
  const { answer, asked } = await ask(truth)
  assert.equal(addressOf(answer), '192.0.2.1')
  assert.deepEqual(asked, ['A mx.example'])
})

test('what does not fit comes by TCP', async () => {
  const { answer, asked } = await ask((one) =>
    one.transport === 'udp' ? [one.reply({ answers: spoofed, flags: TRUNCATED })] : truth(one),
  )
  assert.equal(addressOf(answer), '192.0.2.1')
  assert.deepEqual(asked, ['A mx.example', 'A mx.example /tcp'])
})

test('ids and ports are new for each question', async () => {
  const ids = new Set<number>()
  await using server = await fakeNameServer((one) => {
    ids.add(one.id)
    return truth(one)
  })
  for (let i = 0; i < 20; i++) await askServer(server.endpoint, question, 5_000)
  assert.ok(ids.size > 15, `${ids.size} ids`)
})

test('a wrong id, another question and garbage before the answer are passed over', async () => {
  const wrongId = ({ reply }: Asked) => {
    const octets = reply({ answers: spoofed })
    octets.writeUInt16BE((octets.readUInt16BE(0) + 1) & 0xffff)
    return octets
  }
  const otherQuestion = ({ reply }: Asked) =>
    reply({ questions: [{ type: 'A', name: 'evil.example' }], answers: spoofed })
  const { answer } = await ask((one) => [wrongId(one), otherQuestion(one), Buffer.from('garbage'), ...truth(one)])
  assert.equal(addressOf(answer), '192.0.2.1')
})

test('where somebody guesses ids, TCP decides', async () => {
  const { answer, asked } = await ask((one) => {
    if (one.transport === 'tcp') return truth(one)
    return Array.from({ length: 20 }, (_, i) => {
      const octets = one.reply({ answers: spoofed })
      octets.writeUInt16BE((one.id + 1 + i) & 0xffff)
      return octets
    })
  })
  assert.equal(addressOf(answer), '192.0.2.1')
  assert.deepEqual(asked, ['A mx.example', 'A mx.example /tcp'])
})

test('an answer from another port is none', async () => {
  const stranger = createSocket('udp4')
  await using server = await fakeNameServer(() => [])
  const port = new Promise<number>((resolve) => {
    server.script = (one) => {
      stranger.send(one.reply({ answers: spoofed }), server.endpoint.port, '127.0.0.1')
      resolve(server.endpoint.port)
      return []
    }
  })
  const answer = askServer(server.endpoint, question, 300)
  await port
  assert.equal((await answer).kind, 'silent')
  stranger.close()
})

test('silence, a closed port and a closed connection are silence', async () => {
  assert.equal((await ask(() => [], 100)).answer.kind, 'silent')
  const closed = { address: '127.0.0.1', port: await freePort() }
  const refused = await askServer(closed, question, 5_000)
  assert.deepEqual(refused, { kind: 'silent', text: 'ECONNREFUSED' })
  const byTcp = await ask((one) => (one.transport === 'udp' ? [one.reply({ flags: TRUNCATED })] : []), 200)
  assert.equal(byTcp.answer.kind, 'silent')
})

test('by TCP an answer that is truncated or foreign is malformed', async () => {
  const { answer } = await ask((one) => [one.reply({ flags: TRUNCATED })])
  assert.equal(answer.kind, 'malformed')
})

test('a TCP answer may come in pieces', async () => {
  const many = Array.from({ length: 60 }, (_, i) => a('mx.example', `192.0.2.${i + 1}`))
  const { answer } = await ask((one) => [one.reply(one.transport === 'udp' ? { flags: TRUNCATED } : { answers: many })])
  assert.ok(answer.kind === 'records')
  assert.equal(answer.records.length, 60)
})
