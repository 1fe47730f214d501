/** The receiving side of one worker: the path with its decisions, and the listeners before it. */
import { randomBytes } from 'node:crypto'
import { Acceptor } from '#accept/acceptor.ts'
import type { Credentials } from '#auth/credentials.ts'
import type { Config } from '#config/config.ts'
import type { Report } from '#mail/event.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { Contents } from '#quarantine/contents.ts'
import { Keeper } from '#quarantine/keeper.ts'
import { createServerSession } from '#smtp/server/session.ts'
import type { Spool } from '#spool/contract.ts'
import type { Clock } from '#sys/clock.ts'
import { Authenticating } from '../relay/authenticating.ts'
import { Authentication } from '../relay/authentication.ts'
import { Bounces } from '../relay/bounces.ts'
import { CalloutSender } from '../relay/callout-sender.ts'
import { Commit } from '../relay/commit.ts'
import { Filtering } from '../relay/filtering.ts'
import { Outbound } from '../relay/outbound.ts'
import { Quarantining } from '../relay/quarantining.ts'
import { ReturnPaths } from '../relay/return-paths.ts'
import { Room } from '../relay/room.ts'
import { Scanning } from '../relay/scanning.ts'
import { Signing } from '../relay/signing.ts'
import { spoolRefusal } from '../relay/spool-faults.ts'
import { Relay } from '../relay.ts'
import { acceptSettings } from './accept-settings.ts'
import type { Outside, Sending, Shared, WorkerOptions } from './assemble.ts'
import { assembleFeedback } from './assemble-feedback.ts'
import type { Filters } from './assemble-filtering.ts'
import type { Keeping } from './assemble-keeping.ts'
import { guessesOf } from './credentials-desk.ts'
import type { Current } from './current.ts'
import { quarantineFolder, tlsFolder } from './folders.ts'
import { nobody, outboundDesk, quotaOf, suppressedOf } from './outbound-desk.ts'
import { quarantineDesk } from './quarantine-desk.ts'
import type { Rights } from './rights.ts'
import { acceptEvents, ownRefusal, type RunningReport } from './worker-watch.ts'

/** RFC 5802 §5.1 asks for a nonce that nobody can guess; in base64, so that it has no comma. */
const NONCE_OCTETS = 18

/** What there is before mail may come in. */
export interface Assembled {
  readonly current: Current
  readonly report: RunningReport
  readonly spool: Spool
  readonly sending: Sending
  readonly keeping: Keeping
  readonly newTraceId: () => TraceId
  readonly rights: Rights | undefined
  readonly filters: Filters
  /** Absent: nobody can log in. */
  readonly credentials: Credentials | undefined
}

export function assembleReceiving(options: WorkerOptions, made: Assembled, outside: Outside): Acceptor {
  const { clock, disk, shared, dns } = outside
  const { current, report, spool, sending, keeping, newTraceId, rights, filters } = made
  const { recipients, tell } = sending
  const { hostname, dataFolder } = options.config
  const room = new Room(clock, () => current.config.limits.contentMemoryOctetsMax, spool)
  const { limits, records } = outboundDesk(shared?.desk ?? nobody)
  const leaving = {
    clock,
    directory: () => current.directory,
    limits,
    records,
    report: tell,
    ...(rights && { verified: rights.verified.has }),
  }
  const feedback = assembleFeedback(current, sending, records, outside)
  const lists = shared && sharedOf(shared, clock)
  const relay = new Relay({
    hostname,
    clock,
    directory: () => current.directory,
    hopsMax: () => current.config.limits.hopsMax,
    primaries: keeping.outages,
    flush: options.flushAll ?? ((routes) => keeping.operations.flushRoutes(routes)),
    recipients: recipients.knowledge,
    room: (octets, copies) => room.for(octets, copies),
    outbound: new Outbound({ ...leaving, ...lists }),
    bounces: new Bounces({ ...leaving, ...(feedback && { takesReports: (path) => feedback.takes(path) }) }),
    ...(feedback && { feedback }),
    calloutSender: new CalloutSender({ ...leaving, mailbox: () => current.config.calloutSender }),
    ...(dns && {
      authenticating: new Authenticating({
        ...{ hostname, clock, dns, report: tell },
        isOn: () => current.config.authentication,
      }),
    }),
    returnPaths: new ReturnPaths(leaving),
    scanning: new Scanning({ wall: filters.wall, report: tell }),
    filtering: new Filtering({ ...spamPartsOf(filters.spam), report: tell }),
    ...(shared && { quarantining: assembleQuarantining(options.config, shared, tell, { clock, disk }) }),
    ...assembleAuthentication(made, { clock, shared }),
    ...(rights && { signing: new Signing({ ...leaving, keysOf: rights.keys.of }) }),
    commit: assembleCommit(made, clock),
    report: tell,
  })
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

const spamPartsOf = ({ gathering, begin, protects, judged }: Filters['spam']) => ({
  gathering,
  begin,
  protects,
  judged,
})

const assembleCommit = ({ current, spool, sending, keeping, newTraceId }: Assembled, clock: Clock): Commit =>
  new Commit({
    clock,
    report: sending.tell,
    route: current.route,
    newTraceId,
    spool: {
      append: (message, content, firstAttemptMs) => spool.append(message, content, firstAttemptMs),
      get: (id) => spool.get(id),
      change: keeping.keep.change,
    },
    spoolRefusal,
    queue: keeping.queue,
    attempt: (to, message, how) => sending.delivery.attempt(to, message, how),
  })

function assembleQuarantining(
  { dataFolder }: Config,
  { desk }: Shared,
  report: Report,
  { clock, disk }: Pick<Outside, 'clock' | 'disk'>,
): Quarantining {
  const keeper = new Keeper(new Contents(quarantineFolder(dataFolder), disk), quarantineDesk(desk))
  return new Quarantining({ clock, keeper, report })
}

const sharedOf = ({ desk, store }: Shared, clock: Clock) => ({
  quota: quotaOf(desk),
  suppressed: suppressedOf(store, clock),
})

type Shares = Pick<Outside, 'clock'> & { readonly shared: Outside['shared'] | undefined }

function assembleAuthentication({ credentials, sending }: Assembled, { clock, shared }: Shares) {
  if (credentials === undefined || shared === undefined) return {}
  const authentication = new Authentication({
    credentials,
    guesses: guessesOf({ desk: shared.desk, clock }),
    clock,
    nonce: () => randomBytes(NONCE_OCTETS).toString('base64'),
    report: sending.tell,
  })
  return { authentication }
}
