/** The clerk of abuse with two logins of a bakery, a clock by hand and a store in memory. */
import type { Notice } from '#mail/notice.ts'
import { HandClock } from '#queue/testing.ts'
import { CREDENTIALS, CredentialStore } from '#store/credentials.ts'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { SENDING_COUNTS } from '#store/sending-counts.ts'
import { SENDING_HABITS } from '#store/sending-habits.ts'
import type { SendingLimits } from '#tenant/directory.ts'
import type { QuotaAnswer } from '../../relay/outbound.ts'
import { AbuseClerk } from './abuse.ts'

export const LIMITS: SendingLimits = { login: { per10Minutes: 20, perDay: 50 } }
export const ANNA = 'anna@bakery.test'

export function openAbuse(path = ':memory:', clock = new HandClock()) {
  const store = openStore(path, [CREDENTIALS, SENDING_COUNTS, SENDING_HABITS])
  const credentials = new CredentialStore(store)
  const scram = { salt: Buffer.alloc(16), iterations: 1, storedKey: Buffer.alloc(32), serverKey: Buffer.alloc(32) }
  for (const login of [ANNA, 'bernd@bakery.test'])
    credentials.add({ login, tenant: 'bakery', networks: [], senders: [], hash: 'x', scram }, clock.wall())
  const lines: string[] = []
  const notices: Notice[] = []
  const commits = new GroupCommit(store)
  const wallMs = () => clock.wall()
  const clerk = new AbuseClerk({
    store,
    credentials,
    commits,
    wallMs,
    clock,
    log: (line) => void lines.push(line),
    notify: (notice) => void notices.push(notice),
  })
  const asked: unknown[] = []
  clerk.started(async (about, body) => [asked.push([about, body])])
  const take = async (login?: string, limits = LIMITS, domain = 'far.test', client = '192.0.2.1') => {
    const recipient = { tenant: 'bakery', ...(login && { login }), limits, domain, client }
    return (await clerk.answer('take', recipient)) as QuotaAnswer
  }
  const takes = async (times: number, login?: string, limits = LIMITS) => {
    let taken = 0
    for (let i = 0; i < times; i++) if ((await take(login, limits)).kind === 'taken') taken++
    return taken
  }
  const answered = (answered: number, unknown: number) =>
    clerk.answer('answered', [{ tenant: 'bakery', login: ANNA, answered, unknown }])
  return { asked, notices, clock, store, credentials, clerk, lines, take, takes, answered }
}
