/** A worker's side of the quarantine: what is to be kept goes to the supervisor, and what is released comes from there. */
import type { Content } from '#mail/content.ts'
import type { Report } from '#mail/event.ts'
import type { ScanResult } from '#mail/scan.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { Contents } from '#quarantine/contents.ts'
import type { KeeperDesk } from '#quarantine/keeper.ts'
import type { Queue } from '#queue/queue.ts'
import type { Spool } from '#spool/contract.ts'
import { Release, type ReleaseAnswer, type ReleaseQuestion } from '../relay/release.ts'
import { Signing } from '../relay/signing.ts'
import type { Outside } from './assemble.ts'
import type { QuarantineQuestions } from './clerks/quarantine.ts'
import type { Current } from './current.ts'
import { quarantineFolder } from './folders.ts'
import type { Rights } from './rights.ts'
import type { AskDesk } from './serve/worker.ts'
import { teachOf } from './spam-desk.ts'

/** The sender waits meanwhile, and the supervisor syncs twice. */
const ANSWER_MS_MAX = 30_000

export function quarantineDesk(desk: AskDesk): KeeperDesk {
  const ask = async <About extends keyof QuarantineQuestions>(about: About, body: QuarantineQuestions[About]['body']) =>
    (await desk(about, body, ANSWER_MS_MAX)) as QuarantineQuestions[About]['answer']
  return {
    room: (tenant, octets) => ask('quarantine/room', { tenant, octets }),
    keep: (entry) => ask('quarantine/keep', entry),
  }
}

export interface ReleaseOf {
  readonly current: Current
  readonly spool: Spool
  readonly queue: Queue
  readonly wall: () => { scan(content: Content): Promise<ScanResult> } | undefined
  readonly newTraceId: () => TraceId
  readonly rights: Rights | undefined
  readonly report: Report
}

export function releaseOf(
  { current, rights, ...parts }: ReleaseOf,
  { clock, disk, shared }: Pick<Outside, 'clock' | 'disk' | 'shared'>,
): (question: ReleaseQuestion) => Promise<ReleaseAnswer> {
  const { dataFolder, hostname } = current.config
  const directory = () => current.directory
  const signing =
    rights &&
    new Signing({ clock, directory, keysOf: rights.keys.of, verified: rights.verified.has, report: parts.report })
  const contents = new Contents(quarantineFolder(dataFolder), disk)
  const release = new Release({ ...parts, ...teachOf(shared), clock, hostname, directory, contents, signing })
  return (question) => release.release(question)
}
