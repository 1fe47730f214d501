/**
 * One worker, put together: the stages are made from the configuration and introduced to each other here, and nowhere
 * else. Reads like the drawing in relay.ts, from the outside in.
 */
import type { Acceptor } from '#accept/acceptor.ts'
import type { Credentials } from '#auth/credentials.ts'
import type { Config } from '#config/config.ts'
import { createDelivery, type Delivery } from '#deliver/delivery.ts'
import type { Resolve } from '#deliver/dial.ts'
import type { StsPolicies } from '#deliver/mta-sts/sts-policies.ts'
import type { Report } from '#mail/event.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import type { QueueEntry } from '#mail/stored.ts'
import { traceIds } from '#mail/trace-id.ts'
import type { Holds } from '#queue/holds.ts'
import type { Operations } from '#queue/operations.ts'
import type { Outages } from '#queue/outages.ts'
import type { Queue } from '#queue/queue.ts'
import type { RecipientAnswer } from '#recipients/knowledge.ts'
import type { AskDesk } from '#recipients/shared-memory.ts'
import { type ReportOptions, WorkerReport } from '#report/report.ts'
import type { SpamLists } from '#scan/spam/lists/spam-lists.ts'
import type { Wall } from '#scan/wall.ts'
import type { Spool, SpoolOptions } from '#spool/contract.ts'
import { severalSpools } from '#spool/several.ts'
import { openSpool } from '#spool/spool.ts'
import type { Database } from '#store/database.ts'
import { ListReader } from '#store/recipient-lists.ts'
import { type Clock, systemClock } from '#sys/clock.ts'
import { type Disk, systemDisk } from '#sys/disk.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { createResolver, systemDns } from '#sys/resolver.ts'
import { connectSocket } from '#sys/socket.ts'
import type { Connect } from '#sys/wire.ts'
import { answeredFor } from '../relay/answered-recipients.ts'
import { findingsFor } from '../relay/findings.ts'
import { hardBouncesFor } from '../relay/hard-bounces.ts'
import { type Learner, lessonsFor } from '../relay/lessons.ts'
import { ownSigning, type SignOwn } from '../relay/own-signing.ts'
import type { ReleaseAnswer, ReleaseQuestion } from '../relay/release.ts'
import { spoolAlarmEvent } from '../relay/spool-faults.ts'
import { acceptSettings } from './accept-settings.ts'
import { AnsweredBatch } from './answered-batch.ts'
import { assembleDestinations, stsPolicies } from './assemble-destinations.ts'
import { Filters } from './assemble-filtering.ts'
import { assembleKeeping, type Keeping } from './assemble-keeping.ts'
import { assembleReceiving } from './assemble-receiving.ts'
import { assembleRecipients, type Recipients } from './assemble-recipients.ts'
import { type RememberedSpam, rememberedSpam } from './assemble-spam-memory.ts'
import type { ChangedNotice, ProbeQuestion } from './clerks/recipients.ts'
import { credentialsOf } from './credentials-desk.ts'
import { Current } from './current.ts'
import { FindingsBatch } from './findings-batch.ts'
import { traceFolder } from './folders.ts'
import { HardBounceBatch } from './hard-bounce-batch.ts'
import { type NoticeAnswer, type NoticeQuestion, sendNotice } from './notices.ts'
import { releaseOf } from './quarantine-desk.ts'
import { Rights } from './rights.ts'
import { TlsResultsBatch } from './tls-results-batch.ts'
import { type RunningReport, tlsPolicies, watch } from './worker-watch.ts'

export interface WorkerOptions {
  /** Learns which servers are up and which are in maintenance, and goes on learning until its result is called. */
  readonly follow?: (outages: Outages) => Promise<() => void>
  readonly config: Config
  /** 0 to 1023; in the ids that it makes. */
  readonly index: number
  /** All of them share what a route or tenant has; 1 if absent. */
  readonly workers?: number
  /** Its own first, then those of workers that are no more. */
  readonly spoolFolders: readonly string[]
  /** Several workers share the ports. */
  readonly reusePort: boolean
  /** Hears of each route that took a message, and of each whose servers a delivery did not find. */
  readonly met?: (routeId: string, up: boolean) => void
  /** Flushes routes in all workers; absent: in this one only. */
  readonly flushAll?: (routes: readonly string[]) => Promise<number>
  /** 48 octets, the same in all workers. */
  readonly ticketKeys: Buffer
}

/** From the order to stop to the closing of the spool, at most: the supervisor kills after 29 s (`STOP_MS_MAX`). */
const DRAIN_MS_MAX = 27_000

/** The last lessons and findings go to the supervisor, if it listens; they come again if it does not. */
const LESSONS_MS_MAX = 1_000

/** What a running worker is made of. */
export interface Worker {
  readonly acceptor: Acceptor
  readonly queue: Queue
  readonly spool: Spool
  readonly operations: Operations
  readonly outages: Outages
  readonly holds: Holds
  readonly lockedMail: Keeping['lockedMail']
  readonly report: RunningReport
  readonly delivery: Delivery
  /** The desk says that something has changed. */
  recipientsChanged(notice: ChangedNotice): void
  /** Keys that sign, or sender domains, are not what they were. */
  rightsChanged(): void
  /** An operator has had an MTA-STS policy fetched. */
  stsChanged(): void
  /** An operator wants to know now. */
  probeRecipient(question: ProbeQuestion): Promise<RecipientAnswer>
  /** Absent: a worker that runs alone has none. */
  readonly credentials?: Credentials
  /** A clerk has written to a tenant's postmaster. */
  sendNotice(question: NoticeQuestion): Promise<NoticeAnswer>
  /** Takes effect for the next decision; sessions under way keep their listener's old settings. */
  reload(config: Config): Promise<void>
  /** Out of quarantine, into the spool. */
  release(question: ReleaseQuestion): Promise<ReleaseAnswer>
  /** The virus wall; absent: nobody looks. */
  scanners(): Wall | undefined
  /** What the spam filter remembers; absent: a worker that runs alone remembers nothing. */
  readonly spam?: RememberedSpam
  /** DNS lists of the spam filter; absent: nobody can be asked. */
  spamLists(): SpamLists | undefined
  /** Ends sessions and attempts, syncs the spool. */
  drain(): Promise<void>
}

/** What a worker has of the world around it; the simulator puts another world here. */
export interface Outside {
  readonly clock: Clock
  readonly disk: Disk
  readonly connect: Connect
  readonly resolve: Resolve
  /** Without it no route can find hosts by MX, and no sender is authenticated. */
  readonly dns?: Dns
  /** In [0, 1). */
  readonly random: () => number
  readonly report: (options: ReportOptions) => RunningReport
  readonly spool: Pick<SpoolOptions, 'lockOwner' | 'newKey'>
  /** What all workers share; without it the worker is alone, and knows only what it has seen. */
  readonly shared?: Shared
}

export interface Shared {
  /** For reading. */
  readonly store: Database
  readonly desk: AskDesk
  readonly workers: number
}

/** `nameServers`: the configured ones, if there are any. */
export function realOutside(nameServers: () => Config['nameServers'] = () => undefined): Outside {
  const dns = systemDns(systemClock, nameServers)
  return {
    clock: systemClock,
    disk: systemDisk,
    connect: connectSocket,
    resolve: createResolver(systemClock, dns),
    dns,
    random: Math.random,
    report: (options) => new WorkerReport(options),
    spool: {},
  }
}

export async function assembleWorker(options: WorkerOptions, outside = realOutside()): Promise<Worker> {
  const current = new Current(options.config, { index: options.index, workers: options.workers ?? 1 })
  const report = outside.report(reportOptions(options.config, options.index, outside.clock))
  const spool = await openSpools(options, report.report, outside)
  const spam = rememberedSpam(outside.shared, options.index, outside.clock)
  const sending = heardBy(spam, assembleSending(current, report, outside, options.met))
  await sending.recipients.begin()
  const newTraceId = traceIds(options.index, outside.clock.wall, outside.random)
  const rights = outside.shared && new Rights(outside.shared.store, () => current.config, outside.clock)
  const sign = rights && signingOwn(current, rights, sending.tell, outside.clock)
  const keeping = assembleKeeping(current, spool, sending, newTraceId, sign, outside)
  const credentials = assembleCredentials(current, report.report, outside)
  const filters = new Filters(options.config, report, outside, spam?.memory)
  const made = { current, report, spool, sending, keeping, newTraceId, rights, credentials, filters }
  const acceptor = assembleReceiving(options, made, outside)
  const { delivery, recipients, tell } = sending
  const { queue, operations, outages, holds, lockedMail } = keeping
  // Mail that a maintenance holds back must not slip out first.
  const unfollow = await options.follow?.(outages)
  hand(spool, keeping.found)
  watch(report, { acceptor, queue, holds, spool, delivery, scanners: filters.wall })
  return {
    acceptor,
    queue,
    spool,
    delivery,
    report,
    operations,
    holds,
    lockedMail,
    sendNotice: (question) =>
      sendNotice({ newTraceId, directory: () => current.directory, sign, spool, queue, report: tell }, question),
    recipientsChanged: (notice) => recipients.changed(notice),
    rightsChanged: () => rights?.changed(),
    stsChanged: () => sending.sts?.changed(),
    probeRecipient: (question) => recipients.probe(question),
    ...(credentials && { credentials }),
    ...(spam && { spam }),
    release: releaseOf({ ...made, spool, queue, wall: filters.wall, report: tell }, outside),
    scanners: filters.wall,
    spamLists: filters.spam.lists,
    outages,
    async reload(next) {
      await acceptor.reload(acceptSettings(next))
      current.replace(next)
      filters.replace(next)
      for (const part of [holds, recipients.knowledge, rights]) part?.changed()
      delivery.retire(current.routeIds())
    },
    async drain() {
      unfollow?.()
      holds.stop()
      await atMost(DRAIN_MS_MAX, ended(acceptor, queue, delivery), outside.clock)
      await Promise.all([spool.close(), filters.close()])
      await atMost(LESSONS_MS_MAX, sending.flush(), outside.clock)
      report.end()
    },
  }
}

// The queue starts nothing more from now on; sessions may still deliver their own message.
async function ended(acceptor: Acceptor, queue: Queue, delivery: Delivery): Promise<void> {
  await Promise.all([acceptor.drain(), queue.drain()])
  await delivery.drain()
}

function signingOwn(current: Current, { keys }: Rights, report: Report, clock: Clock): SignOwn {
  return ownSigning({ clock, directory: () => current.directory, keysOf: keys.of, report })
}

// What replay has found already, then what it finds from now on.
function hand(spool: Spool, found: (entry: QueueEntry) => void): void {
  for (const entry of spool.entries()) found(entry)
  spool.onEntry(found)
}

function assembleCredentials(current: Current, report: Report, { shared, clock }: Outside): Credentials | undefined {
  const tenantExists = (name: string) => current.directory.tenant(name) !== undefined
  const fault = (text: string) => report({ kind: 'alarm', symbol: 'credentials', text })
  return shared && credentialsOf({ ...shared, clock, tenantExists, fault })
}

// A next hop may keep us waiting at the dot for ten minutes. Its message stays in the spool and is tried again.
function atMost(ms: number, work: Promise<unknown>, clock: Clock): Promise<unknown> {
  return Promise.race([work, new Promise<void>((resolve) => clock.after(ms, resolve))])
}

// What goes by is also a lesson for the spam filter.
function heardBy(spam: RememberedSpam | undefined, sending: Sending): Sending {
  if (spam === undefined) return sending
  return { ...sending, tell: spam.ear(sending.tell), flush: () => Promise.all([sending.flush(), spam.flush()]) }
}

export interface Sending {
  readonly delivery: Delivery
  readonly recipients: Recipients
  /** From now on servers that are known to be away are not asked for recipients. */
  readonly knowing: (outages: Outages) => void
  /** The report, the findings about the customers' servers, and the lessons that recipients draw. */
  readonly tell: Report
  /** Says what is still unsaid to the desk. */
  readonly flush: () => Promise<unknown>
  /** Absent: a worker that runs alone knows of no MTA-STS. */
  readonly sts?: StsPolicies
}

function assembleSending(
  current: Current,
  report: RunningReport,
  outside: Outside,
  met: WorkerOptions['met'] = () => {},
): Sending {
  // The queue comes later, and with it what is known of outages.
  let away: Away = () => undefined
  const { clock, connect, resolve, random } = outside
  const { hostname } = current.config
  const { dns, shared } = outside
  const sts = dns && shared && stsPolicies(shared.store, shared.desk, dns, clock)
  const tlsResults = new TlsResultsBatch(clock, async (batch) => outside.shared?.desk('tls-reports/add', batch))
  const delivery = createDelivery({
    connect,
    clock,
    resolve,
    ...(dns && { destinations: assembleDestinations(current, dns, clock, sts) }),
    tlsPolicyMet: tlsPolicies(report),
    hostname,
    random,
    preferChunking: true,
    tellTls: (result) => current.config.tlsReports && tlsResults.add(result),
    calloutSender: () => current.config.calloutSender && { kind: 'mailbox', mailbox: current.config.calloutSender },
  })
  const findings = new FindingsBatch(clock, async (batch) => outside.shared?.desk('findings/add', batch))
  const found = findingsFor((finding) => current.receives(finding.route) && findings.add(finding), report.report)
  const recipients = assembleRecipients({
    directory: () => current.directory,
    delivery,
    away: (route) => away(route),
    report: found,
    clock,
    random,
    ...(outside.shared && { shared: outside.shared, lists: new ListReader(outside.shared.store) }),
  })
  const knowing = (outages: Outages) => {
    away = (route) => unasked(outages, route)
  }
  const learner: Learner = {
    learn(key, state, route) {
      if (current.receives(route)) recipients.knowledge.learn(key, state, route)
    },
    wrote: (key, route) => recipients.knowledge.learn(key, 'known', route, 'outgoing'),
    reached(id) {
      recipients.knowledge.reached(id)
      met(id, true)
    },
    missed: (id) => met(id, false),
  }
  const lessons = lessonsFor(learner, () => current.directory, found)
  const tell = leavingFor(current, outside, lessons)
  const flush = () => Promise.all([recipients.drain(), findings.flush(), tlsResults.flush()])
  return { delivery, recipients, flush, knowing, tell, ...(sts && { sts }) }
}

// What becomes of mail that leaves: for the signs of a stolen login, and for the suppression list.
function leavingFor(current: Current, { clock, shared }: Outside, report: Report): Report {
  const answered = new AnsweredBatch(clock, async (batch) => shared?.desk('abuse/answered', batch))
  const bounces = new HardBounceBatch(clock, async (batch) => shared?.desk('suppressions/bounced', batch))
  const leaves = (routeId: string) => !current.receives(routeId)
  return hardBouncesFor(bounces.add, leaves, answeredFor(answered.add, report))
}

type Away = (route: string) => Promise<ProbeAnswer> | undefined

// A server in the middle of its maintenance may say no to everybody: it is not asked.
function unasked(outages: Outages, route: string): Promise<ProbeAnswer> | undefined {
  const why = outages.inMaintenance(route) ? 'in maintenance' : outages.isDown(route) ? 'down' : undefined
  if (why === undefined) return undefined
  return Promise.resolve({ kind: 'unreachable', obstacle: 'connect', text: `the servers of ${route} are ${why}` })
}

function reportOptions(config: Config, worker: number, clock: Clock): ReportOptions {
  return {
    hostname: config.hostname,
    format: config.log.format,
    destination: config.log.destination,
    traceFolder: traceFolder(config.dataFolder),
    worker,
    clock,
  }
}

async function openSpools(
  { config, index, spoolFolders }: WorkerOptions,
  report: Report,
  { disk, clock, spool }: Outside,
): Promise<Spool> {
  const open = (folder: string) =>
    openSpool({
      folder,
      ...spool,
      disk,
      clock,
      segmentOctets: config.spool.segmentOctets,
      freeOctetsMin: config.spool.freeOctetsMin,
      alarm: (alarm) => report(spoolAlarmEvent(alarm, index)),
    })
  const [own, ...adopted] = await Promise.all(spoolFolders.map(open))
  return severalSpools(own!, adopted)
}
