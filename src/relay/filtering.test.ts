/** The spam filter as a step: what goes on, what is refused and with which words, what is kept; and both walls in a row. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import { QuarantineReceipt } from '#mail/custody.ts'
import type { PathEvent } from '#mail/event.ts'
import type { SpamSign } from '#mail/spam.ts'
import { session, transaction } from '#mail/testing.ts'
import { combine, type Gathered } from '#scan/spam/combine.ts'
import { SYMBOLS } from '#scan/spam/symbols.ts'
import { type SpamPolicyLayer, spamPolicy } from '#tenant/spam-policy.ts'
import { Filtering } from './filtering.ts'
import type { Subject } from './gathering.ts'
import { inspect } from './inspect.ts'
import { served } from './testing.ts'
import { look } from './walls.ts'

const MAIL = content([Buffer.from('Subject: x\r\n\r\nhello\r\n')])
const [SOME] = Object.keys(SYMBOLS).filter((symbol) => SYMBOLS[symbol]!.weight > 0)
const textOf = ({ chunks }: Content) => Buffer.concat(chunks).toString('latin1')

/** A gathering whose signs add up to no more than a family may: thresholds are set around the score that it has. */
function heavy(...more: SpamSign[]): Gathered & { readonly score: number } {
  const gathered = {
    signs: [{ symbol: SOME!, weight: 3, detail: 'detail for nobody' }, ...more],
    silent: [],
    durationMs: 7,
  }
  return { ...gathered, score: combine(gathered).score }
}

function filtering(gathered: Gathered) {
  const asked: Subject[] = []
  const events: PathEvent[] = []
  const gathering = {
    async gather(subject: Subject) {
      asked.push(subject)
      return gathered
    },
  }
  const report = (event: PathEvent) => void events.push(event)
  return { asked, events, filter: new Filtering({ gathering: () => gathering, report }) }
}

async function judged(
  gathered: Gathered,
  layer: SpamPolicyLayer = {},
  one = transaction(['anna@bakery.test']),
  mail = MAIL,
) {
  const { filter, asked, events } = filtering(gathered)
  const answer = await filter.filter(one, served({ spam: spamPolicy(layer) }), mail, { content: mail })
  return { answer, asked, events, id: one.id }
}

test('below every threshold it goes on, with fields that say why', async () => {
  const { score } = heavy()
  const { answer, asked, events, id } = await judged(heavy(), { tagAt: score + 0.01 })
  assert.ok(answer.kind === 'scanned' && !answer.tagged)
  const text = textOf(answer.content)
  assert.ok(text.endsWith(`]\r\n${textOf(MAIL)}`))
  assert.match(text, new RegExp(`^X-Spam-Score: ${score}.*X-Spam-Status: No, score=${score}0? .*tests=.${SOME}=3`, 's'))
  assert.equal(asked[0]?.about.reversePath, 'anna@sender.example')
  const [event] = events
  assert.ok(event?.kind === 'filtered')
  assert.deepEqual([event.id, event.tenant, event.decision, event.policy], [id, 'bakery', 'pass', undefined])
  assert.deepEqual([event.score, event.signs[0]?.symbol, event.durationMs], [score, SOME, 7])
})

test('nobody but us says in such fields what we thought; without fields of ours only the flag is left', async () => {
  const forged = content([
    Buffer.from('X-Spam-Flag: NO\r\nx-spam-status: No, score=-99\r\nSubject: x\r\n\r\nhello\r\n'),
  ])
  const fieldsOf = async (layer: SpamPolicyLayer) => {
    const { answer, events } = await judged(heavy(), layer, undefined, forged)
    assert.ok(answer.kind === 'scanned')
    const by = (events[0]?.kind === 'filtered' && events[0].policy) || ''
    const lines = textOf(answer.content).match(/^(?:X-S|S).*$/gim) ?? []
    return { by: by.replace(/, by .*/, ''), lines: lines.map((line) => line.slice(0, 21).trimEnd()) }
  }
  const tagAt = heavy().score
  assert.deepEqual(await fieldsOf({ tagAt: 'off', fields: false }), { by: '', lines: ['Subject: x'] })
  assert.deepEqual(await fieldsOf({ tagAt, fields: false }), {
    by: `tag-at: ${tagAt}`,
    lines: ['X-Spam-Flag: YES', 'Subject: x'],
  })
  const { lines } = await fieldsOf({ tagAt, subjectTag: '[SPAM]' })
  assert.deepEqual([lines.at(0), lines.at(-1)], ['X-Spam-Flag: YES', 'Subject: [SPAM] x'])
  assert.equal(lines.filter((line) => line.startsWith('X-Spam-Status')).length, 1)
})

test('a refusal has the trace id and tells how to be heard, and nothing of what was seen', async () => {
  const { answer, id } = await judged(heavy(), { rejectAt: heavy().score })
  assert.ok(answer.kind === 'reject')
  const text = String(answer.reply.text)
  assert.deepEqual([answer.reply.code, answer.reply.status], [550, '5.7.1'])
  assert.ok(text.endsWith(`; trace ${id}`))
  assert.doesNotMatch(text, new RegExp(`${SOME}|detail|points|\\d\\.\\d`))
  assert.match(answer.reasons[0]!.text, new RegExp(`points, ordinary: ${SOME}`))
})

test('what is kept has the class that it is of', async () => {
  const layer = { quarantineAt: heavy().score, phishingQuarantineAt: -50, bulk: 'quarantine', tagAt: 'off' } as const
  for (const [symbol, wanted] of [
    [SOME!, 'spam'],
    ['PHISH_X', 'phishing'],
    ['BULK_X', 'bulk'],
  ] as const) {
    const { answer } = await judged(heavy({ symbol, weight: 0 }), layer)
    assert.ok(answer.kind === 'quarantine', symbol)
    assert.deepEqual([answer.class, answer.by, answer.facts], [wanted, 'spam', []])
  }
})

test('a policy that does not filter, and mail that leaves, ask nobody', async () => {
  assert.equal((await judged(heavy(), { filter: false, rejectAt: -50 })).asked.length, 0)
  const leaving = transaction(['a@b.test'], 'anna@bakery.test', session({ service: 'submission' }))
  assert.equal((await judged(heavy(), { rejectAt: -50 }, leaving)).asked.length, 0)
})

test('virus wall first, then the filter, on what came in; who is tagged is told nothing later', async () => {
  const one = transaction(['anna@bakery.test'])
  const way = served({ spam: spamPolicy({ tagAt: heavy().score }), contentOctetsMax: 10_000 })
  const inspected = inspect(one, MAIL, way, { hostname: 'mx1.relay.test', hopsMax: 25, wallMs: 0 })
  assert.ok(inspected.kind === 'inspected')
  const { filter, asked } = filtering(heavy())
  const submission = { kind: 'any' } as never
  const clear = await look({ filtering: filter }, { kind: 'pass', transaction: one, submission }, way, inspected)
  assert.ok(clear.kind === 'pass' && clear.tagged)
  assert.equal(clear.submission, undefined)
  assert.match(textOf(clear.content), /^X-Spam-Flag: YES\r\n(?:X-Spam.*\r\n\t?.*\r\n)+Received: /)
  assert.equal(textOf(asked[0]!.content), textOf(MAIL), 'without fields of ours')

  const scanning = { scan: async () => ({ kind: 'reject', reply: {} as never, reasons: [] }) as const }
  const refused = await look({ scanning, filtering: filter }, { kind: 'pass', transaction: one }, way, inspected)
  assert.deepEqual([refused.kind, asked.length], ['reject', 1], 'what carries malware is not read for spam')
})

test('into quarantine with 250, or 451 where there is none', async () => {
  const one = transaction(['anna@bakery.test'])
  const way = served({ spam: spamPolicy({ quarantineAt: -50 }), contentOctetsMax: 10_000 })
  const inspected = inspect(one, MAIL, way, { hostname: 'mx1.relay.test', hopsMax: 25, wallMs: 0 })
  assert.ok(inspected.kind === 'inspected')
  const { filter } = filtering(heavy())
  const judged = { kind: 'pass', transaction: one } as const
  assert.equal((await look({ filtering: filter }, judged, way, inspected)).kind, 'defer')
  const quarantining = {
    take: async () => ({ kind: 'accept', custody: QuarantineReceipt.afterSync(one.id) }) as const,
  }
  assert.equal((await look({ filtering: filter, quarantining }, judged, way, inspected)).kind, 'accept')
})
