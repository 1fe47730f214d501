/** The limits of one login (R7), as options of `vorposten credentials add` and `limit`, and as operators read them. */
import type { Command } from 'commander'
import type { OwnLimits } from '#tenant/directory.ts'
import type { AskedLimits } from './clerks/credential-limits.ts'
import { EXIT, UserError } from './exit.ts'

export interface LimitOptions {
  readonly per10Minutes?: number
  readonly perDay?: number
  readonly toOneDomainPer10Minutes?: number
  readonly toOneDomainPerDay?: number
  /** None of its own but those that are named. */
  readonly asTenant?: boolean
}

const NAMES = ['per10Minutes', 'perDay', 'toOneDomainPer10Minutes', 'toOneDomainPerDay'] as const
const AS_TENANT: AskedLimits = Object.fromEntries(NAMES.map((name) => [name, null]))

export const withLimits = (command: Command): Command =>
  command
    .option('--per-10-minutes <recipients>', 'recipients within 10 minutes', recipients)
    .option('--per-day <recipients>', 'recipients within 24 hours', recipients)
    .option('--to-one-domain-per-10-minutes <recipients>', 'of any one recipient domain', recipients)
    .option('--to-one-domain-per-day <recipients>', 'of any one recipient domain', recipients)

export function limitsIn(options: LimitOptions): AskedLimits {
  const named = NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]])
  return { ...(options.asTenant && AS_TENANT), ...Object.fromEntries(named) }
}

/** Empty: the login has none of its own. */
export function ownLimitsText(limits: OwnLimits = {}): string {
  const { per10Minutes, perDay, toOneDomainPer10Minutes, toOneDomainPerDay } = limits
  const counts = [
    ...(per10Minutes === undefined ? [] : [`${per10Minutes} in 10 min`]),
    ...(perDay === undefined ? [] : [`${perDay} a day`]),
    ...(toOneDomainPer10Minutes === undefined ? [] : [`${toOneDomainPer10Minutes} in 10 min to one domain`]),
    ...(toOneDomainPerDay === undefined ? [] : [`${toOneDomainPerDay} a day to one domain`]),
  ]
  return counts.length === 0 ? '' : `recipients: at most ${counts.join(', ')}`
}

function recipients(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text)
  throw new UserError(`${text} is no number of recipients`, 'Write a whole number from 1 on.', EXIT.data)
}
