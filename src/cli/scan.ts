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
import { systemClock } from '#sys/clock.ts'
import { DEFAULT_VIRUS_POLICY, type VirusPolicy } from '#tenant/virus-policy.ts'
import { wallOf } from './assemble-scanning.ts'
import { EXIT, UserError } from './exit.ts'

interface ScanOptions {
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
      const shown = { decision: verdict.decision, because: verdict.because, ...result }
      process.stdout.write(options.json ? `${JSON.stringify(shown, undefined, 2)}\n` : textOf(verdict, result))
      process.exitCode = EXITS[verdict.decision]
    })
}

function policyFor(config: Config | undefined, { domain, outgoing }: ScanOptions): VirusPolicy {
  if (domain === undefined && outgoing === undefined) return DEFAULT_VIRUS_POLICY
  if (config === undefined) throw new UserError('there is no configuration file', 'Name it with --config', EXIT.config)
  const directory = directoryFrom(config)
  const name = outgoing ?? domain!
  const way = outgoing === undefined ? directory.domain(readFullDomain(name) ?? '') : directory.outboundOf(outgoing)
  if (way === undefined)
    throw new UserError(
      outgoing === undefined ? `${name} is not a domain of ours` : `${name} has no outbound settings`,
      'See vorposten check-config',
      EXIT.unavailable,
    )
  return way.virus ?? DEFAULT_VIRUS_POLICY
}

function textOf(verdict: VirusVerdict, { facts, cleanBy, durationMs }: ScanResult): string {
  const { because, decision } = verdict
  const lines = [WORDS[decision], ...(decision === 'reject' ? [`  ${refusalText(verdict)}`] : [])]
  lines.push(...because.map((fact) => `  because: ${factText(fact)}`))
  const others = facts.filter((fact) => !because.includes(fact))
  lines.push(...others.map((fact) => `  also: ${factText(fact)}`))
  if (cleanBy.length > 0) lines.push(`  looked at all of it and found nothing: ${cleanBy.join(', ')}`)
  return `${[...lines, `  ${Math.round(durationMs)} ms`].join('\n')}\n`
}
