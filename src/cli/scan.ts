/**
 * `vorposten scan FILE|-`: the verdict of the virus wall on a message from disk, with every fact, by the engines of the
 * configuration and always by the embedded one. Nothing is sent, counted or kept. Without a configuration file the embedded
 * engine looks alone, and the default policy decides.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { readFullDomain } from '#config/units.ts'
import { content } from '#mail/content.ts'
import { factText, type ScanResult } from '#mail/scan.ts'
import { judgeScan, refusalText, type VirusVerdict } from '#policy/virus.ts'
import { decidedBy, policyLines } from '#policy/virus-explained.ts'
import { systemClock } from '#sys/clock.ts'
import type { Directory, Way } from '#tenant/directory.ts'
import { domainFor } from '#tenant/recipient-policies.ts'
import { DEFAULT_VIRUS_POLICY, type VirusPolicy } from '#tenant/virus-policy.ts'
import { wallOf } from './assemble-scanning.ts'
import { EXIT, UserError } from './exit.ts'
import { forwardPathOf } from './paths.ts'

interface ScanOptions {
  readonly recipient?: string
  readonly domain?: string
  readonly outgoing?: string
  readonly json?: boolean
}

const EXITS: Readonly<Record<VirusVerdict['decision'], number>> = {
  clean: EXIT.ok,
  tag: EXIT.ok,
  defer: EXIT.later,
  quarantine: EXIT.unavailable,
  reject: EXIT.unavailable,
}

const WORDS: Readonly<Record<VirusVerdict['decision'], string>> = {
  clean: 'clean: it would be delivered as it is',
  tag: 'tag: it would be delivered with a field that says what was found',
  quarantine: 'quarantine: it would be kept for a person to decide; its sender would hear 250',
  defer: 'defer: its sender would hear 451 4.7.1 and try again',
  reject: 'reject: its sender would hear 550 5.7.1',
}

export function scanCommand(config: () => Promise<Config>, configFile: () => string): Command {
  return new Command('scan')
    .description('the verdict of the virus wall on a message, explained; nothing is sent')
    .argument('<message>', 'file with the message, - for standard input')
    .option('--recipient <address>', 'by the policy of this recipient')
    .option('--domain <name>', 'by the policy of this domain')
    .option('--outgoing <tenant>', 'by the policy of what this tenant sends')
    .option('--json', 'as JSON')
    .action(async (file: string, options: ScanOptions) => {
      const octets = file === '-' ? Buffer.concat(await Array.fromAsync(process.stdin)) : await readFile(file)
      const read = existsSync(configFile()) ? await config() : undefined
      const policy = policyFor(read, options)
      const wall = wallOf({ embedded: true, engines: read?.virus.engines ?? [] }, systemClock)
      const result = await wall.scan(content([octets]))
      await wall.close()
      const verdict = judgeScan(result, policy)
      const by = decidedBy(verdict, policy)
      const shown = { decision: verdict.decision, because: verdict.because, by, policy, ...result }
      const text = [...linesOf(verdict, result, by), ...(isOfSomebody(options) ? policyText(policy) : [])].join('\n')
      process.stdout.write(`${options.json ? JSON.stringify(shown, undefined, 2) : text}\n`)
      process.exitCode = EXITS[verdict.decision]
    })
}

const isOfSomebody = ({ recipient, domain, outgoing }: ScanOptions): boolean =>
  (recipient ?? domain ?? outgoing) !== undefined

function policyFor(config: Config | undefined, options: ScanOptions): VirusPolicy {
  const { recipient, domain, outgoing } = options
  if (!isOfSomebody(options)) return DEFAULT_VIRUS_POLICY
  if (config === undefined) throw new UserError('there is no configuration file', 'Name it with --config', EXIT.config)
  const way = wayFor(directoryFrom(config), options)
  if (way !== undefined) return way.virus ?? DEFAULT_VIRUS_POLICY
  const what = outgoing === undefined ? `${recipient ?? domain} is not of ours` : `${outgoing} has no outbound settings`
  throw new UserError(what, 'See vorposten check-config', EXIT.unavailable)
}

function wayFor(directory: Directory, { recipient, domain, outgoing }: ScanOptions): Way | undefined {
  if (outgoing !== undefined) return directory.outboundOf(outgoing)
  if (recipient === undefined) return directory.domain(readFullDomain(domain ?? '') ?? '')
  const path = forwardPathOf(recipient, '--recipient')
  const name = path.kind === 'mailbox' && path.mailbox.domain.kind === 'name' ? path.mailbox.domain.ascii : ''
  const served = directory.domain(name)
  return served && domainFor(served, path)
}

function linesOf(verdict: VirusVerdict, { facts, cleanBy, durationMs }: ScanResult, by: readonly string[]): string[] {
  const { because, decision } = verdict
  const lines = [WORDS[decision]]
  if (decision === 'reject') lines.push(`  ${refusalText(verdict)}`)
  lines.push(
    ...because.map((fact) => `  because: ${factText(fact)}`),
    ...by.map((setting) => `  decided by ${setting}`),
  )
  lines.push(...facts.filter((fact) => !because.includes(fact)).map((fact) => `  also: ${factText(fact)}`))
  if (cleanBy.length > 0) lines.push(`  looked at all of it and found nothing: ${cleanBy.join(', ')}`)
  return [...lines, `  ${Math.round(durationMs)} ms`]
}

const policyText = (policy: VirusPolicy): string[] => [
  'the policy:',
  ...policyLines(policy, 'all').map((line) => `  ${line}`),
]
