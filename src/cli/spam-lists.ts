/**
 * `vorposten spam lists`: whether each DNS list of the configuration is alive and answers us, and with `--check` what they say
 * of an address or a domain. Asks DNS itself, each time anew; the relay need not run.
 */
import { Command } from 'commander'
import type { Config } from '#config/config.ts'
import { addressSubject, isOnlyOurs } from '#scan/spam/lists/question-name.ts'
import { type ListReport, type ListsSaid, SpamLists } from '#scan/spam/lists/spam-lists.ts'
import { systemClock } from '#sys/clock.ts'
import { systemDns } from '#sys/resolver.ts'
import { EXIT, UserError } from './exit.ts'

interface Options {
  readonly check?: string
  readonly json?: boolean
}

export function spamListsCommand(config: () => Promise<Config>): Command {
  return new Command('lists')
    .description('whether each DNS list is alive and answers us, and what they say')
    .option('--check <subject>', 'what they say of an address or a domain')
    .option('--json', 'as JSON')
    .action(async ({ check, json }: Options) => {
      const { spam, nameServers } = await config()
      if (spam.lists.length === 0) {
        throw new UserError(
          'no DNS list is configured',
          'Write some under spam.lists; see docs/spam-lists.md.',
          EXIT.config,
        )
      }
      if (check !== undefined && addressSubject(check) !== undefined && isOnlyOurs(check)) {
        throw new UserError(
          `${check} is of a private network`,
          'Nobody outside knows it, so nobody is asked.',
          EXIT.data,
        )
      }
      const dns = systemDns(systemClock, () => nameServers)
      const lists = new SpamLists(spam.lists, { dns, clock: systemClock, random: Math.random })
      await lists.checked()
      const said = check === undefined ? undefined : await saidOf(lists, check)
      const reports = lists.reports()
      lists.close()
      const lines = json
        ? [JSON.stringify({ lists: reports.map(({ name, state }) => ({ name, ...state })), ...said }, undefined, 2)]
        : [...reports.map(reportLine), ...(said === undefined ? [] : ['', ...saidLines(check!, said)])]
      process.stdout.write(`${lines.join('\n')}\n`)
      process.exitCode = exitOf(reports)
    })
}

async function saidOf(lists: SpamLists, subject: string): Promise<ListsSaid> {
  const address = addressSubject(subject) !== undefined
  const all = await Promise.all([
    ...(address ? [lists.client(subject)] : [lists.sender([subject])]),
    lists.links([subject]),
  ])
  return { signs: all.flatMap(({ signs }) => signs), silent: [...new Set(all.flatMap(({ silent }) => silent))] }
}

function reportLine({ name, state }: ListReport): string {
  if (state.kind === 'aside') return `${name}: SET ASIDE: ${state.text}`
  if (state.kind === 'not-checked') return `${name}: not checked`
  return `${name}: well${state.families[6] === true ? ', with IPv6' : ''}`
}

function saidLines(subject: string, { signs }: ListsSaid): string[] {
  if (signs.length === 0) return [`${subject}: no list has it`]
  return [
    subject,
    ...signs.map(({ symbol, weight, detail }) => `  ${weight.toFixed(1).padStart(5)}  ${symbol}: ${detail}`),
  ]
}

function exitOf(reports: readonly ListReport[]): number {
  const ill = reports.flatMap(({ state }) => (state.kind === 'aside' ? [state.illness] : []))
  if (ill.some((illness) => illness !== 'silent')) return EXIT.unavailable
  return ill.length > 0 ? EXIT.later : EXIT.ok
}
