/**
 * `vorposten recipients …`: what is known about who exists, where it comes from and how old it is; forgetting it; asking
 * the customer's server now. `show` also works while the relay is down, from its store.
 */
import { Command } from 'commander'
import type { RecipientAnswer } from '#recipients/knowledge.ts'
import type { ControlRequest } from './control.ts'
import { EXIT, UserError } from './exit.ts'
import { rough } from './queue.ts'
import type { Shown } from './recipients-show.ts'

/** Sends a request to the running program. */
export type Ask = (request: ControlRequest) => Promise<unknown>

const out = (text: string): void => void process.stdout.write(`${text}\n`)

export function recipientsCommand(ask: Ask): Command {
  const recipients = new Command('recipients').description('what is known about who exists')
  const desk = (what: string, body: unknown) => ask({ kind: 'desk', about: `recipients/${what}`, body })
  recipients
    .command('show <address|domain>')
    .description('what is known, who said so, and how old it is')
    .option('--json', 'as JSON')
    .action(async (subject: string, options) => {
      const shown = (await desk('show', { subject })) as Shown
      out(options.json === true ? JSON.stringify(shown) : shownText(shown))
    })
  recipients
    .command('flush [address|domain]')
    .description('forget what was learned, in all workers at once')
    .option('--all', 'everything, of all tenants')
    .action(async (subject: string | undefined, options) => {
      if ((subject === undefined) === (options.all !== true)) {
        const problem = subject === undefined ? 'nothing is named' : 'both an address or domain and --all are given'
        throw new UserError(`recipients flush: ${problem}`, 'Name an address or a domain, or say --all.', EXIT.config)
      }
      const { forgotten } = (await desk('flush', subject === undefined ? {} : { subject })) as { forgotten: number }
      out(`${forgotten} ${forgotten === 1 ? 'recipient' : 'recipients'} forgotten`)
    })
  recipients
    .command('probe <address>')
    .description("ask the customer's server now, whatever is known; the answer is remembered")
    .option('--json', 'as JSON')
    .action(async (subject: string, options) => {
      const answer = (await desk('probe', { subject })) as RecipientAnswer
      out(options.json === true ? JSON.stringify(answer) : answerText(subject, answer))
      if (answer.kind === 'unreachable') process.exitCode = EXIT.unavailable
    })
  // Lists (import, export) add their commands here.
  return recipients
}

function answerText(address: string, answer: RecipientAnswer): string {
  if (answer.kind === 'unreachable') return `${address}: nobody can say now: ${answer.text}`
  return `${address}: ${answer.kind}`
}

const ASKED = {
  listed: 'a list in the configuration',
  directory: 'an imported list',
  live: "the customer's server, asked live",
  'accept-all': 'nobody: every recipient is accepted',
} as const
const TAUGHT = { callout: 'a callout', delivery: 'a delivery', outgoing: "the tenant's outgoing mail" } as const

export function shownText(shown: Shown): string {
  const { domain, address, served, listed, learned, takesAll, counts } = shown
  const lines = [address ?? domain]
  if (served === undefined) lines.push(`  ${domain} is not served here`)
  else {
    lines.push(`  tenant ${served.tenant}, route ${served.route}`, `  who knows: ${ASKED[served.source]}`)
    if (served.trouble !== undefined) lines.push(`  not asked at the moment: ${served.trouble}`)
  }
  if (listed !== undefined) lines.push(`  ${listed ? 'on the list' : 'not on the list'}`)
  if (learned !== undefined) lines.push(`  ${learnedText(learned)}`)
  else if (address !== undefined) lines.push('  nothing was learned about it')
  if (takesAll !== undefined) lines.push(`  ${takesAllText(takesAll)}`)
  if (takesAll?.takesAll === true && learned?.source === 'callout') lines.push('  so that callout says little')
  if (counts !== undefined) lines.push(`  learned: ${counts.known} known, ${counts.unknown} unknown`)
  return lines.join('\n')
}

function learnedText({ state, source, ageMs, holds, stale, holdsForMs }: NonNullable<Shown['learned']>): string {
  const head = `${state}, learned ${ago(ageMs)} from ${TAUGHT[source]}`
  if (!holds) return `${head}; it does not hold any more`
  return `${head}; holds for another ${rough(holdsForMs)}${stale ? ', and is confirmed at the next occasion' : ''}`
}

function takesAllText({ takesAll, ageMs, stale }: NonNullable<Shown['takesAll']>): string {
  const found = takesAll ? 'its server takes every address' : 'its server refuses unknown addresses'
  return `${found} (found ${ago(ageMs)}${stale ? ', to be tested again' : ''})`
}

const ago = (ms: number): string => `${rough(ms)} ago`
