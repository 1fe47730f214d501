/**
 * `vorposten tls-policy DOMAIN`: what the domain publishes about TLS with its hosts: by DANE, asked of DNS now, and by MTA-STS, as
 * the running relay keeps it; and what follows for mail.
 */
import { Command } from 'commander'
import { policyUrl } from '#deliver/mta-sts/fetch-policy.ts'
import type { HostTls } from '#deliver/published-tls.ts'
import type { StsRow } from './clerks/sts.ts'
import { EXIT } from './exit.ts'
import type { Ask } from './queue.ts'

interface Options {
  readonly refresh?: boolean
  readonly json?: boolean
}

export function tlsPolicyCommand(ask: Ask): Command {
  return new Command('tls-policy')
    .description('what a domain that mail goes to says about TLS (DANE, MTA-STS), and what follows')
    .argument('<domain>', 'a recipient domain')
    .option('--refresh', 'fetch the MTA-STS policy now')
    .option('--json', 'as JSON')
    .action(async (domain: string, { refresh, json }: Options) => {
      const about = refresh ? 'sts/refresh' : 'sts/show'
      const row = (await ask({ kind: 'desk', about, body: { domain } })) as StsRow
      process.stdout.write(`${json ? JSON.stringify(row) : textOf(row).join('\n')}\n`)
      if (refresh && row.failed !== undefined) process.exitCode = EXIT.later
    })
}

function textOf({ domain, record, kept, failed, published }: StsRow): string[] {
  const lines = [...daneTexts(published), `record: ${recordText(domain, record)}`]
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

function daneTexts({ text, hosts }: StsRow['published']): string[] {
  if (text !== undefined) return [`hosts: none: ${printable(text)}`]
  return hosts.flatMap((host) => [
    `${host.host}: ${daneText(host)}`,
    ...host.records.map((record) => `    TLSA ${record}`),
  ])
}

function daneText({ dane, base, text, records, mxSecure, recordsSecure }: HostTls): string {
  switch (dane) {
    case 'dane':
      return `DANE (TLSA records of ${base}): TLS, with a certificate that matches, or mail waits; MTA-STS does not count`
    case 'encrypt':
      return 'DANE with records that nobody can use: TLS with whatever certificate, or what MTA-STS wants'
    case 'unknown':
      return `nobody can say what DANE wants, so it gets no mail now: ${printable(text ?? '')}`
    case 'none': {
      if (records.length === 0) return 'no TLSA records: MTA-STS counts, if there is a policy'
      const what = !mxSecure ? 'MX record' : recordsSecure ? 'address' : 'TLSA records'
      return `TLSA records that do not count, since its ${what} cannot be verified with DNSSEC: MTA-STS counts, if there is a policy`
    }
  }
}

const moment = (ms: number): string => new Date(ms).toISOString()

// Strangers' text moves no cursor.
const printable = (text: string): string => text.replace(/[^\x20-\x7e\u00a1-\uffff]/g, '?')
