/** Release from quarantine, in a worker: what goes into the spool, by which way, and what stops it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathText } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import { SpoolReceipt } from '#mail/custody.ts'
import type { PathEvent } from '#mail/event.ts'
import type { ScanFact, ScanResult } from '#mail/scan.ts'
import type { NewMessage, QueueEntry } from '#mail/stored.ts'
import { newTraceId, recipient, transaction } from '#mail/testing.ts'
import type { ReadContent } from '#quarantine/contents.ts'
import { HandClock, route } from '#queue/testing.ts'
import { SpoolError } from '#spool/contract.ts'
import type { QuarantineEntry } from '#store/quarantine.ts'
import type { Directory, OutboundWay, ServedDomain } from '#tenant/directory.ts'
import { virusPolicy } from '#tenant/virus-policy.ts'
import { RELEASE_DELAY_MS, Release, type ReleaseQuestion } from './release.ts'
import type { SpamTeaching } from './teaching.ts'
import { served } from './testing.ts'

const EICAR: ScanFact = { kind: 'malware', engine: 'clamd', name: 'Eicar', where: 'part 2' }
const NEW: ScanFact = { kind: 'malware', engine: 'clamd', name: 'Worse', where: 'part 2' }
const SILENT: ScanFact = { kind: 'not-looked', engine: 'clamd', why: 'down', text: 'nobody there' }
const TAGGED: ScanFact = { kind: 'encrypted', container: 'zip', where: 'part 3' }
const BODY = 'Subject: x\r\n\r\n..\r\n.\r\nend\r\n'
const keeping = { virus: virusPolicy({ malware: 'quarantine' }) }
const DOMAINS: readonly ServedDomain[] = [
  served(keeping),
  served({ ...keeping, name: 'cafe.test', route: route('bakery/cafe') }),
  served({ ...keeping, name: 'smith.test', tenant: { name: 'smith', language: 'en' }, route: route('smith/main') }),
  served({ name: 'relay.test' }),
]
const OUT = {
  tenant: { name: 'bakery', language: 'en' },
  route: route('bakery/out'),
  commit: 'spool',
  policyClass: '<outbound>',
  outbound: {},
}

function bench(
  found: readonly ScanFact[] = [EICAR],
  read: ReadContent = { kind: 'content', content: content([Buffer.from(BODY)]) },
) {
  const clock = new HandClock()
  const stored: { message: NewMessage; text: string; firstMs: number }[] = []
  const events: PathEvent[] = []
  const queued: string[] = []
  const taught: SpamTeaching[] = []
  const says = { found, full: false, scanMs: 0, outbound: true }
  const directory = {
    domain: (name: string) => DOMAINS.find((domain) => domain.name === name),
    outboundOf: () => (says.outbound ? (OUT as unknown as OutboundWay) : undefined),
    route: (id: string) => route(id),
  } as unknown as Directory
  const release = new Release({
    clock,
    hostname: 'relay.test',
    directory: () => directory,
    contents: { read: async () => read },
    wall: () => ({
      async scan(): Promise<ScanResult> {
        await clock.pass(says.scanMs)
        return { facts: says.found, cleanBy: [], durationMs: 1 }
      },
    }),
    spool: {
      async append(message, body, firstMs) {
        if (says.full) throw new SpoolError('full', 'no space')
        stored.push({ message, text: Buffer.concat(body.chunks).toString('latin1'), firstMs })
        return SpoolReceipt.afterSync(message.id)
      },
      change: () => {},
      get: (id) => ({ id }) as QueueEntry,
    },
    queue: { nowMs: () => clock.wall(), add: ({ id }) => void queued.push(id) },
    newTraceId,
    report: (event) => void events.push(event),
    teach: (lesson) => void taught.push(lesson),
  })
  return { release, clock, stored, events, queued, says, taught }
}

function question(
  to: readonly string[],
  more: Partial<ReleaseQuestion> = {},
  entryMore: Partial<QuarantineEntry> = {},
): ReleaseQuestion {
  const { envelope } = transaction(to, 'forged@victim.test')
  const entry = {
    id: newTraceId(),
    tenant: 'bakery',
    class: 'malware',
    service: 'inbound',
    facts: [EICAR, TAGGED],
    envelope: { ...envelope, recipients: to.map((one) => ({ ...recipient(one), notify: ['success', 'failure'] })) },
    reception: { clientAddress: '192.0.2.1', greetingName: 'x', protocol: 'ESMTP', receivedMs: 5 },
    trace: Buffer.from('Received: y\r\n'),
    hash: 'ab'.repeat(32),
    ...entryMore,
  } as unknown as QuarantineEntry
  const positions = to.map((_, i) => i)
  return {
    entry,
    positions,
    release: newTraceId(),
    who: 'anna (as\r\nroot)',
    force: false,
    dryRun: false,
    withinMs: 60_000,
    ...more,
  }
}

test('it goes as it came, after one field, later than a restart takes, and its sender is told nothing', async () => {
  const { release, stored, clock, events, queued } = bench()
  const asked = question(['anna@bakery.test'])
  assert.equal((await release.release(asked)).kind, 'released')
  const [{ message, text, firstMs }] = stored as [(typeof stored)[0]]
  assert.match(
    text,
    new RegExp(
      `^X-Vorposten-Released: ${asked.entry.id};\\r\\n\\tby anna\\?\\(as\\?\\?root\\); .* \\+0000\\r\\nReceived: y\\r\\n`,
    ),
  )
  assert.ok(text.endsWith(`\r\nReceived: y\r\n${BODY}`))
  assert.deepEqual([message.id, message.route, message.tenant], [asked.release, 'bakery/main', 'bakery'])
  assert.equal(firstMs, clock.wall() + RELEASE_DELAY_MS)
  assert.equal(message.reception.receivedMs, clock.wall())
  assert.deepEqual([message.submission, message.envelope.recipients[0]?.notify], [undefined, 'never'])
  assert.equal(pathText(message.envelope.reversePath), '<forged@victim.test>')
  assert.deepEqual(queued, [asked.release])
  assert.ok(events[0]?.kind === 'quarantine' && events[0].part === asked.release)
})

test('only what was known is overruled: a new finding or a silent engine stops it, force does not mind', async () => {
  for (const fact of [NEW, SILENT, { ...EICAR, where: 'part 9' }]) {
    const { release, stored, says } = bench([EICAR, fact])
    const answer = await release.release(question(['anna@bakery.test']))
    assert.ok(answer.kind === 'refused' && answer.text.includes('--force'), JSON.stringify(answer))
    assert.equal(stored.length, 0)
    const dry = await release.release(question(['anna@bakery.test'], { dryRun: true }))
    assert.equal(dry.kind, 'refused')
    assert.equal((await release.release(question(['anna@bakery.test'], { force: true }))).kind, 'released')
    // What the policy lets through, it lets through here.
    says.found = [EICAR, { ...TAGGED, where: 'part 4' }]
    assert.equal((await release.release(question(['anna@bakery.test']))).kind, 'released')
  }
})

test('each recipient by the route that its domain has today, another address by its own', async () => {
  const { release, stored } = bench()
  const asked = question(['anna@bakery.test', 'ben@cafe.test', 'carl@bakery.test'])
  const answer = await release.release(asked)
  assert.deepEqual(
    stored.map(({ message }) => [message.route, message.envelope.recipients.length]),
    [
      ['bakery/main', 2],
      ['bakery/cafe', 1],
    ],
  )
  assert.ok(answer.kind === 'released')
  assert.deepEqual([stored[0]!.message.id, [stored[1]!.message.id]], [asked.release, answer.others])
  await release.release(question(['anna@bakery.test'], { to: 'ben@cafe.test', positions: [] }))
  assert.deepEqual(
    [stored[2]!.message.route, pathText(stored[2]!.message.envelope.recipients[0]!.forwardPath)],
    ['bakery/cafe', '<ben@cafe.test>'],
  )
})

test('never to another tenant', async () => {
  const { release, stored } = bench()
  for (const asked of [
    question(['anna@smith.test']),
    question(['anna@bakery.test'], { to: 'x@smith.test' }),
    question(['x@gone.test']),
  ]) {
    const answer = await release.release(asked)
    assert.ok(answer.kind === 'refused' && /no address of bakery|no domain that bakery has/.test(answer.text))
  }
  assert.equal(stored.length, 0)
})

test('mail that leaves takes the way out of its tenant, if it still has one', async () => {
  const { release, stored, says } = bench()
  const asked = () => question(['bob@far.test'], {}, { service: 'outbound' })
  assert.equal((await release.release(asked())).kind, 'released')
  assert.equal(stored[0]!.message.route, 'bakery/out')
  says.outbound = false
  assert.equal((await release.release(asked())).kind, 'refused')
})

test('what cannot be read as it was is not sent', async () => {
  for (const kind of ['missing', 'damaged'] as const) {
    const { release, stored } = bench([], { kind })
    assert.equal((await release.release(question(['anna@bakery.test'], { force: true }))).kind, 'refused')
    assert.equal(stored.length, 0)
  }
})

test('a spool without room, and a worker that is too slow, store nothing', async () => {
  const { release, stored, says } = bench()
  says.full = true
  assert.deepEqual(await release.release(question(['anna@bakery.test'])), {
    kind: 'refused',
    text: 'the spool does not take it: no space',
  })
  says.full = false
  says.scanMs = 60_001
  assert.match(JSON.stringify(await release.release(question(['anna@bakery.test']))), /it took too long/)
  assert.equal(stored.length, 0)
})

test('what the spam filter kept and a person releases was wanted: that is a lesson; what another one kept is none', async () => {
  const { release, taught, says } = bench()
  const ask = (of: Partial<QuarantineEntry>) => release.release(question(['anna@bakery.test'], {}, of))
  await ask({ by: 'virus', class: 'suspicious' })
  await ask({ by: 'spam', class: 'backscatter' })
  assert.deepEqual(taught, [])
  says.full = true
  await ask({ by: 'spam', class: 'spam' })
  assert.deepEqual(taught, [])
  says.full = false
  await ask({ by: 'spam', class: 'spam' })
  const [{ content: learned, ...lesson }] = taught as unknown as [SpamTeaching]
  assert.deepEqual(lesson, { tenant: 'bakery', isSpam: false, teacher: 'release', source: 'anna (as\r\nroot)' })
  assert.equal(Buffer.concat(learned.chunks).toString(), BODY)
})
