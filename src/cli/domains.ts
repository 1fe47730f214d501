/**
 * `vorposten domains …`: domains that tenants may send as although they are not served here, and the records by which their
 * owners say so. All of it is asked of the running program.
 */
import { Command } from 'commander'
import type { DomainRow, DomainState } from './clerks/domains.ts'
import { EXIT } from './exit.ts'
import { type Ask, rough } from './queue.ts'

interface Options {
  readonly json?: boolean
}

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const JSON_LINES = ['--json', 'one JSON object per line'] as const

const STATES: Readonly<Record<DomainState, string>> = {
  verified: 'may be sent as',
  going: 'may be sent as for now, but its record is gone',
  unverified: 'may not be sent as: its record was not seen',
}

export function domainsCommand(ask: Ask): Command {
  const rows = async (what: string, body: object) =>
    (await ask({ kind: 'desk', about: `domains/${what}`, body })) as DomainRow[]
  const domains = new Command('domains').description('domains that tenants may send as, and that are not served here')
  domains
    .command('list')
    .description('all of them, and whether their owners agree')
    .option(...JSON_LINES)
    .action(async ({ json }: Options) => {
      const all = await rows('list', {})
      if (all.length === 0 && !json) out('No tenant has sender domains (outbound.sender-domains).')
      for (const row of all) out(json ? JSON.stringify(row) : rowText(row))
    })
  domains
    .command('show <domain>')
    .description('the record to publish, and what DNS was last seen to say')
    .option(...JSON_LINES)
    .action(async (domain: string, { json }: Options) => show(await rows('show', { domain }), json))
  domains
    .command('verify <domain>')
    .description('look for the record now')
    .option(...JSON_LINES)
    .action(async (domain: string, { json }: Options) => {
      const looked = await rows('verify', { domain })
      show(looked, json)
      if (looked.some(({ found }) => found?.startsWith('unknown'))) process.exitCode = EXIT.later
      else if (looked.some(({ found }) => found !== 'there')) process.exitCode = EXIT.unavailable
    })
  return domains
}

function show(rows: readonly DomainRow[], json?: boolean): void {
  for (const row of rows) {
    out(json ? JSON.stringify(row) : rowText(row))
    if (json) continue
    out(row.zoneLine)
    out(`; in one piece, for ${row.recordName}:`)
    out(`; ${row.record}`)
  }
}

function rowText({ tenant, domain, state, found, foundAgeMs = 0, revokedInMs }: DomainRow): string {
  const seen = found === undefined ? 'not looked up yet' : `${found} (${rough(foundAgeMs)} ago)`
  const end = revokedInMs === undefined ? '' : `; no more in ${rough(revokedInMs)}`
  return `${tenant}: ${domain}: ${STATES[state]}; ${seen}${end}`
}
