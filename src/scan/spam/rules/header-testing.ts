/** Messages for the tests of the rules: an ordinary one, in which a test changes what it is about. */
import type { SpamAbout, SpamRules } from '../contract.ts'
import { readMessage } from '../message.ts'

const ORDINARY: Readonly<Record<string, string>> = {
  Received:
    'from mail.bakery.example (mail.bakery.example [192.0.2.7]) by mx.example.net with ESMTPS id 7; Mon, 5 Jan 2026 10:00:05 +0000',
  From: 'Anna Beck <anna.beck@bakery.example>',
  To: 'Bert Carl <bert@example.net>',
  Subject: 'Minutes of Monday',
  Date: 'Mon, 5 Jan 2026 11:00:00 +0100',
  'Message-ID': '<1.2@bakery.example>',
  'MIME-Version': '1.0',
  'Content-Type': 'text/plain; charset=utf-8',
}

/** `fields`: put in place of the ordinary ones or behind them; undefined takes one away. */
export function mail(
  fields: Readonly<Record<string, string | undefined>> = {},
  body = 'Hello Bert,\r\nsee below.\r\n',
): string {
  const lines = Object.entries({ ...ORDINARY, ...fields })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`)
  return `${lines.join('')}\r\n${body}`
}

export const html = (body: string, type = 'text/html; charset=utf-8') => [{ 'Content-Type': type }, body] as const

/** Each part with its own fields. */
export const multipart = (
  kind: string,
  parts: readonly string[],
  boundary = 'b1',
): readonly [Record<string, string>, string] => [
  { 'Content-Type': `multipart/${kind}; boundary=${boundary}` },
  `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`,
]

/** What the rules say of it: details by symbol. */
export function said(rules: SpamRules, message: string, about: SpamAbout = {}): Map<string, string> {
  const found = new Map<string, string>()
  for (const { symbol, detail } of rules.look(readMessage(Buffer.from(message)), about)) {
    if (!(symbol in rules.symbols)) throw new Error(`${symbol} has no meaning`)
    found.set(symbol, detail ?? '')
  }
  return found
}
