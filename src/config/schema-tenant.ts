/**
 * A tenant: who hears of held mail, the domains, and the routes to the tenant's servers.
 */
import { z } from 'zod'
import { type AddressFault, parseMailbox } from '#mail/address.ts'
import { hostName, network } from './schema-listener.ts'
import { caFile, loginSettings } from './schema-login.ts'
import { bounceProtectionSettings, outboundSettings } from './schema-outbound.ts'
import { personName } from './schema-people.ts'
import { tenantQuarantine } from './schema-quarantine.ts'
import { recipients } from './schema-recipients.ts'
import { recipientSpamPolicySettings, spamPolicySettings } from './schema-spam.ts'
import { recipientPolicySettings, virusPolicySettings } from './schema-virus.ts'
import { choice, count, duration, flag, oneOrMore, prose, section, setting, size } from './setting.ts'
import { timeZone } from './time-zone.ts'
import { canonicalAddress, readFullDomain, readHostPort } from './units.ts'

/** Also the names of routes: both are parts of route ids, log lines and metrics. */
export const NAME = /^[a-z0-9-]{1,63}$/
export const NAME_ALLOWED = 'a name of a-z, 0-9 and -, up to 63 characters'

const FAULT_TEXTS: Partial<Record<AddressFault, string>> = {
  'no-at-sign': 'there is no @',
  domain: 'what follows the @ is not a domain',
  'local-part': 'what precedes the @ is empty or has a dot at its end, two in a row, or a character that needs quotes',
  'local-part-too-long': 'what precedes the @ has more than 64 octets',
  'quoted-string': 'the quotes are not closed, or hold a control character',
  'trailing-characters': 'something follows the address',
}
export const addressFaultText = (kind: AddressFault): string => FAULT_TEXTS[kind] ?? kind

export const mailbox = setting({
  allowed: 'an address such as postmaster@bakery.example',
  brief: 'an address',
  read: (text) => {
    const parsed = parseMailbox(text)
    return parsed.ok ? parsed.value : undefined
  },
  json: { type: 'string' },
  hint: (text) => {
    const parsed = parseMailbox(text)
    return parsed.ok ? undefined : addressFaultText(parsed.fault)
  },
})

export const routeId = setting({
  allowed: 'tenant/name, such as provider/smarthost',
  brief: '`tenant/name`',
  read: (text) => (/^[a-z0-9-]{1,63}\/[a-z0-9.*-]{1,255}$/.test(text) ? text : undefined),
  json: { type: 'string', examples: ['provider/smarthost'] },
})

const hostPort = setting({
  allowed: 'a host such as mail.bakery.example, mail.bakery.example:25, 192.0.2.1 or "[2001:db8::1]:25"',
  read: readHostPort,
  json: { type: 'string', examples: ['mail.bakery.example', '192.0.2.1:2525'] },
})

/** The preference that a host has if it says none; the middle of what people use in MX records. */
const PREFERENCE = 10
export const preferredHost = section({
  host: hostPort.describe('Name or address, with its port if that is not the usual one.'),
  preference: count(0, 65_535)
    .prefault(PREFERENCE)
    .describe('The lowest is tried first; equal ones share the load, as with MX (RFC 5321 §5.1).'),
})

/** One host, alone or with a preference. */
const nextHop = z
  .unknown()
  .transform((written, context) => {
    const alone = typeof written !== 'object' || written === null
    const result = preferredHost.safeParse(alone ? { host: written } : written)
    if (result.success) return { ...result.data.host, preference: result.data.preference }
    const inside = (path: PropertyKey[]) => (alone ? [] : path)
    for (const issue of result.error.issues) context.addIssue({ ...issue, path: inside(issue.path) } as never)
    return z.NEVER
  })
  .meta({ 'x-allowed': 'a host, or `{host: …, preference: …}`', 'x-host': true })

const hosts = oneOrMore(nextHop)

const ipAddress = setting({
  allowed: 'an address such as 192.0.2.7 or "2001:db8::7"',
  brief: 'an address',
  read: canonicalAddress,
  json: { type: 'string', examples: ['192.0.2.7', '2001:db8::7'] },
})

const sourceAddress = section({
  address: ipAddress.describe('An address of this machine. Its name in DNS should be the greeting name, and back.'),
  'greeting-name': hostName.optional().describe('Name in our EHLO from there, if not that of the route.'),
})

export const routeSettings = section({
  hosts: hosts
    .optional()
    .describe(
      prose(
        'The tenant’s servers. Either this or `use-mx`. Port 25, for LMTP 24, with `implicit-tls` 465, if none is given. With a preference: `{host:',
        'backup.bakery.example, preference: 20}`; without one it is 10. The lowest is tried first, equal ones',
        'share the load.',
      ),
    ),
  'use-mx': flag
    .prefault(false)
    .describe(
      prose(
        'For mail that leaves: each recipient domain is a destination of its own, whose hosts its MX records name (RFC 5321',
        '§5.1). `connections-max`, `rate-max`, retries and back-off are then those of each destination. See',
        'outbound-routing.md.',
      ),
    ),
  'mx-port': count(1, 65_535)
    .prefault(25)
    .describe('Port of these hosts. Mail servers of the Internet listen on 25 and nowhere else; others are for tests.'),
  protocol: choice('smtp', 'lmtp')
    .prefault('smtp')
    .describe('`lmtp` (RFC 2033) answers for each recipient after the content; never on port 25 (RFC 2033 §5).'),
  tls: choice('never', 'opportunistic', 'required', 'verified')
    .prefault('opportunistic')
    .describe(
      prose(
        '`opportunistic`: encrypted if the server can (RFC 7435). `required`: encrypted or not at all, any',
        'certificate. `verified`: also a certificate of a trusted authority that names the host. `never`: for',
        'a server whose STARTTLS is broken.',
      ),
    ),
  'implicit-tls': flag
    .prefault(false)
    .describe(
      prose(
        'TLS from the first octet, without STARTTLS, as smarthosts do on port 465 (RFC 8314 §3). Needs `hosts` and `tls:',
        'verified` or `required`. The port is then 465, if none is given.',
      ),
    ),
  'tls-by-domain': z
    .record(z.string(), choice('never', 'opportunistic', 'required', 'verified'))
    .optional()
    .describe(
      prose(
        'With `use-mx`: recipient domains for which this holds instead of `tls`, whatever they publish themselves (DANE,',
        'MTA-STS): `{broken.example: opportunistic, partner.example: verified}`. See tls-policy.md.',
      ),
    ),
  'ca-file': caFile,
  login: loginSettings
    .optional()
    .describe(
      prose(
        'How we log in at the hosts, where a smarthost wants that (RFC 4954). Needs `hosts` and `tls: verified`: a login is',
        'never sent to anybody else. See outbound-routing.md.',
      ),
    ),
  'connections-max': count(1, 10_000)
    .prefault(20)
    .describe(
      prose(
        'Connections at a time to the hosts of the route. The workers share them evenly; each has one at least,',
        'so let there be no fewer than workers. Less if the server is small.',
      ),
    ),
  'rate-max': count(1, 100_000)
    .optional()
    .describe(
      prose(
        'Messages per second to the hosts of the route, all workers together. Waiting mail keeps to it; a',
        'delivery in the session of its sender (`cut-through`) does not wait, but is counted. Without it the',
        'queue finds out what the server takes.',
      ),
    ),
  'probe-interval': duration('1s', '10m')
    .prefault('30s')
    .describe(
      prose(
        'How often the hosts are asked whether they are up (a connection, EHLO, QUIT), if a domain with',
        '`service: fallback-mx` takes this route. While the answer changes they are asked three times as often.',
      ),
    ),
  'deliveries-per-connection-max': count(1, 1_000_000)
    .prefault(100)
    .describe('Messages over one connection before it is closed, so that load spreads over the hosts again.'),
  retry: section({
    first: duration('1s', '1d')
      .prefault('5m')
      .describe('Wait after the first failed attempt; it doubles after each further one.'),
    max: duration('1s', '7d')
      .prefault('1h')
      .describe(
        prose(
          'Longest wait. RFC 5321 §4.5.4.1 asks for 30 minutes at least in general; these are servers that wait',
          'for the mail.',
        ),
      ),
  })
    .prefault({})
    .describe('When a message that could not be delivered is tried again.'),
  lifetime: duration('1m', '60d')
    .prefault('5d')
    .describe(
      prose(
        'How long we try (RFC 5321 §4.5.4.1: 4 to 5 days). After it the message is held for the tenant, never',
        'bounced.',
      ),
    ),
  'greeting-name': hostName
    .optional()
    .describe('Name in our EHLO to these hosts; the relay’s `hostname` if none is given.'),
  'source-addresses': oneOrMore(sourceAddress)
    .optional()
    .describe(
      prose(
        'Addresses of this machine from which these hosts are reached, one at random for each connection. IPv4 hosts are',
        'reached from IPv4 addresses, IPv6 hosts from IPv6 addresses; where there is none of a family, hosts are not',
        'reached by it.',
      ),
    ),
})

const shortName = setting({
  allowed: NAME_ALLOWED,
  brief: 'a name',
  read: (text) => (NAME.test(text) ? text : undefined),
  json: { type: 'string' },
})

export const domainSettings = section({
  route: shortName.optional().describe('Name of the tenant’s route that its mail takes. Either this or `deliver-to`.'),
  'deliver-to': hosts
    .optional()
    .describe(
      prose(
        'The servers themselves, if the domain needs no route of its own kind: SMTP, opportunistic TLS, all',
        'other defaults of a route.',
      ),
    ),
  recipients: recipients
    .prefault('live')
    .describe(
      prose(
        'How we know who exists (R1). `live`: the tenant’s server is asked when RCPT arrives, and its answer',
        'is kept for a while. `listed`: these; plain local parts or full addresses. `file`: a list, one',
        'address on a line, `#` begins a comment, or CSV; read at the start and at each reload, and a faulty one',
        'leaves the last good one in force. `{list: imported}`: the list that `vorposten recipients',
        'import` brought. `ldap`: fetched from a directory, again and again. `accept-all`: everyone, by',
        'explicit choice, for a server that takes all mail and stays silent. postmaster always exists',
        '(RFC 5321 §4.5.1). With `file`, `list` and `ldap`, `otherwise: live` asks the server about who is not on the',
        'list (default: `refuse`), and `subaddress-separator: "+"` finds `anna+shop` if `anna` is on it (RFC',
        '5233). See docs/recipient-lists.md.',
      ),
    ),
  service: choice('inbound', 'fallback-mx')
    .prefault('inbound')
    .describe(
      prose(
        '`inbound`: we are the MX of the domain. `fallback-mx`: the tenant’s server is, and we are a further',
        'one that takes mail while it is down: what we accept is always written to disk first, and only what',
        'a list knows to be unknown is refused for good. See fallback-mx.md.',
      ),
    ),
  'refuse-while-primary-up': flag
    .prefault(true)
    .describe(
      prose(
        'For `fallback-mx`: while the tenant’s server answers our probes, senders hear 451 and go there. With',
        '`false` their mail is taken and passed on.',
      ),
    ),
  lifetime: duration('1m', '31d')
    .optional()
    .describe('How long we try to deliver the domain’s mail, if not for the `lifetime` of its route.'),
  'etrn-from': oneOrMore(network)
    .optional()
    .describe(
      prose(
        'Networks of the tenant’s servers that may ask for the domain’s waiting mail with ETRN (RFC 1985).',
        'Without it nobody may.',
      ),
    ),
  commit: choice('cut-through', 'spool')
    .prefault('cut-through')
    .describe(
      prose(
        '`cut-through`: our answer to the sender is that of the tenant’s server, so a refusal needs no',
        'bounce; if that server is away, mail for known recipients is spooled. `spool`: every message is',
        'written to disk first, then delivered.',
      ),
    ),
  'size-max': size('64KiB', '2GiB')
    .optional()
    .describe('Largest content for this domain; at most, and by default, `limits.content-size-max`.'),
  virus: virusPolicySettings
    .optional()
    .describe('What becomes of findings in the domain’s mail; what is not said here is as for the tenant.'),
  'virus-by-recipient': z
    .array(recipientPolicySettings)
    .optional()
    .describe(
      prose(
        'The same for some recipients; what is not said here is as for the domain. Recipients whose policies differ do not',
        'share a transaction: the second hears 452 4.5.3.',
      ),
    ),
  spam: spamPolicySettings
    .optional()
    .describe('What becomes of spam in the domain’s mail; what is not said here is as for the tenant.'),
  'spam-by-recipient': z
    .array(recipientSpamPolicySettings)
    .optional()
    .describe('The same for some recipients, as with `virus-by-recipient`.'),
  policy: shortName
    .prefault('default')
    .describe(
      prose(
        'Name of a policy class. Recipients of one class and one route may share a transaction; others hear',
        '452 4.5.3.',
      ),
    ),
})

const HOLD_KEEP = ['1s', '3650d'] as const

/** The same at the top and for a tenant. */
export const holdSettings = section({
  keep: duration(...HOLD_KEEP)
    .prefault('14d')
    .describe('How long; then it is dropped, with a line in the log and in the trace, and nobody is told.'),
})

const tenantHolds = section({
  keep: duration(...HOLD_KEEP)
    .optional()
    .describe('How long held mail of this tenant is kept.'),
})

export const tenantShape = {
  postmaster: mailbox
    .optional()
    .describe('Who hears of held mail and of servers that are down. Without one, only the operator sees it.'),
  digest: choice('daily', 'hourly', 'off')
    .optional()
    .describe('How often the postmaster hears of held mail; `notices.digest` if not given.'),
  people: oneOrMore(personName)
    .optional()
    .describe('Names that others like to play, such as those of the management: see spam-filter.md.'),
  language: choice('de', 'en').prefault('en').describe('Language of what the tenant reads from us.'),
  'time-zone': timeZone
    .optional()
    .describe('Time zone of the moments in what the tenant reads from us; `notices.time-zone` if not given.'),
  holds: tenantHolds.optional().describe('Held mail of this tenant; what is not said here is as in `holds`.'),
  quarantine: tenantQuarantine
    .optional()
    .describe('Quarantined mail of this tenant; what is not said here is as in `quarantine`.'),
  virus: virusPolicySettings
    .optional()
    .describe(
      'What becomes of findings in the tenant’s mail, both ways; what is not said here is as in `virus.policy`.',
    ),
  spam: spamPolicySettings
    .optional()
    .describe(
      'What becomes of spam in the mail that comes in for the tenant; what is not said here is as in `spam.policy`.',
    ),
  outbound: outboundSettings.optional().describe('The tenant’s servers may send through us. Without it they may not.'),
  'bounce-protection': bounceProtectionSettings
    .optional()
    .describe('Bounces of mail that the tenant never sent are refused. Without it every bounce is let through.'),
  'rate-max': count(1, 100_000)
    .optional()
    .describe('Waiting messages of the tenant that are sent in a second, over all routes and workers.'),
}

export const domainName = setting({
  allowed: 'a domain such as bakery.example, or "*.bakery.example" for all its subdomains',
  read: (text) => {
    const name = readFullDomain(text.startsWith('*.') ? text.slice(2) : text)
    return name === undefined ? undefined : text.startsWith('*.') ? `*.${name}` : name
  },
  json: { type: 'string' },
})

export const tenantSettings = section({
  ...tenantShape,
  routes: z.record(z.string().regex(NAME), routeSettings).optional().describe('Ways to the tenant’s servers, by name.'),
  domains: z
    .record(z.string(), domainSettings)
    .optional()
    .describe(
      prose(
        'The tenant’s domains. A name may be written in Unicode. `"*.bakery.example"` (in quotes) stands for',
        'all subdomains that are not declared themselves.',
      ),
    ),
})

export type RouteSettings = z.output<typeof routeSettings>
export type DomainSettings = z.output<typeof domainSettings>
