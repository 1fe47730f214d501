/**
 * What people wanted to read passes the embedded engine: of the ham of two corpora nothing is refused by the default policy
 * for what the engine sees in it, except for files of kinds that the policy forbids. What is tagged is told, by symbol. The
 * corpora are larger than the project carries: beside the checkout, or where MAIL_CORPORA says.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { factText, type ScanFact } from '#mail/scan.ts'
import { judgeScan } from '#policy/virus.ts'
import { look } from '#scan/look.ts'
import { DEFAULT_VIRUS_POLICY } from '#tenant/virus-policy.ts'
import { CORPORA, HAM_ARCHIVES, isMessage, readArchive } from './archive.ts'

const reasonOf = (fact: ScanFact) =>
  fact.kind === 'suspicious' || fact.kind === 'cannot-tell' ? `${fact.kind} ${fact.symbol}` : fact.kind

for (const archive of HAM_ARCHIVES)
  test(`no ham of ${archive} is refused`, async (t) => {
    const at = new URL(archive, CORPORA)
    if (!existsSync(at)) return t.diagnostic('NOT RUN: the corpus is not here')
    const refused: string[] = []
    const tags = new Map<string, number>()
    let [messages, tagged, forbidden] = [0, 0, 0]
    for (const { path, octets } of readArchive(at)) {
      if (!isMessage({ path, octets })) continue
      messages++
      const facts = await look(octets, () => performance.now())
      const { decision, because } = judgeScan({ facts, cleanBy: [], durationMs: 0 }, DEFAULT_VIRUS_POLICY)
      if (decision === 'tag') tagged++
      if (decision === 'tag')
        for (const reason of new Set(because.map(reasonOf))) tags.set(reason, (tags.get(reason) ?? 0) + 1)
      if (decision === 'reject' && because.every(({ kind }) => kind === 'file')) forbidden++
      if (decision === 'reject' && because.some(({ kind }) => kind !== 'file'))
        refused.push(`${path}: ${because.slice(0, 3).map(factText).join('; ')}`)
    }
    t.diagnostic(
      `${messages} messages, ${forbidden} refused by type, ${tagged} tagged: ${JSON.stringify(Object.fromEntries(tags))}`,
    )
    assert.ok(messages > 100, 'too few messages in it')
    assert.deepEqual(refused, [])
  })
