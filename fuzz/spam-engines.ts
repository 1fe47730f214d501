/**
 * Fuzzes the readers of what Rspamd and spamd answer: whatever a server says, cut into whatever pieces, they never throw, say
 * the same for every cut, and give a verdict only for an answer that says one, within its bounds.
 */

import type { EngineSaid } from '#scan/spam/engines/contract.ts'
import { type AnswerReader, countedConversation } from '#scan/spam/engines/counted-answer.ts'
import { RSPAMD_READER } from '#scan/spam/engines/rspamd.ts'
import { SPAMD_READER } from '#scan/spam/engines/spamd.ts'
import { WEIGHT_MAX } from '#scan/spam/engines/weight.ts'
import { type Chance, chances } from './made-mail.ts'

const JSON_BODY =
  '{"is_skipped":false,"score":7.5,"required_score":15.0,"action":"add header","symbols":{"A":{"score":7.5}}}'
const ANSWERS = [
  ['HTTP/1.1 200 OK\r\n', `Content-Length: ${JSON_BODY.length}\r\n`, 'Server: rspamd\r\n', '\r\n', JSON_BODY],
  ['SPAMD/1.1 0 EX_OK\r\n', 'Content-length: 3\r\n', 'Spam: True ; 7.5 / 5.0\r\n', '\r\n', 'A,B'],
]
const PIECES = [
  ...ANSWERS.flat(),
  'HTTP/1.1 500 No\r\n',
  'SPAMD/1.0 79 Timeout: x\r\n',
  'Spam: False ; 7.5 / 5.0\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 1000000\r\n',
  'Content-Length: -1\r\n',
  ' folded\r\n',
  'Transfer-Encoding: chunked\r\n',
  '"score":1e999,',
  '"required_score":-1,',
  '"action":"constructor",',
  '{',
  '}',
  '\r\n',
  '\n',
  '\0',
  '\xff',
  'x'.repeat(300),
]

type Answer = ReturnType<ReturnType<typeof countedConversation<EngineSaid>>['hear']>

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, [RSPAMD_READER, SPAMD_READER])
}

/** A reader that takes any answer with a body for a verdict. */
export function canary(): void {
  const gullible: AnswerReader<EngineSaid> = {
    server: 'x',
    first: () => undefined,
    read: (_, body) => ({ kind: 'judged', weight: body.length, text: '', delays: false }),
  }
  run(1, 2_000, [gullible])
}

function run(seed: number, iterations: number, readers: readonly AnswerReader<EngineSaid>[]): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const text = answerText(chance)
    const octets = Buffer.from(text, 'latin1')
    const sentAll = chance(4) > 0
    for (const reader of readers) {
      // What goes on behind its end is heard of only if it comes along with it.
      const whole = heard(reader, octets, sentAll, () => octets.length)
      const inPieces = heard(reader, octets, sentAll, () => chance(chance(2) === 0 ? 2 : 60))
      if (whole?.kind !== 'garbled' && JSON.stringify(whole) !== JSON.stringify(inPieces))
        throw new Error(`${JSON.stringify({ text, sentAll, whole, inPieces })}: another word in pieces`)
      check(text, sentAll, whole)
      check(text, sentAll, inPieces)
    }
  }
}

function heard(reader: AnswerReader<EngineSaid>, octets: Buffer, sentAll: boolean, cut: () => number): Answer {
  const conversation = countedConversation<EngineSaid>([], reader)
  for (let at = 0; at < octets.length; ) {
    const next = Math.min(octets.length, at + 1 + cut())
    const answer = conversation.hear(octets.subarray(at, next), sentAll)
    if (answer !== undefined) return answer
    at = next
  }
  return conversation.closed(sentAll)
}

function check(text: string, sentAll: boolean, answer: Answer): void {
  if (answer?.kind !== 'judged') return
  const hasAll = ['"action"', '"score"', 'HTTP/1.'].every((piece) => text.includes(piece))
  const mayBe = sentAll && (hasAll || (/^SPAMD\/1\.\d 0 /.test(text) && /Spam:\s*(?:True|False) ; /i.test(text)))
  if (!mayBe || !(Math.abs(answer.weight) <= WEIGHT_MAX))
    throw new Error(`${JSON.stringify({ text, sentAll, answer })}: judged`)
}

/** Half of the time an answer as it should be, with something put in, taken out or changed. */
function answerText(chance: Chance): string {
  const pieces = chance(3) === 0 ? [] : [...ANSWERS[chance(2)]!]
  for (let n = chance(pieces.length === 0 ? 9 : 3); n > 0; n--)
    pieces.splice(chance(pieces.length + 1), chance(4) === 0 ? 1 : 0, PIECES[chance(PIECES.length)]!)
  const text = pieces.join('')
  const at = chance(text.length + 1)
  return chance(3) === 0 ? text.slice(0, at) + String.fromCharCode(chance(256)) + text.slice(at + chance(2)) : text
}
