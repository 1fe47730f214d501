/**
 * EICAR in more than 500 wrappings beside a letter, with a policy that has malware stripped. Whatever comes out has no EICAR
 * in it, for the embedded engine and for a real clamd; the letter is in it, octet by octet; and a reader that is not ours
 * (Python's) reads the notice and the letter. And in honest mail readers agree about the structure.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import { partsOf } from '#mime/removal/parts.ts'
import { judgeScan } from '#policy/virus.ts'
import { Clamd } from '#scan/clamd.ts'
import { look } from '#scan/look.ts'
import { systemClock } from '#sys/clock.ts'
import { virusPolicy } from '#tenant/virus-policy.ts'
import { type StripWall, strip } from '../../src/relay/stripping.ts'
import { startClamd, withoutClamd } from '../peers/clamd.ts'
import { readMail, withoutPython } from '../peers/python-mail.ts'
import { CORPORA, HAM_ARCHIVES, isMessage, readArchive } from './archive.ts'
import { type Wrapping, wrappings } from './wrappings.ts'

const WRAPPINGS_MIN = 500
/** Where readers agree about the structure: three tricks of fourteen, most encodings. */
const STRIPPED_MIN = 220
/** clamd does not look into all containers. */
const SEEN_BY_CLAMD_MIN = 80
/** In the corpora of ham. */
const MULTIPARTS_MIN = 200
const POLICY = virusPolicy({ malware: 'strip' })
const LETTER = 'Content-Type: text/plain\r\n\r\nDear Anna,\r\nhere it is.'

const NOTHING_MORE = Promise.resolve([])

const octetsOf = ({ chunks }: Content): Buffer => Buffer.concat(chunks)
const wall: StripWall = {
  scan: async (one) => ({ facts: await look(octetsOf(one), () => 0), cleanBy: [], durationMs: 0 }),
  parts: async (one) => partsOf(octetsOf(one)),
}

const beside = (text: string): string => text.replace('--b1\r\n', `--b1\r\n${LETTER}\r\n--b1\r\n`)

/** What comes out of a wrapping with a letter before its first part; undefined: it is refused. */
async function out({ message }: Wrapping): Promise<Buffer | undefined> {
  const before = content([Buffer.from(beside(message.toString('latin1')), 'latin1')])
  if (judgeScan(await wall.scan(before), POLICY).decision !== 'strip') return undefined
  const found = await strip(wall, { content: before, policy: POLICY, tenant: { language: 'de' }, id: 'X1' })
  assert.notEqual(found.kind, 'defer')
  return found.kind === 'stripped' ? octetsOf(found.content) : undefined
}

const all = Array.fromAsync(wrappings(), async (one) => ({ ...one, after: await out(one) }))
const nameOf = ({ trick, encoding, container }: Wrapping) => `${trick}, ${encoding}, ${container}`

test('no EICAR is left, the letter is, and doubtful messages are refused', async (t) => {
  const made = await all
  assert.ok(made.length >= WRAPPINGS_MIN)
  const stripped = made.filter(({ after }) => after !== undefined)
  const tricks = new Set(stripped.map(({ trick }) => trick))
  t.diagnostic(`${stripped.length} of ${made.length} stripped, the rest refused: ${[...tricks].join(', ')}`)
  assert.ok(stripped.length >= STRIPPED_MIN)
  for (const one of stripped) {
    assert.ok(one.after!.includes(`--b1\r\n${LETTER}\r\n--b1`), nameOf(one))
    const facts = await look(one.after!, () => 0)
    assert.ok(!facts.some(({ kind }) => kind === 'malware'), nameOf(one))
  }
})

test('a real clamd finds nothing in what comes out', { skip: withoutClamd() }, async () => {
  await using peer = await startClamd()
  const limits = { connectionsMax: 4, connectMsMax: 5_000, timeMsMax: 60_000 }
  const server = { kind: 'local', path: peer.path } as const
  const clamd = new Clamd({ name: 'clamd', servers: [server], ...limits }, systemClock)
  let found = 0
  for (const one of await all) {
    if (one.after === undefined) continue
    assert.deepEqual(await clamd.look(content([one.after]), NOTHING_MORE), [], nameOf(one))
    found += (await clamd.look(content([one.message]), NOTHING_MORE)).length
  }
  assert.ok(found >= SEEN_BY_CLAMD_MIN, `it sees EICAR in ${found} of those wrappings itself`)
})

test('a reader that is not ours reads the notice and the letter', { skip: withoutPython() }, async () => {
  const seen = new Set<string>()
  for (const one of await all) {
    if (one.after === undefined || one.container !== 'zip' || seen.has(one.trick)) continue
    seen.add(one.trick)
    const { texts, defects } = readMail(one.after)
    assert.deepEqual(defects, [], nameOf(one))
    assert.equal(texts[0]?.trimEnd(), 'Dear Anna,\nhere it is.', nameOf(one))
    assert.match(texts[1] ?? '', /^Ein Teil dieser Nachricht wurde entfernt/)
    assert.equal(texts.length, 2)
  }
  assert.ok(seen.size >= 3, [...seen].join(', '))
})

test('readers agree about the structure of honest mail, but for two messages', (t) => {
  const there = HAM_ARCHIVES.map((archive) => new URL(archive, CORPORA)).filter((at) => existsSync(at))
  if (there.length < HAM_ARCHIVES.length) return t.diagnostic('NOT RUN: the corpora are not here')
  let multiparts = 0
  const disputed: string[] = []
  for (const { path, octets } of there.flatMap(readArchive).filter(isMessage)) {
    // Collectors put a line of their own above the header.
    const text = octets.toString('latin1').replace(/^(From |[^!-~])[^\n]*\n/, '')
    if (!/^content-type:\s*multipart/im.test(text.slice(0, text.search(/\r?\n\r?\n/)))) continue
    multiparts++
    const found = partsOf(Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'latin1'))
    if (found.kind === 'disputed') disputed.push(`${path}: ${found.text}`)
  }
  t.diagnostic(`${multiparts} multiparts; ${disputed.join('; ')}`)
  assert.ok(multiparts >= MULTIPARTS_MIN)
  assert.ok(disputed.length <= 2, disputed.join('\n'))
})
