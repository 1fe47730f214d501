/**
 * What all campaigns have in common. A campaign plays one large attack or fault against the real program, and makes the
 * account afterwards: what the clients heard, what every sink got, what the program says of itself. It never throws for
 * a wrong account; `faults` says what is wrong, so that a run of minutes tells everything at once.
 */
import assert from 'node:assert/strict'

export interface CampaignOptions {
  /** About so many messages, or RCPT commands where the campaign is about those. */
  readonly messages: number
  readonly told: (line: string) => void
}

export interface Account {
  readonly figures: { readonly [name: string]: number }
  /** Empty: every promise was kept. */
  readonly faults: readonly string[]
}

export type Campaign = (options: CampaignOptions) => Promise<Account>

/** Collects what is wrong. */
export class Faults {
  readonly found: string[] = []

  equal(what: string, actual: number, expected: number): void {
    if (actual !== expected) this.found.push(`${what}: ${actual} instead of ${expected}`)
  }

  atMost(what: string, actual: number, max: number): void {
    if (!(actual <= max)) this.found.push(`${what}: ${actual}, at most ${max}`)
  }

  /** Shows the first of them. */
  none(what: string, examples: readonly string[]): void {
    if (examples.length > 0)
      this.found.push(`${what}: ${examples.length}, the first: ${examples.slice(0, 3).join(' | ')}`)
  }
}

/** Sum over the labels of a metric family, in the text of /metrics. */
export function total(metrics: string, family: string, label = ''): number {
  return metrics
    .split('\n')
    .filter((line) => (line.startsWith(`${family}{`) || line.startsWith(`${family} `)) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** For the short forms that run with every `npm test`. */
export async function assertPassed(campaign: Campaign, messages: number): Promise<Account> {
  const account = await campaign({ messages, told: () => {} })
  assert.deepEqual(account.faults, [], JSON.stringify(account.figures))
  return account
}

export function accountText({ figures, faults }: Account): string {
  const lines = Object.entries(figures).map(([name, figure]) => `${name.padEnd(48)} ${figure}`)
  const end = faults.length === 0 ? 'passed' : `FAILED\n${faults.map((fault) => `  ${fault}`).join('\n')}`
  return [...lines, end].join('\n')
}
