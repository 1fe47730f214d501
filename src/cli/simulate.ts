/**
 * `vorposten simulate`: what would happen to this envelope and message, and why. It walks the real path (relay.ts) with
 * the real configuration, but nothing leaves the machine: instead of asking a customer's server it takes `--assume`.
 */
import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { type ForwardPath, parseForwardPath, parseReversePath, pathText, type ReversePath } from '#mail/address.ts'
import { type Content, content } from '#mail/content.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import { remoteReply, replyLine } from '#mail/reply.ts'
import type { Session, Transaction } from '#mail/session.ts'
import { traceIds } from '#mail/trace-id.ts'
import { ACCEPT, type Gate } from '#mail/verdict.ts'
import { KNOWLEDGE_LIMITS, RecipientKnowledge } from '#recipients/knowledge.ts'
import { OwnMemory } from '#recipients/memory.ts'
import { systemClock } from '#sys/clock.ts'
import type { ServedDomain } from '#tenant/directory.ts'
import { Bounces } from '../relay/bounces.ts'
import { CalloutSender } from '../relay/callout-sender.ts'
import { inspect } from '../relay/inspect.ts'
import { Outbound } from '../relay/outbound.ts'
import { Relay } from '../relay.ts'
import { EXIT, UserError } from './exit.ts'
import { outboundDesk } from './outbound-desk.ts'

export interface Step {
  readonly step: string
  readonly verdict: 'accept' | 'reject' | 'defer' | 'info'
  readonly text: string
  readonly reasons?: readonly string[]
}

interface SimulateOptions {
  readonly from: string
  readonly to: readonly string[]
  readonly client: string
  readonly helo: string
  readonly assume: ProbeAnswer['kind']
  readonly json?: boolean
}

export function simulateCommand(config: () => Promise<Config>): Command {
  return new Command('simulate')
    .description('what would happen to this envelope and message; nothing is sent')
    .argument('[message]', 'file with the message, - for standard input; without it only the envelope is tried')
    .requiredOption('--from <address>', 'reverse-path; "" or <> is the null path')
    .requiredOption('--to <address...>', 'recipients')
    .option('--client <address>', 'address of the sending server', '192.0.2.1')
    .option('--helo <name>', 'its greeting', 'sender.example')
    .addOption(
      new Option('--assume <answer>', 'what the customer’s server would say of a recipient that is asked live')
        .choices(['known', 'unknown', 'unreachable'])
        .default('known'),
    )
    .option('--json', 'as JSON')
    .action(async (file: string | undefined, options: SimulateOptions) => {
      const octets = file === undefined ? undefined : await readFile(file === '-' ? '/dev/stdin' : file)
      const steps = await simulate(await config(), options, octets && content([withCrlf(octets)]))
      process.stdout.write(options.json ? `${JSON.stringify(steps, undefined, 2)}\n` : steps.map(stepText).join(''))
      if (steps.some(({ verdict }) => verdict === 'reject' || verdict === 'defer')) process.exitCode = EXIT.unavailable
    })
}

export async function simulate(config: Config, options: SimulateOptions, message?: Content): Promise<Step[]> {
  const directory = directoryFrom(config)
  const { relay, calloutSender, transaction } = pathFor(config, options)
  const steps: Step[] = []
  const taken: ServedDomain[] = []
  for (const text of options.to) {
    const forwardPath = forwardPathOf(text)
    const gate = await relay.rcpt(transaction, { forwardPath })
    steps.push(gateStep(`RCPT TO:${pathText(forwardPath)}`, gate))
    if (gate.kind !== 'accept') continue
    transaction.envelope.recipients.push({ forwardPath })
    const domain = forwardPath.kind === 'mailbox' && forwardPath.mailbox.domain
    const served = domain && domain.kind === 'name' ? directory.domain(domain.ascii) : undefined
    if (served) taken.push(served)
  }
  const [domain] = taken
  if (domain === undefined) return steps
  if (calloutSender.way(transaction.envelope.recipients[0]!.forwardPath, transaction.session) !== undefined) {
    return [
      ...steps,
      { step: 'content', verdict: 'info', text: 'thrown away, then 250: mail to the sender of our callouts' },
    ]
  }
  if (message) steps.push(contentStep(transaction, message, domain, config))
  if (!steps.some(({ step, verdict }) => step === 'content' && verdict !== 'accept')) steps.push(commitStep(domain))
  return steps
}

interface Path {
  readonly relay: Relay
  readonly calloutSender: CalloutSender
  readonly transaction: Transaction
}

function pathFor(config: Config, options: SimulateOptions): Path {
  const directory = directoryFrom(config)
  const judging = { clock: systemClock, directory: () => directory, ...outboundDesk(nobody), report: () => {} }
  const calloutSender = new CalloutSender({ ...judging, mailbox: () => config.calloutSender })
  const relay = new Relay({
    hostname: config.hostname,
    clock: systemClock,
    directory: () => directory,
    hopsMax: () => config.limits.hopsMax,
    recipients: new RecipientKnowledge({
      clock: systemClock,
      limits: KNOWLEDGE_LIMITS,
      memory: new OwnMemory(systemClock, KNOWLEDGE_LIMITS),
      random: Math.random,
      probe: async () => assumed(options.assume),
    }),
    room: () => ACCEPT,
    outbound: new Outbound(judging),
    bounces: new Bounces(judging),
    calloutSender,
    commit: { take: () => Promise.reject(new Error('simulate commits nothing')) },
    report: () => {},
  })
  const newTraceId = traceIds(0, systemClock.wall, Math.random)
  const session: Session = {
    id: newTraceId(),
    client: { address: options.client, port: 0 },
    local: { address: '0.0.0.0', port: 25 },
    listener: 'simulate',
    service: 'inbound',
    startedMs: systemClock.wall(),
    greetingName: options.helo,
    extended: true,
    proxied: false,
    tally: { recipientsRefused: 0, errors: 0, transactions: 1 },
  }
  const envelope = {
    reversePath: reversePathOf(options.from),
    recipients: [],
    body: '8bitmime',
    smtputf8: true,
  } as const
  const transaction: Transaction = {
    id: newTraceId(),
    session,
    startedMs: session.startedMs,
    envelope: { ...envelope, recipients: [] },
  }
  return { relay, calloutSender, transaction }
}

const nobody = () => Promise.reject(new Error('simulate counts nothing'))

function assumed(kind: ProbeAnswer['kind']): ProbeAnswer {
  if (kind === 'unreachable') return { kind, obstacle: 'connect', text: 'assumed to be unreachable' }
  return kind === 'known'
    ? { kind, reply: remoteReply(250, ['2.1.5 assumed']) }
    : { kind, reply: remoteReply(550, ['5.1.1 assumed']) }
}

function gateStep(step: string, gate: Gate): Step {
  if (gate.kind === 'accept') return { step, verdict: 'accept', text: '250: the recipient is known' }
  return { step, verdict: gate.kind, text: replyLine(gate.reply), reasons: gate.reasons.map(({ text }) => text) }
}

function contentStep(transaction: Transaction, message: Content, domain: ServedDomain, config: Config): Step {
  const own = { hostname: config.hostname, hopsMax: config.limits.hopsMax, wallMs: systemClock.wall() }
  const inspected = inspect(transaction, message, domain, own)
  if (inspected.kind === 'reject') return gateStep('content', inspected)
  const octets = inspected.content.octets - message.octets
  return {
    step: 'content',
    verdict: 'accept',
    text: `${message.octets} octets; ${octets} of trace fields are put before them`,
  }
}

function commitStep({ route, commit, tenant }: ServedDomain): Step {
  const hosts = route.hosts.map(({ name, port }) => `${name}:${port}`).join(', ')
  const text =
    commit === 'spool'
      ? `kept on disk, then 250; delivered to ${hosts}`
      : `delivered to ${hosts} in the session; its refusal would reach the sender, its silence means: kept on disk, then 250`
  return { step: `commit for ${tenant.name}`, verdict: 'info', text }
}

function reversePathOf(text: string): ReversePath {
  const parsed = parseReversePath(text.startsWith('<') ? text : `<${text}>`)
  if (!parsed.ok)
    throw new UserError(`--from ${text} is no address (${parsed.fault})`, 'Write anna@example.org.', EXIT.config)
  return parsed.value
}

function forwardPathOf(text: string): ForwardPath {
  const parsed = parseForwardPath(text.startsWith('<') ? text : `<${text}>`)
  if (!parsed.ok)
    throw new UserError(`--to ${text} is no address (${parsed.fault})`, 'Write anna@example.org.', EXIT.config)
  return parsed.value
}

// Files have the line ends of their system; on the wire there is only CRLF.
const withCrlf = (octets: Buffer): Buffer =>
  Buffer.from(octets.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1')

const MARK = { accept: '✔', reject: '✘', defer: '…', info: '→' } as const
const stepText = ({ step, verdict, text, reasons }: Step): string =>
  `${MARK[verdict]} ${step}: ${text}\n${(reasons ?? []).map((reason) => `    because: ${reason}\n`).join('')}`
