/**
 * The words by which `refusal-class.ts` knows why a server refused: in lower case, in the order in which they are looked for.
 * Those of servers in the field, in the languages in which they came.
 */
import type { RefusalClass } from './refusal-class.ts'

export type Words = readonly (readonly [RefusalClass, readonly string[]])[]

/** One for each comma or end of line; `_` is a space at its edge. */
const phrases = (text: string): readonly string[] =>
  text
    .trim()
    .split(/,\s*|\n\s*/)
    .map((phrase) => phrase.replaceAll('_', ' '))

/** Whatever else is said. */
export const SURE: Words = [
  [
    'greylisted',
    phrases(`
      greylist, graylist, grey list, gray list, grey-list, gray-list, verification in progress
      verification is in progress, not yet authorized to deliver, first time sender`),
  ],
  [
    'mailbox-full',
    phrases(`
      over quota, overquota, over-quota, quota exceeded, quota violation, quotaexceeded, quota is full, out of quota
      exceeds quota, exceeded quota, disk quota, disc quota, over the quota, over its quota, exceeded its quota
      exceeded their quota, exceeded storage, storage allocation, storage limit, mailbox full, mailbox is full
      mailbox size limit, mailbox limit, mailfolder is full, mailbox for user is full, inbox is full, inbox full
      out of storage space, user is full, account is full, does not have enough space, not enough space
      disk space limit, too many messages on the server, too many messages in, too much mail data
      boite du destinataire pleine, mailbox has exceeded, postfach ist voll, postfach voll`),
  ],
  [
    'reputation',
    phrases(`
      reputation, blacklist, black list, black-list, blocklist, block list, block-list, block listed, denylist
      blocked using, blocked by ivm, dnsbl, dns blocklist, rbl_, _rbl, spamhaus, spamcop, sorbs, banned sending ip
      banned ip, banned sending, reverse dns, rdns, ptr resource record, ptr record, _ptr_, reverse hostname
      reverse lookup, name lookup failed, cannot find your hostname, cannot find your reverse
      may not be mail exchanger, blocked for spam, blocked for abuse, (bl), confirm this mail server`),
  ],
  [
    'rate',
    phrases(`
      too many connections, too many concurrent, too many simultaneous, too many sessions, concurrent connections
      simultaneous connections, connection limit, connections per, connection rate, too many recipients
      too many messages, too many recent, too many mails, too many emails, too many errors, too many requests
      too much mail, too fast, too frequent, too quickly, rate limit, ratelimit, rate-limit, rate that prevents
      receivingrate, sending rate, rate exceed, exceeded the rate, unusual rate, high rate, throttl, frequency limit
      excessive volume, unexpected volume, volume of, high volume, max message per connection
      maximum number of messages, messages per connection, server busy, slow down, hourly limit, daily limit
      sending limit`),
  ],
]

/** Of a 4yz, before what would speak of the recipient or the content. */
export const FOR_NOW: Words = [
  [
    'local',
    phrases(`
      service unavailable, service is currently unavailable, service is unavailable, service not available
      service temporarily, service currently unavailable, service refuse, temporarily unavailable, temporary failure
      temporary system, temporary server, temporary error, temporary domain failure, temporary lookup failure
      temporarily unable, temporary problem, temporary local problem, internal error, internal server error
      internal resource, system resources, system error, system storage, system not accepting, resources temporarily
      insufficient disk space, insufficient system, out of disk, disk full, no space left, out of memory, replicated
      upstream error, timed out, timeout, not reachable, unverified address, could not load, recipient error
      license expired, server configuration, configuration error, mail server temporarily, requested action aborted
      local error in processing, error in processing, queue file write, transaction failed, not accepting connections
      lost connection, no route to host`),
  ],
]

/** The rest. */
export const USUAL: Words = [
  [
    'policy',
    phrases(`
      dmarc, due to policy, invalid dns, _spf, spf_, spf-, dkim, unauthenticated, authentication, authrequired
      sender address, sender domain, domain of sender, envelope sender, envelope blocked, sending address
      sending domain, sender rejected, sender not, sender verify, sender invalid, invalid sender, spam sender
      mailfrom domain, mail from domain, spoof, relaying, relay access, as a relay, to relay, relay not, open relay
      rcpthosts, rcptto hosts`),
  ],
  [
    'reputation',
    phrases(`
      your ip, sending ip, source ip, _ip address, ip based, blocked ip, client host, client address, originating ip
      your network, part of their network, your server, your mail server, your host, helo_, listed in, listed on
      listed by, is listed, connections not accepted from, connections will not be accepted, not allowed to send mail`),
  ],
  [
    'recipient',
    phrases(`
      user unknown, unknown user, unknown recipient, recipient unknown, unknown address, address unknown
      addressee unknown, unknown mailbox, unknown local, unknown e-mail, no such user, no such recipient
      no such mailbox, no such address, no such account, no such person, nosuchuser, no mailbox, no mail-box
      not a known user, not known, not a valid user, not a valid mailbox, not our customer, not our user, not listed
      does not exist, doesn't exist, doesn't have a, dosn, not found, could not be found, mailbox unavailable
      mailbox not available, mailbox not found, mailbox unallocated, recipient unavailable, invalid recipient
      invalid mailbox, invalid address, user invalid, marked as invalid, invalid user, address invalid
      not a valid email address, recipient address rejected, recipient addresses rejected, recipient rejected
      no longer, disabled, deactivated, inactiv, suspended, discontinued, temporary locked, account is blocked
      compte du destinataire, account closed, unbekannt, inconnu, nie istnieje, unrouteable, unroutable
      no such domain, host unknown, null mx`),
  ],
  [
    'policy',
    phrases(`
      spam, unsolicited, bulk, _ube, content, policy, policies, virus, malware, infected, phish, attachment
      message size, size limit, size exceeds, too large, too big, rfc 5322, rfc5322, rfc-5322, rfc 2822, header
      suspicious, junk, message filtered, message rejected, mail rejected, rejected by recipient, access denied
      not accepted, prohibited, blocked`),
  ],
  [
    'greylisted',
    phrases(`
      try again in, retry in, come back in, come back later, try later, deferred for`),
  ],
]
