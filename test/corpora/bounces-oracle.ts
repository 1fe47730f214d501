/**
 * What the bounces of the corpus are, by those who collected them: their tables, and their file names where these tell the
 * kind. Where we answer otherwise on purpose, the difference stands here with its reason.
 */
import type { AutomaticKind, AutomaticMail, DsnRecipient } from '#mime/automatic/automatic-mail.ts'

export type ExpectedKind = AutomaticKind | 'reply'

/** By source and file name without folder; the first that fits. */
const KINDS: readonly (readonly [RegExp, ExpectedKind])[] = [
  // Apple Mail's own "unsubscribe" by mail: no feedback report, though Sisimai files it there; it says auto-replied itself.
  [/^sisimai\/.*\/arf-26\./, 'reply'],
  // A person forwards a bounce that he got, Fwd: and all.
  [/^sisimai\/.*\/(?:lhost-sendmail-14|make-test-36)\./, 'ordinary'],
  [/^sisimai\/.*\/arf-/, 'feedback-report'],
  [/^sisimai\/.*\/rfc3834-/, 'reply'],
  [/^sisimai\/not\//, 'ordinary'],
  [/^sisimai\//, 'dsn'],
  [/^bounceparser\/(?:aol-vacation|autoreply|polish-autoreply)/, 'reply'],
  [/^bounceparser\/(?:bluebottle|boxbe|.*challenge)/, 'challenge'],
  // Spam that a test of the parser needs; "spam-rejection" is a bounce.
  [/^bounceparser\/spam-(?!rejection)/, 'ordinary'],
  [/^bounceparser\//, 'dsn'],
  [/^flanker\/(?:aol|yahoo|.*complaint)/, 'feedback-report'],
  [/^mimekit\/feedback/, 'feedback-report'],
  [/^mimekit\/.*disposition/, 'mdn'],
  // Names with "fp" are no backscatter for SpamAssassin; bug 5912's two are bounces all the same.
  [/^spamassassin\/.*\/fp_bug5912/, 'dsn'],
  [/^spamassassin\/.*\/fp/, 'ordinary'],
  [/^spamassassin\/CHALLENGE/, 'challenge'],
  // A rejection by Sieve, which answers with a disposition notification (RFC 5429 §2.1.1).
  [/^spamassassin\/.*bug-6051-1$/, 'mdn'],
  // A virus scanner tells the recipient what it took away.
  [/^spamassassin\/.*kerbango$/, 'ordinary'],
  [/./, 'dsn'],
]

/** The kind that a file of the corpus is. `sourcePath` and `reasons` come from its tables. */
export function expectedKind(path: string, sourcePath: string, reasons: ReadonlySet<string>): ExpectedKind {
  if (reasons.has('vacation')) return 'reply'
  // "feedback" is Sisimai's reason for complaints; arf-26 above.
  if (reasons.has('feedback') && !/arf-26/.test(path)) return 'feedback-report'
  if (/non_bounces/.test(sourcePath)) return /1234211024/.test(path) ? 'reply' : 'ordinary'
  return KINDS.find(([pattern]) => pattern.test(path))![1]
}

export const isKind = (mail: AutomaticMail, expected: ExpectedKind): boolean =>
  expected === 'reply' ? mail.kind === 'auto-reply' || mail.kind === 'out-of-office' : mail.kind === expected

export interface SisimaiRow {
  readonly dsn: string
  readonly replyCode: string
  readonly reason: string
}

/**
 * What a derived status may be where the message has none, by Sisimai's reason. Its own code there (x.0.9nn) is internal.
 * `x` is any subject or detail; 0.0 ("it failed, nobody says why") is never wrong.
 */
const DERIVED: Readonly<Record<string, RegExp>> = {
  userunknown: /^1\.\d|^2\.1/,
  filtered: /^1\.\d|^2\.[01]|^7\.\d/,
  hostunknown: /^1\.[0-9]|^4\.[34]/,
  mailboxfull: /^2\.2/,
  suspend: /^2\.1|^1\.1/,
  expired: /^4\.\d/,
  networkerror: /^4\.\d/,
  notaccept: /^3\.2|^4\.\d|^7\.|^1\.10|^1\.2|^2\.0/,
  mesgtoobig: /^3\.4|^2\.3/,
  exceedlimit: /^2\.3|^3\.4/,
  systemerror: /^3\.\d|^4\.\d/,
  mailererror: /^3\.\d|^2\.\d/,
  norelaying: /^7\.1|^1\.2/,
  blocked: /^7\./,
  rejected: /^7\.|^1\.[78]|^1\.[01]|^2\.[01]/,
  requireptr: /^7\.25|^7\.1|^2\.0/,
}

/** Whether a recipient's status is what a row of Sisimai's table says. */
export function isStatus(found: DsnRecipient, row: SisimaiRow): boolean {
  const status = found.status
  if (row.dsn === '' || row.dsn === status) return true
  const [kind, rest] = [status[0]!, status.slice(2)]
  if (!/^\d\.0\.9\d\d$/.test(row.dsn)) return false
  // Sisimai takes the class of a delay notice's code; ours says what will happen to the message.
  const isSameClass = kind === row.dsn[0] || found.action === 'delayed' || row.reason === 'expired'
  return isSameClass && (rest === '0.0' || (DERIVED[row.reason]?.test(rest) ?? true))
}
