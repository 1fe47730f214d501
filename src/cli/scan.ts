/**
 * `vorposten scan FILE|-`: the verdicts of the virus wall and of the spam filter on a message from disk, with every fact and
 * every sign, by the engines of the configuration and always by our own. `--lines`: the spam filter's alone, a line of JSON for
 * each message of files, folders and mailboxes. Nothing is sent, counted or kept. Without a configuration file the embedded
 * engine looks alone, and the default policy decides.
 */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { readFullDomain } from '#config/units.ts'
import type { ForwardPath } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import { factText, type ScanResult } from '#mail/scan.ts'
import { policyLines } from '#policy/policy-explained.ts'
import { judgeScan, refusalText, type VirusVerdict } from '#policy/virus.ts'
import { decidedBy } from '#policy/virus-explained.ts'
import type { Models } from '#scan/spam/classifier/models.ts'
import type { Wall } from '#scan/wall.ts'
import { systemClock } from '#sys/clock.ts'
import type { Directory, Tenant, Way } from '#tenant/directory.ts'
import { domainFor } from '#tenant/recipient-policies.ts'
import { DEFAULT_SPAM_POLICY } from '#tenant/spam-policy.ts'
import { DEFAULT_VIRUS_POLICY, type VirusPolicy } from '#tenant/virus-policy.ts'
import { type Stripped, strip } from '../relay/stripping.ts'
import { wallOf } from './assemble-scanning.ts'
import { EXIT, UserError } from './exit.ts'
import { readMessage } from './message-file.ts'
import { messagesIn } from './message-files.ts'
import { forwardPathOf } from './paths.ts'
import { modelsOf, SPAM_LANGUAGES, type SpamLanguage, spamLines, spamOf, spamShown } from './scan-spam.ts'

interface ScanOptions {
  readonly recipient?: string
  readonly domain?: string
  readonly outgoing?: string
  readonly json?: boolean
  readonly lines?: boolean
  readonly language: SpamLanguage
}

const EXITS: Readonly<Record<VirusVerdict['decision'], number>> = {
  clean: EXIT.ok,
  tag: EXIT.ok,
  strip: EXIT.ok,
  defer: EXIT.later,
  quarantine: EXIT.unavailable,
  reject: EXIT.unavailable,
}

const WORDS: Readonly<Record<VirusVerdict['decision'], string>> = {
  clean: 'clean: it would be delivered as it is',
  tag: 'tag: it would be delivered with a field that says what was found',
  strip: 'strip: it would be delivered with a notice in the place of what was found',
  quarantine: 'quarantine: it would be kept for a person to decide; its sender would hear 250',
  defer: 'defer: its sender would hear 451 4.7.1 and try again',
  reject: 'reject: its sender would hear 550 5.7.1',
}

export function scanCommand(config: () => Promise<Config>, configFile: () => string): Command {
  return new Command('scan')
    .description('the verdicts of the virus wall and the spam filter on a message, explained; nothing is sent')
    .argument(
      '<message...>',
      'file with the message, - for standard input; several, and folders and mailboxes (mbox), with --lines',
    )
    .option('--recipient <address>', 'by the policy of this recipient')
    .option('--domain <name>', 'by the policy of this domain')
    .option('--outgoing <tenant>', 'by the policy of what this tenant sends')
    .option('--json', 'as JSON')
    .option('--lines', 'by the rules of the spam filter alone: a line of JSON for each message')
    .addOption(new Option('--language <code>', 'of what signs of spam mean').choices(SPAM_LANGUAGES).default('en'))
    .action(async (files: readonly string[], options: ScanOptions) => {
      const read = existsSync(configFile()) ? await config() : undefined
      const way = wayFor(read, options)
      if (options.lines) return printLines(files, options, way, modelsOf(read))
      const [file, ...others] = files
      if (file === undefined || others.length > 0)
        throw new UserError('this looks at one message at a time', 'Give --lines for several.', EXIT.data)
      const message = await readMessage(file)
      const policy = way?.virus ?? DEFAULT_VIRUS_POLICY
      const wall = wallOf({ embedded: true, engines: read?.virus.engines ?? [] }, systemClock)
      const looked = await look(wall, message, policy, way?.tenant)
      await wall.close()
      const models = modelsOf(read)
      const tenant = way?.tenant.name
      const result = await spamOf(message, { config: read, models, tenant })
      const spam = spamShown(result, way?.spam ?? DEFAULT_SPAM_POLICY, options.language)
      const lines = [
        ...linesOf(looked),
        ...(way === undefined ? [] : policyText(policy)),
        ...spamLines(spam, options.language),
      ]
      const { verdict, stripped: _, ...shown } = looked
      const json = { ...shown, because: verdict.because, policy, ...looked.result, spam }
      process.stdout.write(`${options.json ? JSON.stringify(json, undefined, 2) : lines.join('\n')}\n`)
      process.exitCode = EXITS[looked.decision]
    })
}

async function printLines(
  paths: readonly string[],
  { language }: ScanOptions,
  way: Way | undefined,
  models: Models,
): Promise<void> {
  const tenant = way?.tenant.name
  const policy = way?.spam ?? DEFAULT_SPAM_POLICY
  for await (const { name, content } of messagesIn(paths)) {
    const line = JSON.stringify({
      message: name,
      ...spamShown(await spamOf(content, { models, tenant }), policy, language),
    })
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
  }
}

interface Looked {
  readonly decision: VirusVerdict['decision']
  readonly verdict: VirusVerdict
  /** Settings. */
  readonly by: readonly string[]
  readonly result: ScanResult
  readonly stripped: Stripped | undefined
}

const STRIPPED = { stripped: 'strip', impossible: 'reject', defer: 'defer' } as const

async function look(wall: Wall, content: Content, policy: VirusPolicy, tenant?: Tenant): Promise<Looked> {
  const result = await wall.scan(content)
  const verdict = judgeScan(result, policy)
  const about = { content, policy, tenant: tenant ?? { language: 'en' as const }, id: 'TRACE-ID' }
  const stripped = verdict.decision === 'strip' ? await strip(wall, about) : undefined
  const decision = stripped === undefined ? verdict.decision : STRIPPED[stripped.kind]
  return { decision, verdict, by: decidedBy(verdict, policy), result, stripped }
}

/** Undefined: of nobody in particular, so the default policy holds. */
function wayFor(config: Config | undefined, { recipient, domain, outgoing }: ScanOptions): Way | undefined {
  const name = recipient ?? domain ?? outgoing
  if (name === undefined) return undefined
  if (config === undefined) throw new UserError('there is no configuration file', 'Name it with --config', EXIT.config)
  const directory = directoryFrom(config)
  const way =
    recipient === undefined
      ? outgoing === undefined
        ? directory.domain(readFullDomain(name) ?? '')
        : directory.outboundOf(outgoing)
      : wayTo(forwardPathOf(recipient, '--recipient'), directory)
  if (way !== undefined) return way
  const what = name === outgoing ? `${outgoing} has no outbound settings` : `${name} is not of ours`
  throw new UserError(what, 'See vorposten check-config', EXIT.unavailable)
}

function wayTo(path: ForwardPath, directory: Directory): Way | undefined {
  const name = path.kind === 'mailbox' && path.mailbox.domain.kind === 'name' ? path.mailbox.domain.ascii : ''
  const served = directory.domain(name)
  return served && domainFor(served, path)
}

function linesOf({ decision, verdict, by, result, stripped }: Looked): string[] {
  const { because } = verdict
  const { facts, cleanBy, durationMs } = result
  const lines = [WORDS[decision]]
  if (decision === 'reject') lines.push(`  ${refusalText(verdict)}`)
  if (stripped !== undefined && stripped.kind !== 'stripped') lines.push(`  it cannot be stripped: ${stripped.text}`)
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
