/** The reading thread: what it says, and that one that hangs, dies or throws is silence with a reason. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { systemClock } from '#sys/clock.ts'
import { OCTETS_MAX } from './message.ts'
import { SpamReader, type SpamReaderOptions } from './reader.ts'

const mail = (text: string) => content([Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1')])
const PHISH = mail(
  'Subject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n<form action="https://a.example"><input type=password></form>\n',
)

async function reading<T>(use: (reader: SpamReader) => Promise<T>, options: Partial<SpamReaderOptions> = {}) {
  const reader = new SpamReader(systemClock, options)
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}

/** For a thread that answers on a busy machine, too. */
const LONG_MS = 60_000

const script = (text: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; parentPort.on('message', ${text})`)}`,
  )

test('it runs the rules on what it gets, and looks no further than the beginning', () =>
  reading(
    async (reader) => {
      const signs = async (...chunks: string[]) => {
        const answer = await reader.read(content(chunks.map((chunk) => Buffer.from(chunk, 'latin1'))), {})
        assert.ok(answer.kind === 'read', JSON.stringify(answer))
        return answer.signs.map(({ symbol }) => symbol)
      }
      const asksPassword = async (...chunks: string[]) => (await signs(...chunks)).includes('HTML_FORM_PASSWORD')
      assert.ok(await asksPassword(...PHISH.chunks.map(String)))
      assert.ok(!(await asksPassword('Subject: bread\r\n\r\nSix loaves.\r\n')))
      const padded = `Subject: x\r\nX: ${'y'.repeat(70)}\r\n`.repeat(OCTETS_MAX / 80)
      assert.deepEqual(await signs(padded, ...PHISH.chunks.map(String)), await signs(padded), 'nothing behind it')
    },
    { jobMsMax: LONG_MS },
  ))

test('a thread that hangs, dies or throws is silent, and the next message has an answer', async () => {
  for (const [body, why, jobMsMax] of [
    ['() => { for (;;); }', /^timed-out: /, 300],
    ['() => process.exit(0)', /^crashed: /, LONG_MS],
    ["({ job }) => parentPort.postMessage({ job, failed: 'a defect' })", /^crashed: a defect/, LONG_MS],
  ] as const) {
    await reading(
      async (reader) => {
        for (const text of ['one', 'two']) {
          const answer = await reader.read(mail(text), {})
          assert.ok(answer.kind === 'silent', body)
          assert.match(answer.text, why)
        }
      },
      { thread: script(body), jobMsMax },
    )
  }
})

test('who waits behind too many is told at once', () =>
  reading(
    async (reader) => {
      const all = Array.from({ length: 4 }, () => reader.read(mail('x'), {}))
      const answer = await all[3]!
      assert.ok(answer.kind === 'silent')
      assert.match(answer.text, /^busy: /)
      await reader.close()
      await Promise.all(all)
    },
    { waitingMax: 1, thread: script('() => {}') },
  ))
