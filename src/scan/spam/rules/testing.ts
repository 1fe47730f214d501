/** Messages for the tests of rules, and what the rules say of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { combine } from '../combine.ts'
import type { SpamAbout } from '../contract.ts'
import { lookAt } from '../look.ts'

export interface Made {
  readonly from?: string
  readonly to?: string
  readonly replyTo?: string
  readonly subject?: string
  readonly text?: string
  readonly html?: string
  readonly fields?: readonly string[]
}

export const made = ({ from, to, replyTo, subject, text, html, fields = [] }: Made): Buffer =>
  Buffer.from(
    [
      `From: ${from ?? 'Anna Beck <anna@bakery.example.net>'}`,
      `To: ${to ?? 'ben@mill.example.org'}`,
      ...(replyTo === undefined ? [] : [`Reply-To: ${replyTo}`]),
      `Subject: ${subject ?? 'Hello'}`,
      ...fields,
      'MIME-Version: 1.0',
      `Content-Type: text/${html === undefined ? 'plain' : 'html'}; charset=utf-8`,
      '',
      html ?? text ?? '',
      '',
    ].join('\r\n'),
  )

/** What is said, each with its weight. */
export const said = (mail: Made, about: SpamAbout = {}): ReadonlyMap<string, number> =>
  new Map(lookAt(made(mail), about).signs.map(({ symbol, weight }) => [symbol, weight]))

/** Points, by what the message says alone. */
export const points = (mail: Made, about: SpamAbout = {}): number =>
  combine({ signs: lookAt(made(mail), about).signs, silent: [], durationMs: 0 }).score

/** For each symbol a message that it must be said of, and one like it that it must not be said of. */
export function pairs(table: Readonly<Record<string, readonly [Made, Made]>>, about: SpamAbout = {}): void {
  for (const [symbol, [fires, misses]] of Object.entries(table))
    test(`${symbol}: said where it is so, and not beside it`, () => {
      assert.ok(said(fires, about).has(symbol), 'not said')
      assert.ok(!said(misses, about).has(symbol), 'said without reason')
    })
}
