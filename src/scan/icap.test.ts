/** An ICAP server as it lies: every way in which it can fail to look, and that none of them is a "clean". */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import { systemClock } from '#sys/clock.ts'
import { Icap, type IcapSettings } from './icap.ts'
import { fake } from './testing.ts'

const MAIL = content([Buffer.from('Subject: x\r\n\r\n'), Buffer.from('hello\r\n')])
const CLEAN = 'ICAP/1.0 204 Unmodified\r\n\r\n'

interface Served {
  readonly options?: string
  /** To RESPMOD, once it is whole, and then it closes; undefined: silence. */
  readonly says?: (heard: string, socket: Socket) => string | undefined
}

/** It answers OPTIONS and asks for what comes behind a preview. */
function server({ options = 'Allow: 204\r\n', says = () => CLEAN }: Served = {}) {
  const asked = new WeakSet<Socket>()
  return fake((socket, heard) => {
    const text = heard.toString('latin1')
    if (text.startsWith('OPTIONS')) {
      socket.end(`ICAP/1.0 200 OK\r\n${options}\r\n`)
      return
    }
    const ends = text.split('\r\n0\r\n\r\n').length - 1
    const isPreview = /\r\nPreview: /.test(text)
    if (isPreview && ends === 1 && !asked.has(socket)) {
      asked.add(socket)
      socket.write('ICAP/1.0 100 Continue\r\n\r\n')
    }
    const answer = ends === (isPreview ? 2 : 1) ? says(text, socket) : undefined
    if (answer !== undefined) socket.end(answer)
  })
}
/** What the chunks of one or two bodies hold. */
function unchunked(text: string): string {
  let out = ''
  for (let from = 0; from < text.length; ) {
    const lineEnd = text.indexOf('\r\n', from)
    const length = Number.parseInt(text.slice(from, lineEnd), 16)
    out += text.slice(lineEnd + 2, lineEnd + 2 + length)
    from = lineEnd + 2 + length + 2
  }
  return out
}
const at = ({ address: { address, port } }: { address: { address: string; port: number } }) => ({
  ...{ address, port, service: '/av' },
})
const engine = (servers: IcapSettings['servers'], more: Partial<IcapSettings> = {}) =>
  new Icap({ name: 'av', servers, connectionsMax: 2, connectMsMax: 2_000, timeMsMax: 5_000, ...more }, systemClock)
const look = (of: Icap, mail: Content = MAIL) => of.look(mail, Promise.resolve([]))
async function why(servers: IcapSettings['servers'], more: Partial<IcapSettings> = {}) {
  const facts = await look(engine(servers, more))
  return facts.map((fact) => (fact.kind === 'not-looked' ? fact.why : fact.kind)).join()
}

test('it is given all octets, behind a preview or without, and the question asked is whole', async () => {
  for (const options of [
    'Allow: 204\r\n',
    'Allow: 204\r\nPreview: 0\r\n',
    'Allow: 204\r\nPreview: 4\r\n',
    'Preview: 9999\r\n',
  ]) {
    let heard = ''
    using peer = await server({
      options,
      says: (text) => {
        heard = text
        return CLEAN
      },
    })
    assert.equal(await why([at(peer)]), '', options)
    const [head, rest] = [heard.slice(0, heard.indexOf('\r\n\r\n')), heard.slice(heard.indexOf('\r\n\r\n') + 4)]
    assert.match(head, new RegExp(`^RESPMOD icap://127\\.0\\.0\\.1:${at(peer).port}/av ICAP/1\\.0\\r\\nHost: 127`))
    const [, second, third] = /req-hdr=0, res-hdr=(\d+), res-body=(\d+)/.exec(head)!.map(Number)
    assert.ok(rest.startsWith('GET ') && rest.slice(second).startsWith('HTTP/1.1 200 OK\r\n'))
    assert.equal(unchunked(rest.slice(third)), 'Subject: x\r\n\r\nhello\r\n')
  }
})

test('down, silent, nonsense, gone: not looked', async () => {
  assert.equal(await why([{ address: '127.0.0.1', port: 1, service: '/av' }]), 'down')
  using closes = await server({ says: () => '' })
  using hangs = await fake(() => {})
  using garbage = await fake((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'))
  using halfway = await server({ says: () => 'ICAP/1.0 204 Unmodified\r\n' })
  using early = await fake((socket, heard) => {
    const isOptions = heard.toString('latin1').startsWith('OPTIONS')
    socket.end(isOptions ? 'ICAP/1.0 200 OK\r\nAllow: 204\r\n\r\n' : '')
  })
  assert.equal(await why([at(hangs)], { timeMsMax: 200 }), 'timed-out')
  assert.equal(await why([at(garbage)]), 'garbled')
  assert.equal(await why([at(halfway)]), 'garbled')
  assert.equal(await why([at(closes)]), 'crashed')
  assert.equal(await why([at(early)]), 'crashed')
})

test('what it finds has its name, and more than it opens is over a limit', async () => {
  using names = await server({ says: () => 'ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Threat=Eicar;\r\n\r\n' })
  assert.deepEqual(await look(engine([at(names)])), [
    { kind: 'malware', engine: 'av', name: 'Eicar', where: 'message' },
  ])
  using deep = await server({ says: () => 'ICAP/1.0 200 OK\r\nX-Infection-Found: Type=2; Threat=Deep;\r\n\r\n' })
  assert.equal(await why([at(deep)]), 'over-limit')
})

test('a server that fails hands over to the next', async () => {
  let asked = 0
  using bad = await server({
    says: () => {
      asked++
      return 'ICAP/1.0 500 Server error\r\n\r\n'
    },
  })
  using good = await server()
  const both = engine([at(bad), at(good)])
  for (let i = 0; i < 6; i++) assert.deepEqual(await look(both), [])
  assert.equal(asked, 1)
})

test('it has no more connections than it wants', async () => {
  let [now, most] = [0, 0]
  using peer = await server({
    options: 'Allow: 204\r\nMax-Connections: 1\r\n',
    says: (_, socket) => {
      most = Math.max(most, ++now)
      setTimeout(() => {
        now--
        socket.end(CLEAN)
      }, 5)
      return undefined
    },
  })
  const two = engine([at(peer)], { connectionsMax: 4 })
  await look(two)
  await Promise.all(Array.from({ length: 12 }, () => look(two)))
  assert.equal(most, 1)
})
