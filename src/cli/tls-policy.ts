/** `vorposten tls-policy DOMAIN`: what the relay knows of a domain's MTA-STS policy (RFC 8461), and to fetch it anew. */
import { Command } from 'commander'
import { policyUrl } from '#deliver/mta-sts/fetch-policy.ts'
import type { StsRow } from './clerks/sts.ts'
import { EXIT } from './exit.ts'
import type { Ask } from './queue.ts'

interface Options {
  readonly refresh?: boolean
  readonly json?: boolean
}

export function tlsPolicyCommand(ask: Ask): Command {
  return new Command('tls-policy')
    .description('the MTA-STS policy of a domain that mail goes to, as the running relay keeps it')
    .argument('<domain>', 'a recipient domain')
    .option('--refresh', 'fetch it now')
    .option('--json', 'as JSON')
    .action(async (domain: string, { refresh, json }: Options) => {
      const about = refresh ? 'sts/refresh' : 'sts/show'
      const row = (await ask({ kind: 'desk', about, body: { domain } })) as StsRow
      process.stdout.write(`${json ? JSON.stringify(row) : textOf(row).join('\n')}\n`)
      if (refresh && row.failed !== undefined) process.exitCode = EXIT.later
    })
}

function textOf({ domain, record, kept, failed }: StsRow): string[] {
  const lines = [`record: ${recordText(domain, record)}`]
  if (kept === undefined) lines.push('policy: none is kept')
  else {
    lines.push(`policy: ${kept.mode}, for ${kept.mx.join(', ') || 'no host'}`)
    lines.push(`fetched: ${moment(kept.fetchedMs)} (id ${kept.id}); kept until ${moment(kept.expiresMs)}`)
  }
  if (failed !== undefined) lines.push(`last fetch from ${policyUrl(domain)} failed: ${printable(failed)}`)
  return lines
}

function recordText(domain: string, { kind, id, text }: StsRow['record']): string {
  const name = `_mta-sts.${domain}`
  if (kind === 'found') return `${name} has id ${id}`
  return kind === 'none' ? `${name} is none: no policy is looked for` : `nobody can say (${printable(text ?? '')})`
}

const moment = (ms: number): string => new Date(ms).toISOString()

// Strangers' text moves no cursor.
const printable = (text: string): string => text.replace(/[^\x20-\x7e\u00a1-\uffff]/g, '?')
