/** For tests: one notice of each kind, with facts that are easy to recognise. */
import type {
  HeldDigest,
  HeldMessage,
  MaintenanceNotice,
  Notice,
  PrimaryNotice,
  SenderDomainNotice,
} from '#mail/notice.ts'
import { forwardPath, mailbox, WALL_MS } from '#mail/testing.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { NoticeOptions } from './notices.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export const options = (language: 'de' | 'en'): NoticeOptions => ({
  language,
  hostname: 'mx1.relay.example',
  to: mailbox('postmaster@bakery.example'),
  wallMs: WALL_MS,
  newMessageId: () => '1PMGR4T80000001',
  timeZone: 'Europe/Berlin',
})

const id = (n: number): TraceId => `1PMGR4T800${String(n).padStart(5, '0')}` as TraceId
const from = (text: string) => ({ kind: 'mailbox', mailbox: mailbox(text) }) as const

export function held(n: number, more: Partial<HeldMessage> = {}): HeldMessage {
  return {
    id: id(n),
    route: 'bakery/main',
    reversePath: from('anna@sender.example'),
    recipients: [
      { forwardPath: forwardPath('info@bakery.example'), reason: 'refused', text: '550 5.1.1 No such user here' },
    ],
    subject: ' Bestellung',
    octets: 12_345,
    receivedMs: WALL_MS - 6 * HOUR_MS,
    ...more,
  }
}

const several: readonly HeldMessage[] = [
  held(1, { subject: ' =?UTF-8?Q?Br=C3=B6tchen_f=C3=BCr_Samstag?=', keptUntilMs: WALL_MS + 14 * DAY_MS }),
  held(2, {
    reversePath: { kind: 'null' },
    recipients: [
      {
        forwardPath: forwardPath('chef@xn--bckerei-5wa.example'),
        reason: 'refused',
        text: '554 5.7.1 Message contains <a href="https://filter.example/">spam</a>',
      },
    ],
    subject: ' Konto =?utf-8?q?gesperrt=2C_siehe_http?= s://login.example/ und <b>https://login.example/</b>',
    octets: 4_321_000,
  }),
  held(3, {
    recipients: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, i) => ({
      forwardPath: forwardPath(`${name}@bakery.example`),
      reason: 'expired',
      text: i < 6 ? 'no reply: connect' : '452 4.2.2 Mailbox full',
    })),
    octets: 90,
  }),
  held(4, {
    recipients: [
      { forwardPath: { kind: 'postmaster' }, reason: 'loop', text: '26 hops' },
      { forwardPath: forwardPath('"a b"@bakery.example'), reason: 'operator', text: 'held by operator' },
      { forwardPath: forwardPath('laden@bakery.example'), reason: 'policy', text: 'rule "no invoices"' },
      { forwardPath: forwardPath('x@bakery.example'), reason: 'refused', text: '550 Go away' },
    ],
  }),
].map((message, i) => (i === 2 ? withoutSubject(message) : message))

function withoutSubject({ subject: _, ...message }: HeldMessage): HeldMessage {
  return message
}

export const digest = (messages: readonly HeldMessage[], more: Partial<HeldDigest> = {}): HeldDigest => ({
  kind: 'held-digest',
  tenant: 'bakery',
  atMs: WALL_MS,
  messages,
  newHeld: messages.length,
  allHeld: messages.length,
  ...more,
})

const facts = {
  tenant: 'bakery',
  route: 'bakery/main',
  domains: ['bakery.example', '*.bakery.example'],
  sinceMs: WALL_MS - 26 * HOUR_MS,
  atMs: WALL_MS,
  waiting: 1234,
  oldestMs: WALL_MS - 25 * HOUR_MS,
}

const primary = (kind: PrimaryNotice['kind'], more: Partial<PrimaryNotice> = {}): PrimaryNotice => ({
  ...facts,
  kind,
  text: 'no answer from 192.0.2.9 port 25 in 30 s',
  ...more,
})

const { oldestMs: _, ...empty } = { ...facts, waiting: 0 }
const maintenance = (kind: MaintenanceNotice['kind'], more: Partial<MaintenanceNotice> = {}): MaintenanceNotice => ({
  ...empty,
  kind,
  untilMs: WALL_MS + 30 * MINUTE_MS,
  ...more,
})

/** By the name of the golden file. */
const senderDomain = (kind: SenderDomainNotice['kind'], sinceMs: number, untilMs: number): SenderDomainNotice => ({
  ...{ kind, tenant: 'bakery', domain: 'bakery-shop.example', sinceMs, untilMs, atMs: WALL_MS },
  recordName: '_vorposten.bakery-shop.example',
  record: 'vorposten-sender=3f0c9e1b5a7d2468',
})

export const NOTICES: { readonly [name: string]: Notice } = {
  'held-one': digest([held(1)]),
  'held-several': digest(several, { newHeld: 70, allHeld: 1300 }),
  'primary-down': { ...empty, kind: 'primary-down', sinceMs: WALL_MS - 10 * MINUTE_MS, text: 'connection refused' },
  'still-down': primary('still-down', { expiresMs: WALL_MS + 59 * DAY_MS }),
  'primary-up': primary('primary-up', { text: '220 mail.bakery.example ESMTP' }),
  'primary-up-drained': { ...empty, kind: 'primary-up', text: '', drained: { messages: 1, tookMs: 90_000 }, held: 2 },
  'primary-drained': {
    ...empty,
    kind: 'primary-drained',
    text: '220 mail.bakery.example ESMTP',
    upMs: WALL_MS - 40 * MINUTE_MS,
    drained: { messages: 99_996, tookMs: 40 * MINUTE_MS },
    waiting: 1,
    held: 3,
  },
  'login-locked': {
    kind: 'login-locked',
    tenant: 'bakery',
    login: 'bernd@bakery.example',
    atMs: WALL_MS,
    signs: [
      { symbol: 'unknown-recipients', count: 210, of: 1300 },
      { symbol: 'sudden-volume', count: 1300, of: 40 },
      { symbol: 'many-domains', count: 120, of: 6 },
      { symbol: 'new-network', count: 1300 },
      { symbol: 'keeps-sending', count: 50 },
      { symbol: 'bounces', count: 310, of: 1300 },
      { symbol: 'complaints', count: 12, of: 1300 },
    ],
  },
  'sender-domain-going': senderDomain('sender-domain-going', WALL_MS, WALL_MS + 7 * DAY_MS),
  'sender-domain-revoked': senderDomain('sender-domain-revoked', WALL_MS - 7 * DAY_MS, WALL_MS),
  'maintenance-began': maintenance('maintenance-began', { reason: 'new disks', sinceMs: WALL_MS }),
  'maintenance-ending': maintenance('maintenance-ending', { waiting: 1, oldestMs: WALL_MS - HOUR_MS }),
  'maintenance-ended': maintenance('maintenance-ended', { waiting: 3, oldestMs: WALL_MS - HOUR_MS, untilMs: WALL_MS }),
}
