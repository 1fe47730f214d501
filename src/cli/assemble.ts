/**
 * One worker, put together: the stages are made from the configuration and introduced to each other here, and nowhere
 * else. Reads like the drawing in relay.ts, from the outside in.
 */
import { Acceptor } from '#accept/acceptor.ts'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { createDelivery, type Delivery } from '#deliver/delivery.ts'
import type { Resolve } from '#deliver/dial.ts'
import type { Report } from '#mail/event.ts'
import { traceIds } from '#mail/trace-id.ts'
import { Operations } from '#queue/operations.ts'
import { Queue } from '#queue/queue.ts'
import type { RecipientAnswer } from '#recipients/knowledge.ts'
import type { AskDesk } from '#recipients/shared-memory.ts'
import { type ReportOptions, WorkerReport } from '#report/report.ts'
import { createServerSession } from '#smtp/server/session.ts'
import type { Spool, SpoolOptions } from '#spool/contract.ts'
import { severalSpools } from '#spool/several.ts'
import { openSpool } from '#spool/spool.ts'
import type { Database } from '#store/database.ts'
import { type Clock, systemClock } from '#sys/clock.ts'
import { type Disk, systemDisk } from '#sys/disk.ts'
import { createResolver } from '#sys/resolver.ts'
import { connectSocket } from '#sys/socket.ts'
import type { Connect } from '#sys/wire.ts'
import type { Directory, Route } from '#tenant/directory.ts'
import { Bounces } from '../relay/bounces.ts'
import { Commit } from '../relay/commit.ts'
import { lessonsFor } from '../relay/lessons.ts'
import { Outbound } from '../relay/outbound.ts'
import { Room } from '../relay/room.ts'
import { keepOf, spoolAlarmEvent, spoolRefusal } from '../relay/spool-faults.ts'
import { Relay } from '../relay.ts'
import { acceptSettings } from './accept-settings.ts'
import { assembleRecipients, type Recipients } from './assemble-recipients.ts'
import type { ChangedNotice, ProbeQuestion } from './clerks/recipients.ts'
import { tlsFolder, traceFolder } from './folders.ts'
import { outboundDesk } from './outbound-desk.ts'
import { acceptEvents, ownRefusal, type RunningReport, watch } from './worker-watch.ts'

export interface WorkerOptions {
  readonly config: Config
  /** 0 to 1023; in the ids that it makes. */
  readonly index: number
  /** Its own first, then those of workers that are no more. */
  readonly spoolFolders: readonly string[]
  /** Several workers share the ports. */
  readonly reusePort: boolean
  /** 48 octets, the same in all workers. */
  readonly ticketKeys: Buffer
}

/** From the order to stop to the closing of the spool, at most: the supervisor kills after 29 s (`STOP_MS_MAX`). */
const DRAIN_MS_MAX = 27_000

/** What a running worker is made of. */
export interface Worker {
  readonly acceptor: Acceptor
  readonly queue: Queue
  readonly spool: Spool
  readonly operations: Operations
  readonly report: RunningReport
  readonly delivery: Delivery
  /** The desk says that something has changed. */
  recipientsChanged(notice: ChangedNotice): void
  /** An operator wants to know now. */
  probeRecipient(question: ProbeQuestion): Promise<RecipientAnswer>
  /** Takes effect for the next decision; sessions under way keep their listener's old settings. */
  reload(config: Config): Promise<void>
  /** Ends sessions and attempts, syncs the spool. */
  drain(): Promise<void>
}

/** What a worker has of the world around it; the simulator puts another world here. */
export interface Outside {
  readonly clock: Clock
  readonly disk: Disk
  readonly connect: Connect
  readonly resolve: Resolve
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

export const realOutside = (): Outside => ({
  clock: systemClock,
  disk: systemDisk,
  connect: connectSocket,
  resolve: createResolver(systemClock),
  random: Math.random,
  report: (options) => new WorkerReport(options),
  spool: {},
})

export async function assembleWorker(options: WorkerOptions, outside = realOutside()): Promise<Worker> {
  const current = new Current(options.config)
  const report = outside.report(reportOptions(options.config, options.index, outside.clock))
  const spool = await openSpools(options, report.report, outside)
  const sending = assembleSending(current, report, outside)
  await sending.recipients.begin()
  const keeping = assembleKeeping(current, spool, sending, outside)
  const acceptor = assembleReceiving(options, { current, report, spool, sending, keeping }, outside)
  // What replay has found already, then what it finds from now on.
  for (const entry of spool.entries()) keeping.queue.add(entry)
  spool.onEntry((entry) => keeping.queue.add(entry))
  const { delivery, recipients } = sending
  const { queue, operations } = keeping
  watch(report, { acceptor, queue, spool, delivery })
  return {
    acceptor,
    queue,
    spool,
    delivery,
    report,
    operations,
    recipientsChanged: (notice) => recipients.changed(notice),
    probeRecipient: (question) => recipients.probe(question),
    async reload(next) {
      await acceptor.reload(acceptSettings(next))
      current.replace(next)
      recipients.knowledge.changed()
      delivery.retire(current.routeIds())
    },
    async drain() {
      // The queue starts nothing more from now on; sessions may still deliver their own message.
      const ended = Promise.all([acceptor.drain(), queue.drain()]).then(() => delivery.drain())
      await atMost(DRAIN_MS_MAX, ended, outside.clock)
      await recipients.drain()
      await spool.close()
      report.end()
    },
  }
}

// A next hop may keep us waiting at the dot for ten minutes. Its message stays in the spool and is tried again.
function atMost(ms: number, work: Promise<unknown>, clock: Clock): Promise<unknown> {
  return Promise.race([work, new Promise<void>((resolve) => clock.after(ms, resolve))])
}

/** The configuration in force; whoever asks at each decision sees a reload at once. */
class Current {
  config: Config
  directory: Directory

  constructor(config: Config) {
    this.config = config
    this.directory = directoryFrom(config)
  }

  readonly route = (id: string): Route | undefined => this.directory.route(id)

  routeIds(): Set<string> {
    return new Set([...this.directory.routes()].map(({ id }) => id))
  }

  replace(config: Config): void {
    this.config = config
    this.directory = directoryFrom(config)
  }
}

interface Sending {
  readonly delivery: Delivery
  readonly recipients: Recipients
  /** The report, and the lessons that recipients draw from it. */
  readonly tell: Report
}

function assembleSending(current: Current, report: RunningReport, outside: Outside): Sending {
  const { clock, connect, resolve, random } = outside
  const { hostname } = current.config
  const delivery = createDelivery({
    connect,
    clock,
    resolve,
    hostname,
    random,
    preferChunking: true,
    calloutSender: () => current.config.calloutSender && { kind: 'mailbox', mailbox: current.config.calloutSender },
  })
  const recipients = assembleRecipients({
    directory: () => current.directory,
    delivery,
    report: report.report,
    clock,
    random,
    ...(outside.shared && { shared: outside.shared }),
  })
  return { delivery, recipients, tell: lessonsFor(recipients.knowledge, report.report) }
}

interface Keeping {
  readonly queue: Queue
  readonly operations: Operations
}

function assembleKeeping(current: Current, spool: Spool, { delivery, tell }: Sending, outside: Outside): Keeping {
  const { clock, random } = outside
  const { route } = current
  const keep = keepOf(spool)
  const queue = new Queue({
    clock,
    random,
    keep,
    route,
    report: tell,
    soon: setImmediate,
    attempt: (to, message, recipients) =>
      delivery.attempt(to, { ...message, recipients, receivedMs: message.reception.receivedMs }, { onMixed: 'send' }),
  })
  const operations = new Operations({
    queue,
    keep,
    entries: () => spool.entries(),
    route,
    // New connections know of no back-off.
    wake: (woken) => delivery.retire(new Set([...current.routeIds()].filter((id) => id !== woken))),
    report: tell,
  })
  return { queue, operations }
}

interface Assembled {
  readonly current: Current
  readonly report: RunningReport
  readonly spool: Spool
  readonly sending: Sending
  readonly keeping: Keeping
}

function assembleReceiving(options: WorkerOptions, made: Assembled, { clock, random, shared }: Outside): Acceptor {
  const { current, report, spool, sending, keeping } = made
  const { delivery, recipients, tell } = sending
  const { hostname, dataFolder } = options.config
  const room = new Room(
    clock,
    () => current.config.limits.contentMemoryOctetsMax,
    () => spool.health,
  )
  const { limits, records } = outboundDesk(shared?.desk ?? nobody)
  const leaving = { clock, directory: () => current.directory, limits, records, report: tell }
  const relay = new Relay({
    hostname,
    clock,
    directory: () => current.directory,
    hopsMax: () => current.config.limits.hopsMax,
    recipients: recipients.knowledge,
    room: (octets) => room.for(octets),
    outbound: new Outbound(leaving),
    bounces: new Bounces(leaving),
    commit: new Commit({
      clock,
      report: tell,
      spool,
      spoolRefusal,
      queue: keeping.queue,
      attempt: (to, message, how) => delivery.attempt(to, message, how),
    }),
    report: tell,
  })
  const newTraceId = traceIds(options.index, clock.wall, random)
  return new Acceptor(acceptSettings(options.config), {
    decisions: relay,
    events: acceptEvents(report),
    clock,
    newTraceId,
    machine: (settings, session, nowMs) =>
      createServerSession(settings, session, newTraceId, nowMs, (refusal) => ownRefusal(tell, session, refusal)),
    hasMemory: () => room.hasMemory,
    tlsFolder: tlsFolder(dataFolder),
    ticketKeys: options.ticketKeys,
    reusePort: options.reusePort,
  })
}

const nobody: AskDesk = () => Promise.reject(new Error('there is no supervisor to ask'))

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
