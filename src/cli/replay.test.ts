/** Kept messages by two policies: what changes is told, what does not is counted. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Config } from '#config/config.ts'
import { parseConfig } from '#config/parse.ts'
import { tempFolder } from '../../test/harness/temp-folder.ts'
import { changesOf, type Replayed, replay, replayedLine } from './replay.ts'

const MESSAGES = {
  'fee.eml': `From: "Barrister Okoro" <web@hosting.example>
Reply-To: okoro.chambers@gmail.com
To: undisclosed-recipients:;
Subject: URGENT BUSINESS PROPOSAL

Dear beneficiary, your late relative died without a next of kin and left $12,500,000.00 in a bank. Reply with your
bank account, so that the fund can be transferred. This is 100% risk free.
`,
  'letter.eml': `From: Anna Beck <anna@mill.example>
To: ben@bakery.example
Subject: Re: flour on Tuesday
Message-ID: <1@mill.example>
In-Reply-To: <2@bakery.example>
Date: Mon, 23 Nov 2026 10:00:00 +0100

Hello Ben, six sacks are on their way. Anna
`,
}

function configFor(folder: string, spam: string): Config {
  const read = parseConfig(
    `hostname: mx1.relay.example
data-folder: ${join(folder, 'data')}
listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}
tenants: {bakery: {postmaster: p@bakery.example, domains: {bakery.example: {deliver-to: 192.0.2.9, spam: ${spam}}}}}
`,
    'v',
  )
  assert.ok(read.ok)
  return read.config
}

async function replayed(folder: string, before: string, after: string) {
  const both = [configFor(folder, before), configFor(folder, after)] as const
  const changed: Replayed[] = []
  const all = replay([join(folder, 'mail')], both, 'ben@bakery.example')
  for (;;) {
    const { done, value } = await all.next()
    if (done) return { changed, count: value }
    changed.push(value)
  }
}

test('what would be another verdict is told with the setting that makes it so', async () => {
  using folder = tempFolder('replay')
  mkdirSync(join(folder.path, 'mail'))
  for (const [name, text] of Object.entries(MESSAGES)) writeFileSync(join(folder.path, 'mail', name), text)
  const { changed, count } = await replayed(folder.path, '{reject-at: off}', '{reject-at: off, quarantine-at: 6}')
  assert.equal(count, 2)
  assert.deepEqual(changesOf(changed), ['tag → quarantine: 1'])
  assert.match(
    replayedLine(changed[0]!),
    /^tag → quarantine {2}[\d.]+ points, \w+ {2}\S*fee\.eml {2}\(quarantine-at: 6, by /,
  )
  const same = await replayed(folder.path, '{}', '{}')
  assert.deepEqual([same.changed, same.count], [[], 2])
  const off = await replayed(folder.path, '{}', '{filter: false}')
  assert.deepEqual(
    off.changed.map(({ after }) => after.decision),
    ['pass'],
  )
})

test('of a recipient who is not of ours there is nothing to compare', async () => {
  using folder = tempFolder('replay')
  const config = configFor(folder.path, '{}')
  await assert.rejects(replay([], [config, config], 'x@elsewhere.example').next(), /is not of ours/)
})
