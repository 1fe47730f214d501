/**
 * The account that ends each scenario: what was promised to senders, what reached the customer's server, what was
 * refused, what is held. The relay's own figures (/metrics) stand beside what the sinks have seen. They begin again with
 * each worker process, so a story with a `kill -9` counts from the last one.
 */
import assert from 'node:assert/strict'
import type { Sink } from './sink.ts'
import type { Vorposten } from './vorposten.ts'

export interface Account {
  /** Messages answered 250. */
  readonly accepted: number
  /** Messages that the sinks took. */
  readonly delivered: number
  /** Refusals, 4yz and 5yz, at any step. */
  readonly refused: number
  /** Recipients held instead of bounced. */
  readonly held: number
}

/** Fails unless the story ends so; and in every story the relay itself has sent nobody anything (law 2). */
export async function assertAccount(relay: Vorposten, sinks: readonly Sink[], expected: Account): Promise<void> {
  const { text } = await relay.get('/metrics')
  const account: Account = {
    accepted: total(text, 'vorposten_messages_accepted_total'),
    delivered: sinks.reduce((sum, sink) => sum + sink.accepted.length, 0),
    refused: total(text, 'vorposten_refused_total'),
    held: total(text, 'vorposten_held_total'),
  }
  assert.deepEqual(account, expected, `the account\n${relay.log().slice(-40).join('\n')}`)
  assert.equal(total(text, 'vorposten_dsn_emitted_total'), 0)
}

function total(text: string, family: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${family}{`) || line.startsWith(`${family} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
