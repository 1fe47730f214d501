/** The desk of the running program, put together: the store, and the clerks that keep it. */
import { readFile } from 'node:fs/promises'
import type { Config } from '#config/config.ts'
import type { Notify } from '#mail/notice.ts'
import { traceIds } from '#mail/trace-id.ts'
import { Contents } from '#quarantine/contents.ts'
import { fetchKeys } from '#recipients/ldap-directory.ts'
import { CREDENTIALS, CredentialStore } from '#store/credentials.ts'
import { type Database, NewerStore, openStore, type Part } from '#store/database.ts'
import { DKIM_KEYS } from '#store/dkim-keys.ts'
import { FEEDBACK } from '#store/feedback.ts'
import { FINDINGS } from '#store/findings.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { MESSAGE_RECORDS } from '#store/message-records.ts'
import { NOTICE_MARKS } from '#store/notice-marks.ts'
import { OUTAGES_PART, OutagesStore } from '#store/outages.ts'
import { QUARANTINE } from '#store/quarantine.ts'
import { QUARANTINE_ACCESS } from '#store/quarantine-access.ts'
import { RECIPIENT_FACTS } from '#store/recipient-facts.ts'
import { ListReader, RECIPIENT_LISTS, RecipientLists } from '#store/recipient-lists.ts'
import { REMEMBERED_NAMES } from '#store/remembered-names.ts'
import { REPLY_LIMITS } from '#store/reply-limits.ts'
import { SENDER_DOMAINS } from '#store/sender-domains.ts'
import { SENDING_COUNTS } from '#store/sending-counts.ts'
import { SENDING_HABITS } from '#store/sending-habits.ts'
import { SPAM_CORRESPONDENTS } from '#store/spam-correspondents.ts'
import { SPAM_LESSONS } from '#store/spam-lessons.ts'
import { SPAM_SENDERS } from '#store/spam-senders.ts'
import { SPAM_TEXTS } from '#store/spam-texts.ts'
import { KEEP_MS, keepMark, STEADY_WALL, type SteadyWall, steadyWallOf } from '#store/steady-wall.ts'
import { STS_POLICIES } from '#store/sts-policies.ts'
import { SUPPRESSIONS } from '#store/suppressions.ts'
import { TLS_REPORT_MARKS } from '#store/tls-report-marks.ts'
import { TLS_RESULTS } from '#store/tls-results.ts'
import { type Clock, systemClock } from '#sys/clock.ts'
import { systemDisk } from '#sys/disk.ts'
import { createResolver, systemDns } from '#sys/resolver.ts'
import { connectSocket } from '#sys/socket.ts'
import { txtLookup } from '#sys/txt-lookup.ts'
import { AbuseClerk } from './clerks/abuse.ts'
import { CredentialsClerk } from './clerks/credentials.ts'
import { DkimClerk } from './clerks/dkim.ts'
import { DomainsClerk } from './clerks/domains.ts'
import { FeedbackClerk } from './clerks/feedback.ts'
import { findingsClerk } from './clerks/findings.ts'
import { GuessesClerk } from './clerks/guesses.ts'
import { ListsClerk } from './clerks/lists.ts'
import { NoticesClerk } from './clerks/notices.ts'
import { OutagesClerk } from './clerks/outages.ts'
import { outboundClerks } from './clerks/outbound.ts'
import { QuarantineClerk } from './clerks/quarantine.ts'
import { RecipientsClerk } from './clerks/recipients.ts'
import { SpamClerk } from './clerks/spam.ts'
import { SpamMemoryClerk } from './clerks/spam-memory.ts'
import { StsClerk } from './clerks/sts.ts'
import { SuppressionsClerk } from './clerks/suppressions.ts'
import { TlsReportsClerk } from './clerks/tls-reports.ts'
import { EXIT, UserError } from './exit.ts'
import { modelFolder, quarantineFolder, storePath } from './folders.ts'
import { type Clerk, Desk } from './serve/desk.ts'
import { workerCount } from './serve.ts'

/** In ids that it makes, as the number of a worker is in a worker's. */
const SUPERVISOR = 1023

/** Every part of the store, in the order in which they are made. */
export const PARTS: readonly Part[] = [
  STEADY_WALL,
  RECIPIENT_FACTS,
  RECIPIENT_LISTS,
  REPLY_LIMITS,
  MESSAGE_RECORDS,
  FINDINGS,
  NOTICE_MARKS,
  OUTAGES_PART,
  DKIM_KEYS,
  CREDENTIALS,
  SENDING_COUNTS,
  SENDING_HABITS,
  SENDER_DOMAINS,
  STS_POLICIES,
  SUPPRESSIONS,
  TLS_RESULTS,
  FEEDBACK,
  QUARANTINE,
  QUARANTINE_ACCESS,
  TLS_REPORT_MARKS,
  REMEMBERED_NAMES,
  SPAM_SENDERS,
  SPAM_CORRESPONDENTS,
  SPAM_TEXTS,
  SPAM_LESSONS,
]

export async function openDesk(config: Config, log: (line: string) => void): Promise<Desk<Config>> {
  const store = openOwn(storePath(config.dataFolder))
  const wall = steadyWallOf(store, systemClock)
  const wallMs = () => wall.now()
  const recipients = new RecipientsClerk({ store, wall, clock: systemClock, config, lists: new ListReader(store), log })
  const lists = new ListsClerk({
    config,
    lists: new RecipientLists(store),
    clock: systemClock,
    fetch: fetchKeys,
    readText: (path) => readFile(path, 'utf8'),
    // What was learned of a wildcard's subdomains stands under their names.
    changed: (domain) => recipients.directoryChanged(domain.startsWith('*.') ? undefined : domain),
    log,
  })
  const names = nameServersClerk(config)
  const dns = systemDns(systemClock, () => names.servers)
  await lists.prepare()
  const findings = findingsClerk<Config>(store, wallMs, systemClock)
  const notices = new NoticesClerk({ store, wallMs, clock: systemClock, config, log })
  const outages = new OutagesClerk(config, {
    clock: systemClock,
    random: Math.random,
    connect: connectSocket,
    resolve: createResolver(systemClock, dns),
    store: new OutagesStore(store),
    notify: notices.notify,
    log,
  })
  const lookUp = ({ dkim, nameServers }: Config) =>
    txtLookup(systemClock, dkim.dnsServer === undefined ? nameServers : [dkim.dnsServer])
  const asking = { store, wallMs, clock: systemClock, config, lookUp, log }
  const signing = [new DkimClerk(asking), new DomainsClerk({ ...asking, random: Math.random, notify: notices.notify })]
  const leaving = outboundClerks<Config>(store, wallMs)
  const sts = new StsClerk({ database: store, wallMs, clock: systemClock, config, dns, log })
  const suppressions = suppressionsClerk(store, config, wallMs, log)
  const logins = credentialClerks(store, config, wallMs, log, notices.notify, suppressions)
  const tls = new TlsReportsClerk({ ...asking, dns, random: Math.random })
  const quarantine = await quarantineClerk(store, config, wallMs, log)
  const clerks: Clerk<Config>[] = [
    names,
    recipients,
    lists,
    ...leaving,
    findings,
    notices,
    outages,
    ...signing,
    sts,
    tls,
    ...logins,
    suppressions,
    quarantine,
    spamMemoryClerk(store, config, wallMs),
    spamClerk(store, config, wallMs, log),
  ]
  // The store is the last to close.
  return new Desk<Config>([...clerks, storeClerk(store, wall, systemClock)])
}

/** Which name servers are asked from here. */
function nameServersClerk({ nameServers }: Config): Clerk<Config> & { readonly servers: Config['nameServers'] } {
  let servers = nameServers
  return {
    subject: 'name-servers',
    get servers() {
      return servers
    },
    async reload(config) {
      servers = config.nameServers
    },
  }
}

function credentialClerks(
  database: Database,
  config: Config,
  wallMs: () => number,
  log: (line: string) => void,
  notify: Notify,
  suppressions: SuppressionsClerk<Config>,
): Clerk<Config>[] {
  const parts = { store: new CredentialStore(database), commits: new GroupCommit(database), clock: systemClock }
  const abuse = new AbuseClerk({ ...parts, store: database, credentials: parts.store, wallMs, log, notify })
  const feedback = new FeedbackClerk({
    ...parts,
    database,
    wallMs,
    suppress: (reason, said) => suppressions.put(reason, said),
    hasLogin: (tenant, login) => parts.store.find(login)?.tenant === tenant,
    counted: (of) => void abuse.answer('answered', [of]),
  })
  return [new CredentialsClerk({ ...parts, config, log }), new GuessesClerk(parts), abuse, feedback]
}

function spamMemoryClerk(database: Database, config: Config, wallMs: () => number): Clerk<Config> {
  let { tenants } = config
  const tenantExists = (name: string) => tenants.some((tenant) => tenant.name === name)
  const parts = { database, commits: new GroupCommit(database), wallMs, clock: systemClock, tenantExists }
  const clerk = new SpamMemoryClerk<Config>(parts)
  const reload = clerk.reload.bind(clerk)
  return Object.assign(clerk, {
    reload(next: Config) {
      tenants = next.tenants
      return reload()
    },
  })
}

function suppressionsClerk(
  database: Database,
  config: Config,
  wallMs: () => number,
  log: (line: string) => void,
): SuppressionsClerk<Config> & Clerk<Config> {
  let { tenants } = config
  const tenantExists = (name: string) => tenants.some((tenant) => tenant.name === name)
  const parts = { database, commits: new GroupCommit(database), wallMs, clock: systemClock, tenantExists, log }
  const clerk = new SuppressionsClerk<Config>(parts)
  return Object.assign(clerk, {
    async reload(next: Config) {
      tenants = next.tenants
    },
  })
}

async function quarantineClerk(
  database: Database,
  config: Config,
  wallMs: () => number,
  log: (line: string) => void,
): Promise<QuarantineClerk> {
  const clerk = new QuarantineClerk({
    database,
    commits: new GroupCommit(database),
    contents: new Contents(quarantineFolder(config.dataFolder), systemDisk),
    config,
    wallMs,
    clock: systemClock,
    // Above the number of any worker.
    newTraceId: traceIds(SUPERVISOR, systemClock.wall, Math.random),
    workers: workerCount(config.workers),
    log,
  })
  await clerk.prepare()
  return clerk
}

const spamClerk = (
  database: Database,
  { dataFolder }: Config,
  wallMs: () => number,
  log: (line: string) => void,
): SpamClerk<Config> =>
  new SpamClerk<Config>({
    database,
    commits: new GroupCommit(database),
    storePath: storePath(dataFolder),
    folder: modelFolder(dataFolder),
    disk: systemDisk,
    wallMs,
    clock: systemClock,
    log,
  })

/** Keeps the steady clock's mark, and closes the file. */
function storeClerk(store: Database, wall: SteadyWall, clock: Clock): Clerk<Config> {
  let cancel = () => {}
  const keep = (): void => {
    try {
      keepMark(store, wall)
    } catch {
      // A disk that is full is told by the spool; the next turn tries again.
    }
  }
  const keepNowAndThen = (): void => {
    keep()
    cancel = clock.after(KEEP_MS, keepNowAndThen)
  }
  keepNowAndThen()
  return {
    subject: 'store',
    async close() {
      cancel()
      keep()
      store.close()
    },
  }
}

function openOwn(path: string) {
  try {
    return openStore(path, PARTS)
  } catch (error) {
    const advice =
      error instanceof NewerStore
        ? 'Start that release again, or name another data folder.'
        : `See whether ${path} may be written and its disk has space. It holds what was learned and counted, no mail.`
    throw new UserError((error as Error).message, advice, EXIT.unavailable)
  }
}
