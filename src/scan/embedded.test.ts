/** The embedded engine: what it finds, and that a thread that hangs, dies or lies is a fact, never a "clean". */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import type { ScanFact } from '#mail/scan.ts'
import { systemClock } from '#sys/clock.ts'
import type { ThreadLimits } from '#sys/threads.ts'
import { Embedded } from './embedded.ts'

const EICAR = `X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`
const mail = (text: string) => content([Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1')])
const part = (name: string, octets: Buffer | string) =>
  mail(
    `Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\n` +
      `Content-Type: application/octet-stream; name="${name}"\nContent-Transfer-Encoding: base64\n\n` +
      `${Buffer.from(octets as string, 'latin1').toString('base64')}\n--b--\n`,
  )
const kinds = (facts: readonly ScanFact[]) => facts.map((fact) => (fact.kind === 'not-looked' ? fact.why : fact.kind))

const look = (engine: Embedded, message: Content) => engine.read(message, false).facts

async function looking<T>(use: (engine: Embedded) => Promise<T>, limits: Partial<ThreadLimits> = {}, thread?: string) {
  const at = thread === undefined ? {} : { thread: new URL(`data:text/javascript,${encodeURIComponent(thread)}`) }
  const engine = new Embedded(systemClock, { ...limits, ...at })
  try {
    return await use(engine)
  } finally {
    await engine.close()
  }
}

test('EICAR as body, as attachment and in an attached message; a quotation of it is none', () =>
  looking(async (engine) => {
    const found = async (text: ReturnType<typeof mail>) => kinds(await look(engine, text)).includes('malware')
    assert.ok(await found(mail(`Subject: x\n\n${EICAR}\n`)))
    assert.ok(await found(part('a.bin', EICAR)))
    assert.ok(await found(mail(`Content-Type: message/rfc822\n\nSubject: inside\n\n${EICAR}\n`)))
    assert.ok(!(await found(mail(`Subject: x\n\nWrite ${EICAR} into a file.\n`))))
    assert.deepEqual(kinds(await look(engine, mail('Subject: bread\n\nSix loaves.\n'))), [])
  }))

test('what a file is and how its name deceives', () =>
  looking(async (engine) => {
    const program = Buffer.alloc(256)
    program.write('MZ', 0, 'latin1')
    const facts = async (name: string, octets: Buffer | string) =>
      (await look(engine, part(name, typeof octets === 'string' ? octets : octets.toString('latin1'))))
        .map((fact) => (fact.kind === 'file' ? fact.class : fact.kind === 'suspicious' ? fact.symbol : fact.kind))
        .sort()
    assert.deepEqual(await facts('a.exe', program), ['executable'])
    assert.deepEqual(await facts('letter.pdf', program), ['disguised-program', 'executable'])
    assert.deepEqual(await facts('invoice.pdf.exe', program), ['double-extension', 'executable'])
    assert.deepEqual(await facts('letter.pdf', '%PDF-1.7 ...'), ['pdf'])
    assert.deepEqual(await facts('MZ.txt', 'MZ is how programs of DOS begin, for no better reason than a name.'), [
      'text',
    ])
    assert.deepEqual(await facts('a.7z.002', 'x'), ['broken', 'text'])
    assert.deepEqual(await facts('a.z01', 'x'), ['broken', 'text'])
    assert.deepEqual(await facts('version 1.002', 'x'), ['text'])
    assert.deepEqual(await facts('run.sh', '#!/bin/sh\necho'), ['script'])
  }))

test('a thread that hangs is ended: timed-out, and the next message has a new one', () =>
  looking(
    async (engine) => {
      const first = look(engine, mail('x'))
      const second = look(engine, mail('y'))
      assert.deepEqual(kinds(await first), ['timed-out'])
      assert.deepEqual(kinds(await second), ['timed-out'])
    },
    { jobMsMax: 300 },
    `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { for (;;); })`,
  ))

test('a thread that ends, throws, or runs out of memory is a crash', async () => {
  const crashes = [
    'process.exit(0)',
    "throw new Error('a defect')",
    'const all = []; for (;;) all.push(new Array(1e5).fill(all.length))',
  ]
  for (const crash of crashes) {
    const thread = `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { ${crash} })`
    await looking(
      async (engine) => {
        assert.deepEqual(kinds(await look(engine, mail('x'))), ['crashed'], crash)
        assert.deepEqual(kinds(await look(engine, mail('y'))), ['crashed'], crash)
      },
      { heapMib: 32 },
      thread,
    )
  }
})

test('the parts of a message come from the thread; that it could not say is no answer', async () => {
  await looking(async (engine) => {
    const found = await engine.parts(part('a.bin', 'x'))
    assert.deepEqual(found.kind === 'parts' && found.parts.map(({ names }) => names), [[], ['a.bin']])
    assert.equal((await engine.parts(mail('Content-Type: a/b\nContent-Type: c/d\n\nx'))).kind, 'disputed')
    assert.deepEqual(kinds(await look(engine, mail('Subject: bread\n\nSix loaves.\n'))), [], 'it scans on')
  })
  await looking(
    async (engine) => assert.equal((await engine.parts(mail('x'))).kind, 'not-said'),
    {},
    `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit(0))`,
  )
})

test('an answer to another job is none', () =>
  looking(
    async (engine) => assert.deepEqual(kinds(await look(engine, mail('x'))), ['timed-out']),
    { jobMsMax: 300 },
    `import { parentPort } from 'node:worker_threads'
     parentPort.on('message', ({ job }) => parentPort.postMessage({ job: job + 1, facts: [] }))`,
  ))

test('the line is limited: busy at once, and all who wait hear when it closes', async () => {
  const thread = new URL('data:text/javascript,import "node:worker_threads"')
  const engine = new Embedded(systemClock, { waitingMax: 2, thread })
  const all = Array.from({ length: 5 }, () => look(engine, mail('x')))
  assert.deepEqual(kinds(await all[4]!), ['busy'])
  await engine.close()
  for (const facts of (await Promise.all(all)).slice(0, 3)) assert.equal(facts[0]?.kind, 'not-looked')
})
