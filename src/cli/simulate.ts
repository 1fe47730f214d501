/**
 * `vorposten simulate`: what would happen to this envelope and message, and why. It walks the real path (relay.ts) with
 * the real configuration and the lists in the store, but nothing leaves the machine, and nothing is counted: instead of
 * asking a customer's server it takes `--assume` and `--primary`.
 */
import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { Config, ListenerConfig } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { readFingerprint } from '#config/units.ts'
import { pathText } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import { remoteReply, replyLine } from '#mail/reply.ts'
import type { Session, Transaction } from '#mail/session.ts'
import { traceIds } from '#mail/trace-id.ts'
import { ACCEPT, type Gate } from '#mail/verdict.ts'
import { policyLines } from '#policy/policy-explained.ts'
import { KNOWLEDGE_LIMITS, RecipientKnowledge } from '#recipients/knowledge.ts'
import { OwnMemory } from '#recipients/memory.ts'
import { EMBEDDED } from '#scan/embedded-name.ts'
import { readStore } from '#store/database.ts'
import { ListReader } from '#store/recipient-lists.ts'
import { SenderDomainReader } from '#store/sender-domains.ts'
import { systemClock } from '#sys/clock.ts'
import type { ServedDomain, Way } from '#tenant/directory.ts'
import { domainFor } from '#tenant/recipient-policies.ts'
import { DEFAULT_SPAM_POLICY } from '#tenant/spam-policy.ts'
import { DEFAULT_VIRUS_POLICY } from '#tenant/virus-policy.ts'
import { Bounces, plainPath } from '../relay/bounces.ts'
import { CalloutSender } from '../relay/callout-sender.ts'
import { inspect } from '../relay/inspect.ts'
import { Outbound } from '../relay/outbound.ts'
import type { Verified } from '../relay/sender-rights.ts'
import { Relay } from '../relay.ts'
import { configFor } from './configuration.ts'
import { EXIT, UserError } from './exit.ts'
import { storePath } from './folders.ts'
import { readMessage } from './message-file.ts'
import { outboundDesk } from './outbound-desk.ts'
import { forwardPathOf, reversePathOf } from './paths.ts'
import { changesOf, type Replayed, replay, replayedLine } from './replay.ts'
import { leavingStep, onwardSteps } from './simulate-leaving.ts'

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
  /** Of the servers that we are the fallback for. */
  readonly primary: 'up' | 'down'
  /** Name of the listener; absent: the first. */
  readonly listener?: string
  /** SHA-256 of the key in its certificate, hex, lower case. */
  readonly clientKey?: string
  readonly json?: boolean
}

interface CommandOptions extends Omit<SimulateOptions, 'from'> {
  readonly from?: string
  readonly replay?: readonly string[]
  readonly candidate?: string
}

export function simulateCommand(config: () => Promise<Config>): Command {
  return new Command('simulate')
    .description('what would happen to this envelope and message; nothing is sent')
    .argument('[message]', 'file with the message, - for standard input; without it only the envelope is tried')
    .option('--from <address>', 'reverse-path; "" or <> is the null path')
    .requiredOption('--to <address...>', 'recipients')
    .option('--client <address>', 'address of the sending server', '192.0.2.1')
    .option('--client-key <sha256>', 'it shows a certificate with this key (from-client-keys)', clientKeyOf)
    .option('--helo <name>', 'its greeting', 'sender.example')
    .addOption(
      new Option('--assume <answer>', 'what the customer’s server would say of a recipient that is asked live')
        .choices(['known', 'unknown', 'unreachable'])
        .default('known'),
    )
    .addOption(
      new Option('--primary <state>', 'whether the server answers that we are the fallback for')
        .choices(['up', 'down'])
        .default('down'),
    )
    .option('--listener <name>', 'where the client comes in; the first listener if not given')
    .option(
      '--replay <paths...>',
      'instead: kept messages (files, folders, mbox) by the spam policies of --to, here and there',
    )
    .option('--candidate <file>', 'with --replay: the other configuration')
    .option('--json', 'as JSON')
    .action(async (file: string | undefined, options: CommandOptions) => {
      const read = await config()
      if (options.replay !== undefined) return printReplay(read, options)
      const { from } = options
      if (from === undefined)
        throw new UserError('who sends it?', 'Say --from ADDRESS; <> is the null path.', EXIT.data)
      const message = file === undefined ? undefined : await readMessage(file)
      const steps = await withKnown(read, (known) => simulate(read, { ...options, from }, message, known))
      process.stdout.write(options.json ? `${JSON.stringify(steps, undefined, 2)}\n` : steps.map(stepText).join(''))
      if (steps.some(({ verdict }) => verdict === 'reject' || verdict === 'defer')) process.exitCode = EXIT.unavailable
    })
}

async function printReplay(
  current: Config,
  { replay: paths = [], candidate, to, json }: CommandOptions,
): Promise<void> {
  const [recipient, ...others] = to
  if (candidate === undefined || recipient === undefined || others.length > 0)
    throw new UserError(
      'a replay compares two policies of one recipient',
      'Say --candidate FILE, and --to once.',
      EXIT.data,
    )
  const out = (text: string): void => void process.stdout.write(`${text}\n`)
  const replayed = replay(paths, [current, await configFor(candidate)], recipient)
  const changed: Replayed[] = []
  for (;;) {
    const { done, value } = await replayed.next()
    if (done) {
      const text = `${changed.length} of ${value} messages would have another verdict`
      return out(
        json ? JSON.stringify({ messages: value, changed: changed.length }) : [text, ...changesOf(changed)].join('\n'),
      )
    }
    changed.push(value)
    out(json ? JSON.stringify(value) : replayedLine(value))
  }
}

/** What the store knows. Absent: no list is known, and no sender domain is verified. */
export interface Known {
  readonly lists?: ListReader
  readonly verified?: Verified
}

/** A program that never ran has no store, and no list was imported or fetched. */
async function withKnown<T>({ dataFolder }: Config, work: (known?: Known) => Promise<T>): Promise<T> {
  const path = storePath(dataFolder)
  if (!existsSync(path)) return work()
  const store = readStore(path)
  try {
    const verified: Verified = (tenant, domain) =>
      new SenderDomainReader(store).find({ tenant, domain })?.verifiedMs !== undefined
    return await work({ lists: new ListReader(store), verified })
  } finally {
    store.close()
  }
}

export async function simulate(
  config: Config,
  options: SimulateOptions,
  message?: Content,
  known: Known = {},
): Promise<Step[]> {
  const directory = directoryFrom(config)
  const { relay, calloutSender, transaction } = pathFor(config, options, known)
  const { session, envelope } = transaction
  const mail = relay.mail(transaction)
  const way =
    session.service !== 'inbound' ? directory.outbound(session.client.address, session.tls?.clientKey) : undefined
  if (mail.kind !== 'accept') return [gateStep(`MAIL FROM:${pathText(envelope.reversePath)}`, mail, '')]
  const steps: Step[] = []
  const taken: Way[] = []
  for (const text of options.to) {
    const forwardPath = forwardPathOf(text, '--to')
    const domain = forwardPath.kind === 'mailbox' && forwardPath.mailbox.domain
    const declared = domain && domain.kind === 'name' ? directory.domain(domain.ascii) : undefined
    const served = declared && domainFor(declared, plainPath(forwardPath, declared))
    if (served?.fallback && !way) steps.push(primaryStep(served, options))
    const gate = await relay.rcpt(transaction, { forwardPath })
    const to = way ? `250: ${way.tenant.name} may send to anyone` : '250: the recipient is known'
    steps.push(gateStep(`RCPT TO:${pathText(forwardPath)}`, gate, to))
    if (gate.kind !== 'accept') continue
    envelope.recipients.push({ forwardPath })
    const goes = way ?? served
    if (goes) taken.push(goes)
  }
  const [goes] = taken
  if (goes === undefined) return steps
  if (calloutSender.way(envelope.recipients[0]!.forwardPath, session) !== undefined) return [...steps, THROWN_AWAY]
  steps.push(...wallSteps(goes, config), ...spamSteps(goes, config))
  if (message) steps.push(contentStep(transaction, message, goes, config))
  if (steps.some(({ step, verdict }) => step === 'content' && verdict !== 'accept')) return steps
  if (way === undefined) return [...steps, commitStep(goes)]
  if (message) steps.push(leavingStep(envelope.reversePath, message, way))
  const recipients = envelope.recipients.map(({ forwardPath }) => forwardPath)
  return [...steps, ...onwardSteps(envelope.reversePath, recipients, way, directory)]
}

const THROWN_AWAY: Step = {
  step: 'content',
  verdict: 'info',
  text: 'thrown away, then 250: mail to the sender of our callouts',
}

function primaryStep({ route }: ServedDomain, { primary }: SimulateOptions): Step {
  const text = `assumed to be ${primary}; the other case is --primary ${primary === 'up' ? 'down' : 'up'}`
  return { step: `primary of ${route.id}`, verdict: 'info', text }
}

function listenerOf({ listeners }: Config, name: string | undefined): ListenerConfig {
  const found = name === undefined ? listeners[0] : listeners.find((listener) => listener.name === name)
  if (found) return found
  const names = listeners.map((listener) => listener.name).join(', ')
  throw new UserError(`there is no listener ${name}`, `There are: ${names}.`, EXIT.config)
}

function pathFor(
  config: Config,
  options: SimulateOptions,
  { lists, verified }: Known,
): { relay: Relay; calloutSender: CalloutSender; transaction: Transaction } {
  const directory = directoryFrom(config)
  const listener = listenerOf(config, options.listener)
  const isFallback = (id: string) => [...directory.domains()].some(({ fallback, route }) => fallback && route.id === id)
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
      probe: async ({ id }) => assumed(options.primary === 'down' && isFallback(id) ? 'unreachable' : options.assume),
      ...(lists && { lists }),
    }),
    primaries: { isUp: () => options.primary === 'up', inMaintenance: () => false },
    room: () => ACCEPT,
    outbound: new Outbound({ ...judging, ...(verified && { verified }) }),
    bounces: new Bounces(judging),
    calloutSender,
    commit: { take: () => Promise.reject(new Error('simulate commits nothing')) },
    report: () => {},
  })
  const newTraceId = traceIds(0, systemClock.wall, Math.random)
  const session: Session = {
    id: newTraceId(),
    client: { address: options.client, port: 0 },
    local: listener.addresses[0]!,
    listener: listener.name,
    service: listener.service,
    startedMs: systemClock.wall(),
    greetingName: options.helo,
    extended: true,
    proxied: false,
    ...(options.clientKey !== undefined && { tls: { protocol: 'TLSv1.3', cipher: '', clientKey: options.clientKey } }),
    tally: { recipientsRefused: 0, errors: 0, transactions: 1 },
  }
  const envelope = {
    reversePath: reversePathOf(options.from, '--from'),
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

function gateStep(step: string, gate: Gate, accepted: string): Step {
  if (gate.kind === 'accept') return { step, verdict: 'accept', text: accepted }
  return { step, verdict: gate.kind, text: replyLine(gate.reply), reasons: gate.reasons.map(({ text }) => text) }
}

function contentStep(transaction: Transaction, message: Content, domain: Way, config: Config): Step {
  const own = { hostname: config.hostname, hopsMax: config.limits.hopsMax, wallMs: systemClock.wall() }
  const inspected = inspect(transaction, message, domain, own)
  if (inspected.kind === 'reject') return gateStep('content', inspected, '')
  const octets = inspected.content.octets - message.octets
  return {
    step: 'content',
    verdict: 'accept',
    text: `${message.octets} octets; ${octets} of trace fields are put before them`,
  }
}

/** With which policy the virus wall would look; `vorposten scan` says what it would find. */
function wallSteps({ virus = DEFAULT_VIRUS_POLICY }: Way, { virus: { embedded, engines } }: Config): Step[] {
  const names = [...engines.map(({ name }) => name), ...(embedded ? [EMBEDDED] : [])]
  if (names.length === 0) return []
  const looks = virus.scan ? `looked at by ${names.join(', ')}` : 'nobody looks'
  const text = [looks, ...policyLines(virus, 'said'), 'the rest by default'].join('; ')
  return [{ step: 'virus wall', verdict: 'info', text }]
}

/** The same of the spam filter, for mail that comes in, where a level of the configuration says something of it. */
function spamSteps({ spam = DEFAULT_SPAM_POLICY, ...way }: Way, { spam: { filter } }: Config): Step[] {
  if (!filter || spam.from === undefined || 'outbound' in way) return []
  const looks = spam.filter ? 'the message is judged' : 'nobody looks'
  const text = [looks, ...policyLines(spam, 'said'), 'the rest by default'].join('; ')
  return [{ step: 'spam filter', verdict: 'info', text }]
}

function commitStep({ route, commit, tenant }: Way): Step {
  const hosts = route.hosts.map(({ name, port }) => `${name}:${port}`).join(', ')
  const text =
    commit === 'spool'
      ? `kept on disk, then 250; delivered to ${hosts}`
      : `delivered to ${hosts} in the session; its refusal would reach the sender, its silence means: kept on disk, then 250`
  return { step: `commit for ${tenant.name}`, verdict: 'info', text }
}

function clientKeyOf(text: string): string {
  const key = readFingerprint(text)
  if (key !== undefined) return key
  throw new UserError(`--client-key ${text} is no fingerprint`, 'Write 64 hexadecimal digits.', EXIT.config)
}

const MARK = { accept: '✔', reject: '✘', defer: '…', info: '→' } as const
const stepText = ({ step, verdict, text, reasons }: Step): string =>
  `${MARK[verdict]} ${step}: ${text}\n${(reasons ?? []).map((reason) => `    because: ${reason}\n`).join('')}`
