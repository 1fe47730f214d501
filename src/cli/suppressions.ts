/** `vorposten suppressions …`: to which addresses a tenant sends nothing, why, and until when. */
import { Command, InvalidArgumentError } from 'commander'
import type { Suppression } from '#store/suppressions.ts'
import type { Ask } from './queue.ts'

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

export function suppressionsCommand(ask: Ask): Command {
  const desk = (what: string, body: unknown) => ask({ kind: 'desk', about: `suppressions/${what}`, body })
  const command = new Command('suppressions').description('addresses that a tenant sends nothing to')
  command
    .command('list')
    .description('all that hold now')
    .option('--tenant <tenant>', 'of this tenant')
    .option('--json', 'one JSON object per line')
    .action(async ({ tenant, json }: { tenant?: string; json?: boolean }) => {
      let after: [string, string] = ['', '']
      for (;;) {
        const rows = (await desk('list', { after, ...(tenant !== undefined && { tenant }) })) as Suppression[]
        for (const row of rows) out(json ? JSON.stringify(row) : rowText(row))
        const last = rows.at(-1)
        if (last === undefined) break
        after = [last.tenant, last.address]
      }
      if (after[1] === '' && !json) out('There are none.')
    })
  command
    .command('add <tenant> <address>')
    .description('send nothing to this address')
    .option('--reason <text>', 'for whoever is refused', 'by order')
    .option('--days <days>', 'so long; without it until it is removed', daysOf)
    .action(async (tenant: string, address: string, { reason, days }: { reason: string; days?: number }) => {
      const body = { tenant, address, reason, ...(days !== undefined && { days }) }
      out(rowText((await desk('add', body)) as Suppression))
    })
  command
    .command('remove <tenant> <address>')
    .description('send to this address again')
    .action(async (tenant: string, typed: string) => {
      const { address } = (await desk('remove', { tenant, address: typed })) as { address: string }
      out(`${tenant} sends to ${address} again`)
    })
  return command
}

const WAYS = {
  session: 'its server said so to us',
  dsn: 'its server said so by mail',
  feedback: 'a feedback report said so',
} as const

function daysOf(text: string): number {
  const days = Number(text)
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days
  throw new InvalidArgumentError('Write a number of days, 1 to 3650.')
}

function rowText({ tenant, address, reason, text, source, evidence, sinceMs, untilMs, times }: Suppression): string {
  const until = untilMs === undefined ? 'until it is removed' : `until ${day(untilMs)}`
  const often = times > 1 ? `, ${times} times` : ''
  const how = source === 'operator' ? '' : `\n    ${[WAYS[source], evidence].filter(Boolean).join(': ')}`
  return `${address}  ${tenant}  ${reason} ${day(sinceMs)}${often}, ${until}\n    ${text}${how}`
}
