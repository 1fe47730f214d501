/**
 * Whether a list is one (RFC 5782 §5): what must be listed is, and what must not be is not. Lists end: the zone then lists
 * nothing, or the world; and a list that refuses to answer us says so by a code that looks like a listing.
 *
 * | list | must be listed | must not be | if not |
 * |---|---|---|---|
 * | of clients | 127.0.0.2, or `test-entry` | 127.0.0.1 | it is ill |
 * | of domains | TEST, or `test-entry` | INVALID | it is ill |
 * | of clients | ::ffff:7f00:2 | ::ffff:7f00:1 | it is not asked about IPv6 |
 * | of links only | 127.0.0.2 | 127.0.0.1 | it is not asked about addresses; Spamhaus DBL says yes to all of them |
 */
import { isIP } from 'node:net'
import type { SpamListSettings } from '#mail/spam-list.ts'
import type { Answer } from '#sys/dns/answer.ts'
import { readCodes, refusalMeaning } from './code.ts'
import { addressSubject, type Family, nibbles } from './question-name.ts'

export type Illness =
  /** It did not answer, or its name servers said that they cannot. */
  'silent' | 'refuses' | 'lists-nothing' | 'lists-everything' | 'is-no-list'

export type Health =
  | { readonly kind: 'well'; readonly families: Families }
  | { readonly kind: 'ill'; readonly illness: Illness; readonly text: string }

/** Which addresses it has. */
export type Families = Readonly<Record<Family, boolean | 'unknown'>>

/** About the labels in front of its zone. */
export type AskZone = (labels: string) => Promise<Answer<'A'>>

interface Trial {
  readonly labels: string
  readonly shown: string
  readonly should: 'listed' | 'not-listed'
}

const TESTS: Readonly<Record<Family, { readonly must: string; readonly mustNot: string }>> = {
  4: { must: '2.0.0.127', mustNot: '1.0.0.127' },
  6: { must: nibbles('::ffff:7f00:2'), mustNot: nibbles('::ffff:7f00:1') },
}

export async function checkHealth(list: SpamListSettings, ask: AskZone): Promise<Health> {
  const faults = await Promise.all(trialsOf(list).map((trial) => fault(list, ask, trial)))
  const worst = faults.find((one) => one !== undefined)
  if (worst !== undefined) return worst
  const { kinds } = list
  if (kinds.includes('client')) return { kind: 'well', families: { 4: true, 6: await hasFamily(6, list, ask) } }
  return { kind: 'well', families: { 4: kinds.includes('link') && (await hasFamily(4, list, ask)), 6: false } }
}

function trialsOf({ kinds, testEntry }: SpamListSettings): Trial[] {
  const trials: Trial[] = []
  const address = kinds.includes('client')
  const domain = kinds.some((kind) => kind !== 'client')
  if (testEntry !== undefined && testEntry !== 'none') trials.push(trialOf(testEntry, 'listed'))
  if (address) trials.push(trialOf('127.0.0.1', 'not-listed'))
  if (domain) trials.push(trialOf('invalid', 'not-listed'))
  if (testEntry === undefined) {
    if (address) trials.push(trialOf('127.0.0.2', 'listed'))
    if (domain) trials.push(trialOf('test', 'listed'))
  }
  return trials
}

const trialOf = (shown: string, should: Trial['should']): Trial => ({
  labels: isIP(shown) > 0 ? addressSubject(shown)!.labels : shown,
  shown,
  should,
})

async function fault(
  list: SpamListSettings,
  ask: AskZone,
  { labels, shown, should }: Trial,
): Promise<Extract<Health, { kind: 'ill' }> | undefined> {
  const ill = (illness: Illness, text: string) => ({ kind: 'ill', illness, text }) as const
  const answer = await ask(labels)
  if (answer.kind === 'unknown') return ill('silent', answer.text)
  if (answer.kind === 'none') {
    return should === 'listed' ? ill('lists-nothing', `its test entry ${shown} is not listed`) : undefined
  }
  const said = readCodes(answer.records, list)
  if (said.kind === 'refused') return refusing(said.code)
  if (said.kind === 'no-list') return noList(said.code)
  return should === 'not-listed' ? ill('lists-everything', `${shown} is listed, which no list may have`) : undefined
}

export const refusing = (code: string): Extract<Health, { kind: 'ill' }> => ({
  kind: 'ill',
  illness: 'refuses',
  text: `it answers ${code} (${refusalMeaning(code)})`,
})

export const noList = (code: string): Extract<Health, { kind: 'ill' }> => ({
  kind: 'ill',
  illness: 'is-no-list',
  text: `it answers ${code}, which is no code of a list`,
})

async function hasFamily(family: Family, list: SpamListSettings, ask: AskZone): Promise<boolean | 'unknown'> {
  const [must, mustNot] = await Promise.all([ask(TESTS[family].must), ask(TESTS[family].mustNot)])
  if (must.kind === 'unknown' || mustNot.kind === 'unknown') return 'unknown'
  if (must.kind !== 'found' || mustNot.kind !== 'none') return false
  const said = readCodes(must.records, list).kind
  return said === 'listed' || said === 'of-no-weight'
}
