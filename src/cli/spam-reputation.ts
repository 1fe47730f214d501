/** `vorposten spam reputation …`: what the spam filter remembers of a sender, and what it would say of his mail. */
import { Command } from 'commander'
import { MEMORY_SYMBOLS } from '#scan/spam/memory/signs.ts'
import type { ReputationAnswer, ReputationRow } from './clerks/spam-memory.ts'
import type { Ask } from './queue.ts'

const out = (text: string): void => void process.stdout.write(`${text}\n`)

export function reputationCommand(ask: Ask): Command {
  return new Command('reputation')
    .description('what the spam filter remembers of an address, a domain or the network of a client')
    .argument('<sender>', 'anna@shop.example, shop.example, 192.0.2.7')
    .option('--tenant <tenant>', 'also what this tenant alone remembers')
    .option('--json', 'as JSON')
    .action(async (subject: string, { tenant, json }: { tenant?: string; json?: boolean }) => {
      const body = { subject, ...(tenant !== undefined && { tenant }) }
      const answer = (await ask({ kind: 'desk', about: 'spam-memory/reputation', body })) as ReputationAnswer
      for (const line of json ? [JSON.stringify(answer)] : reputationLines(answer, tenant)) out(line)
    })
}

export function reputationLines({ rows, signs, daysWritten }: ReputationAnswer, tenant?: string): string[] {
  const known = rows.length === 0 ? ['Nothing is remembered.'] : rows.map(rowText)
  const written =
    daysWritten === undefined
      ? []
      : [`${tenant} wrote there ${daysWritten === 0 ? 'on no day' : `on ${days(daysWritten)}`}`]
  return [...known, ...written, ...signs.map(signText)]
}

const days = (count: number): string => (count === 1 ? 'one day' : `${count} days`)

function rowText({ sender, tenant, counts }: ReputationRow): string {
  const count = (n: number) => n.toFixed(1)
  const { good, bad, sureGood, sureBad, sinceMs } = counts
  const whose = tenant ?? 'all tenants'
  const since = new Date(sinceMs).toISOString().slice(0, 10)
  return `${sender.kind} ${sender.name}  ${whose}: ${count(good)} good and ${count(bad)} bad by verdicts, ${count(sureGood)} good and ${count(sureBad)} bad for sure, since ${since}`
}

function signText({ symbol, strength = 1 }: ReputationAnswer['signs'][number]): string {
  const { weight, en } = MEMORY_SYMBOLS[symbol as keyof typeof MEMORY_SYMBOLS]
  return `${(weight * strength).toFixed(1)}  ${symbol}: ${en}`
}
