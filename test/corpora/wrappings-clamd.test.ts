/**
 * The catalogue of wrappings with the real clamd alone, the embedded engine off: what clamd does not see for itself it is
 * handed. Each message stands behind a trace field, as the relay would give it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import { judgeScan } from '#policy/virus.ts'
import { Clamd } from '#scan/clamd.ts'
import { Embedded } from '#scan/embedded.ts'
import { Wall } from '#scan/wall.ts'
import { systemClock } from '#sys/clock.ts'
import { DEFAULT_VIRUS_POLICY } from '#tenant/virus-policy.ts'
import { type ClamdPeer, startClamd, withoutClamd } from '../peers/clamd.ts'
import { type Wrapping, wrappings } from './wrappings.ts'

/** Of the wrappings that are also shown to clamd without help. */
const SAMPLE = 7
const AT_A_TIME = 16
/** ClamAV knows no yEnc, and what lies in a further container we do not open for it (docs/virus-wall.md). */
const BEYOND_CLAMAV = ['yEnc in mail']
const RECEIVED = Buffer.from(
  'Received: from x ([127.0.0.1])\r\n\tby mx.example;\r\n\tTue, 24 Nov 2026 00:00:00 +0000\r\n',
)

test('EICAR comes out of no wrapping as clean, with clamd alone', { skip: withoutClamd() }, async (t) => {
  await using clamd = await startClamd()
  await using reading = wallWith(clamd, new Embedded(systemClock, { examines: false }))
  await using bare = wallWith(clamd)
  const all = [...wrappings()].filter(({ container }) => !BEYOND_CLAMAV.includes(container))
  const missed: string[] = []
  let bareMissed = 0
  const look = async ({ trick, encoding, container, message }: Wrapping, i: number) => {
    const mail = content([RECEIVED, message])
    if (i % SAMPLE === 0 && (await decision(bare, mail)) === 'clean') bareMissed++
    const judged = await decision(reading, mail)
    if (judged !== 'reject') missed.push(`${trick}, ${encoding}, ${container}: ${judged}`)
  }
  for (let at = 0; at < all.length; at += AT_A_TIME)
    await Promise.all(all.slice(at, at + AT_A_TIME).map((wrapping, i) => look(wrapping, at + i)))
  t.diagnostic(`${all.length} wrappings, ${missed.length} missed; without readings ${bareMissed} of each ${SAMPLE}th`)
  assert.ok(bareMissed > 0, 'no wrapping of the catalogue deceives clamd: this test shows nothing')
  assert.deepEqual(missed, [])
})

function wallWith({ path }: ClamdPeer, reader?: Embedded) {
  const servers = [{ kind: 'local', path }] as const
  const engine = new Clamd(
    { name: 'a', servers, connectionsMax: 4, connectMsMax: 5_000, timeMsMax: 60_000 },
    systemClock,
  )
  const wall = new Wall([engine], systemClock, reader)
  return { wall, [Symbol.asyncDispose]: () => wall.close() }
}

const decision = async ({ wall }: { wall: Wall }, mail: Content) =>
  judgeScan(await wall.scan(mail), DEFAULT_VIRUS_POLICY).decision
