/**
 * What the sender hears, in one place. Texts name the sender's own data and our rule, never the customer's hosts
 * (RFC 5321 §7.4 and common sense); what the operator needs is in the reasons beside them.
 */
import type { NegativeReply } from '#mail/reply.ts'
import { permanent, transient } from '#mail/reply.ts'
import type { Status } from '#mail/status.ts'
import { type Defer, defer, type Reject, reject } from '#mail/verdict.ts'
import type { Suppressed } from './outbound.ts'

export const relayDenied = (domain: string): Reject =>
  reject(
    permanent(550, '5.7.1', 'Relaying denied: we do not serve this domain'),
    'relay-denied',
    `not a domain of ours: ${domain}`,
  )

/** At an outbound listener: a client in none of the tenants' networks, with a certificate (`clientKey`) of none, or without one. */
export const notACustomer = (address: string, clientKey?: string): Reject => {
  const what =
    clientKey === undefined ? 'your address belongs to no' : 'neither your address nor your certificate belongs to a'
  const key = clientKey === undefined ? 'it showed no certificate' : `its key ${clientKey} is in no from-client-keys`
  return reject(
    permanent(550, '5.7.1', `Relaying denied: ${what} customer of this relay`),
    'outbound-denied',
    `${address} is in no tenant's from-networks, and ${key}`,
  )
}

export const foreignSender = (address: string, domain: string): Reject =>
  reject(
    permanent(
      550,
      '5.7.1',
      `Sender refused: ${domain} is none of your domains; use one of them, or <>, or ask your provider to add it`,
    ),
    'foreign-sender',
    `<${address}> is not of the tenant's domains, nor of its sender-domains`,
  )

/** A sender domain, as long as its owner has not said so in DNS. */
export const unverifiedDomain = (address: string, domain: string, tenant: string): Reject =>
  reject(
    permanent(
      550,
      '5.7.1',
      `You may not send as <${address}> yet: publish the TXT record _vorposten.${domain} that your provider gives you`,
    ),
    'unverified-sender-domain',
    `${domain} has no token of ${tenant} in DNS: vorposten domains show ${domain}`,
  )

export const cannotSayWhose = (domain: string, text: string): Defer =>
  defer(
    transient(451, '4.3.0', `Cannot look up now whether ${domain} is yours, try again later`),
    'sender-rights-unknown',
    text,
  )

export const authRequired = (): Reject =>
  reject(
    permanent(
      530,
      '5.7.0',
      'Authentication required: set user name and password for outgoing mail in your mail program',
    ),
    'auth-required',
    'MAIL without AUTH at a submission listener',
  )

export const authWrong = (): Reject =>
  reject(permanent(535, '5.7.8', 'Authentication failed: wrong user name or password'), 'auth-wrong', 'wrong password')

export const authMalformed = (why: string): Reject =>
  reject(permanent(501, '5.5.2', 'Authentication response cannot be read'), 'auth-malformed', why)

// RFC 5248 §2: X.7.13.
export const authLocked = (why: string): Reject =>
  reject(permanent(535, '5.7.13', `This login is locked: ${why}`), 'auth-locked', why)

export const authNetwork = (why: string): Reject =>
  reject(permanent(535, '5.7.8', `Authentication refused: ${why}`), 'auth-network', why)

export const authThrottled = (why: string): Defer =>
  defer(transient(454, '4.7.0', 'Too many wrong passwords from your network, try again later'), 'auth-throttled', why)

export const authUnknown = (why: string): Defer =>
  defer(transient(454, '4.7.0', 'Passwords cannot be checked now, try again later'), 'auth-unknown', why)

/** The login is right, but its tenant may not send at all. */
export const noOutbound = (tenant: string): Reject =>
  reject(
    permanent(550, '5.7.1', 'Your provider has not enabled outgoing mail for you'),
    'no-outbound',
    `tenant ${tenant} has no outbound settings`,
  )

export const foreignSubmitter = (path: string, login: string): Reject =>
  reject(
    permanent(
      550,
      '5.7.1',
      `You may not send as <${path}> with this login; choose another sender, or ask your provider`,
    ),
    'foreign-sender',
    `${login} may not use ${path}: see vorposten credentials show`,
  )

export const foreignAuthor = (author: string): Reject =>
  reject(
    permanent(550, '5.7.1', `You may not write as ${author} with this login: change From, or ask your provider`),
    'foreign-author',
    `From: ${author} is not the login's to use`,
  )

/** R7. A window slides, so waiting helps; a server does that by itself. */
export const sendingTooMuch = (text: string, waitMs: number): Defer =>
  defer(
    transient(451, '4.7.1', `Too many recipients, try again in ${Math.ceil(waitMs / 60_000)} min (${text})`),
    'sending-limit',
    text,
  )

/** R7. A mail program would try in silence for hours; its user shall see it. */
export const sendingTooMuchToday = (text: string, waitMs: number): Reject =>
  reject(
    permanent(550, '5.7.1', `Too many recipients today, try again in ${Math.ceil(waitMs / 3_600_000)} h (${text})`),
    'sending-limit-day',
    text,
  )

// RFC 5248 §2: X.7.13. Locked after it had logged in.
export const sendingLocked = (why: string): Reject =>
  reject(permanent(550, '5.7.13', `This login is locked: ${why}`), 'login-locked', why)

/** The tenant's list. RFC 3463 §3.2: X.1.1 for what a server has said, so that list programs understand it. */
export function suppressed({ reason, text, sinceMs }: Suppressed, tenant: string): Reject {
  const day = new Date(sinceMs).toISOString().slice(0, 10)
  const then = `if it is right, ask your provider for: vorposten suppressions remove ${tenant} ADDRESS`
  const why = `${WHY_SUPPRESSED[reason]} on ${day}`
  const said = reason === 'operator' ? `${why}: ${text.replace(/[^\x20-\x7e]/g, '?')}` : why
  const reply = permanent(
    550,
    reason === 'bounced' ? '5.1.1' : '5.7.1',
    `Nothing is sent to this address: ${said}; ${then}`,
  )
  return reject(reply, 'suppressed', `${reason} on ${day}: ${text}`)
}

const WHY_SUPPRESSED = {
  bounced: 'its server said that it does not exist',
  complained: 'its owner complained',
  operator: 'it was put on the suppression list',
} as const

export const cannotCountRecipients = (why: string): Defer =>
  defer(transient(451, '4.3.0', 'Recipients cannot be counted now, please try again later'), 'cannot-count', why)

export const authorsUnreadable = (why: string): Reject =>
  reject(
    permanent(550, '5.6.0', 'A message needs one From field with readable addresses (RFC 5322 §3.6.2)'),
    'unreadable-from',
    why,
  )

/** An automatic reply comes again when we can count; it is neither sent uncounted nor lost. */
export const cannotCount = (why: string): Defer =>
  defer(transient(451, '4.3.0', 'Automatic replies cannot be counted now, please try again later'), 'cannot-count', why)

/** What is not in the record of sent mail would have its bounces refused. */
export const cannotRecord = (why: string): Defer =>
  defer(transient(451, '4.3.0', 'Cannot record this mail now, please try again later'), 'cannot-record', why)

export const bounceUnsigned = (fault: string): Reject =>
  reject(
    permanent(550, '5.7.1', 'Bounce refused: mail of this address is signed, and this is no answer to it'),
    'bounce-unsigned',
    `bounce to an address without a valid signature (${fault})`,
  )

export const bounceUnknown = (what: string): Reject =>
  reject(
    permanent(550, '5.7.1', 'Bounce refused: the message that it is about was not sent from here'),
    'bounce-unknown',
    what,
  )

/** `source` says who knows, `ageMs` since when. */
export const unknownRecipient = (source: string, ageMs: number): Reject =>
  reject(
    permanent(550, '5.1.1', 'No such recipient here'),
    'unknown-recipient',
    `unknown recipient (${source}${ageMs > 0 ? `, ${Math.ceil(ageMs / 1000)} s ago` : ''})`,
  )

/** Law 4, for our own keys: it has a signature to get, and must not leave without it. */
export const cannotSign = (why: string): Defer =>
  defer(transient(451, '4.3.0', 'Cannot sign this message now, please try again later'), 'cannot-sign', why)

/** RFC 3463 §3.4: "system not accepting network messages". The sender has a better MX to go to (RFC 5321 §5.1). */
export const primaryUp = (route: string): Defer =>
  defer(
    transient(451, '4.3.2', 'The primary MX of this domain is up, please use it'),
    'primary-up',
    `the primary of ${route} is up`,
  )

export const noEtrn = (): Reject =>
  reject(permanent(502, '5.5.1', 'ETRN is not available'), 'no-etrn', 'nothing answers ETRN here')

/** Law 4: nobody can say now, so nobody says no. */
export const cannotVerify = (why: string): Defer =>
  defer(transient(450, '4.1.1', 'Recipient cannot be verified now, please try again later'), 'cannot-verify', why)

export const anotherGroup = (): Defer =>
  defer(
    transient(452, '4.5.3', 'Please send to this recipient in another transaction'),
    'another-group',
    'another next hop or policy class than the first recipient',
  )

export const tooManyDestinations = (max: number): Defer =>
  defer(
    transient(452, '4.5.3', 'Too many recipient domains; please send to this one in another transaction'),
    'too-many-destinations',
    `${max} destinations in one transaction: each is a copy on disk`,
  )

export const tooManyUnknown = (): Defer =>
  defer(
    transient(450, '4.7.1', 'Too many unknown recipients, please try again later'),
    'harvest',
    'too many unknown recipients in this session',
  )

export const tooLarge = (octetsMax: number): Reject =>
  reject(
    permanent(552, '5.3.4', `Message too large: this recipient takes ${octetsMax} octets at most`),
    'too-large',
    `more than ${octetsMax} octets`,
  )

export const looping = (why: string): Reject =>
  reject(
    permanent(554, '5.4.6', 'Mail loop: this message has been here before, or has made too many hops'),
    'loop',
    why,
  )

export const oversizedHeader = (): Reject =>
  reject(permanent(554, '5.6.0', 'Header section too large'), 'header-too-large', 'header section over its limits')

export const noMemory = (): Defer =>
  defer(
    transient(452, '4.3.1', 'Out of memory for content, please try again later'),
    'no-memory',
    'content memory is used up',
  )

export const noDisk = (): Defer =>
  defer(transient(452, '4.3.1', 'Out of storage, please try again later'), 'spool-full', 'the spool has no space')

export const diskBroken = (): Defer =>
  defer(
    transient(451, '4.3.0', 'Cannot store mail now, please try again later'),
    'spool-broken',
    'the spool cannot write',
  )

export const closing = (): Defer =>
  defer(transient(421, '4.3.2', 'Service is closing down'), 'closing', 'the service is closing down')

/** `what`: in words for the sender; `why`: with names, for the operator. The id leads the tenant's postmaster to it. */
export const malware = (what: string, why: string, id: string): Reject =>
  reject(permanent(550, '5.7.1', `Message refused: ${what}; trace ${id}`), 'malware', why)

/** Nobody named it malware, but the tenant does not take such mail. */
export const forbiddenContent = (what: string, why: string, id: string): Reject =>
  reject(permanent(550, '5.7.1', `Message refused: ${what}; trace ${id}`), 'forbidden-content', why)

/** Law 5: a scanner that did not answer did not say "clean". */
export const notScanned = (why: string): Defer =>
  defer(transient(451, '4.7.1', 'This message cannot be checked now, please try again later'), 'not-scanned', why)

/** In words that tell whoever writes spam nothing of how it was found, and a real sender whom to ask. */
export const spam = (why: string, id: string): Reject =>
  reject(
    permanent(550, '5.7.1', `Message refused: it looks like spam. If it is not, tell your recipient; trace ${id}`),
    'spam',
    why,
  )

/** RFC 6647 §2: after the content, since the content decides. */
export const greylisted = (why: string): Defer =>
  defer(transient(451, '4.7.1', 'We do not know you yet: please try again in a few minutes'), 'greylisted', why)

/** The tenant does not want to do without what did not answer. */
export const notFiltered = (why: string): Defer =>
  defer(transient(451, '4.7.1', 'This message cannot be checked now, please try again later'), 'not-filtered', why)

/** The tenant wants such mail kept, and there is nobody to keep it. The sender does not hear why. */
export const noQuarantine = (why: string): Defer => defer(NOT_NOW, 'no-quarantine', why)

export const quarantineFull = (of: 'tenant' | 'disk'): Defer => {
  const what = of === 'tenant' ? 'the share of the tenant (quarantine.size-max) is used up' : 'its disk is full'
  return defer(NOT_NOW, 'quarantine-full', `nothing can be put into quarantine: ${what}`)
}

export const quarantineFailed = (why: string): Defer =>
  defer(NOT_NOW, 'quarantine-failed', `it could not be put into quarantine: ${why}`)

const NOT_NOW = transient(451, '4.3.0', 'Cannot take this message now, please try again later')

/** The next hop has not taken the message, and we did not take it either. */
export const nextHopDeferred = (why: string): Defer =>
  defer(
    transient(451, '4.4.1', 'Recipient server cannot take the message now, please try again later'),
    'next-hop-deferred',
    why,
  )

/** Some recipients were refused at the last moment, some not: no reply to the dot would be true for all. */
export const mixedRecipients = (why: string): Defer =>
  defer(transient(451, '4.5.0', 'Some recipients have just been refused, please try again'), 'mixed-recipients', why)

export const refusedByNextHop = (reply: NegativeReply & { code: number }, why: string): Reject =>
  reject(reply as Reject['reply'], 'next-hop-refused', why)

export const cannotBeSent = (why: string): Reject =>
  reject(permanent(554, '5.6.7', 'The recipient server cannot take this kind of message'), 'cannot-be-sent', why)

/** RFC 8689 §4.2.1. */
export const cannotBeSentSafely = (status: Status<5>, why: string): Reject =>
  reject(permanent(550, status, 'REQUIRETLS: the recipient server does not give what is asked for'), 'require-tls', why)

/** Nobody could be told later that it was not delivered, so it is passed on while the sender waits, or not at all. */
export const requireTlsStored = (domain: string): Reject =>
  reject(
    permanent(
      550,
      '5.7.30',
      'REQUIRETLS: mail for this domain is stored first, and it cannot be promised; send without',
    ),
    'require-tls',
    `${domain} is not delivered in the session`,
  )

export const requireTlsLater = (why: string): Defer =>
  defer(
    transient(451, '4.4.1', 'REQUIRETLS: the recipient server cannot be asked now, try again later'),
    'require-tls',
    why,
  )
