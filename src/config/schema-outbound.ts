/**
 * What leaves a tenant's servers through us, and how the tenant is protected from bounces of mail that it never sent.
 */
import { z } from 'zod'
import { signingSettings } from './schema-dkim.ts'
import { network } from './schema-listener.ts'
import { virusPolicySettings } from './schema-virus.ts'
import { choice, count, duration, flag, oneOrMore, path, prose, section, setting } from './setting.ts'
import { readDate, readFingerprint, readFullDomain } from './units.ts'

const routeName = setting({
  allowed: 'the name of one of the tenant’s routes',
  read: (text) => (/^[a-z0-9-]{1,63}$/.test(text) ? text : undefined),
  json: { type: 'string' },
})

const senderDomain = setting({
  allowed: 'a domain such as bakery.example',
  read: readFullDomain,
  json: { type: 'string' },
})

const fingerprint = setting({
  allowed: 'a SHA-256 fingerprint: 64 hexadecimal digits, with colons or without',
  brief: '64 hexadecimal digits',
  read: readFingerprint,
  json: { type: 'string' },
})

const RECIPIENTS_MAX = 100_000_000
const recipientLimit = (per10Minutes: number, perDay: number) =>
  section({
    'recipients-per-10-minutes': count(1, RECIPIENTS_MAX)
      .prefault(per10Minutes)
      .describe('Recipients within 10 minutes; who comes with more is asked to come back (451).'),
    'recipients-per-day': count(1, RECIPIENTS_MAX)
      .prefault(perDay)
      .describe('Recipients within 24 hours; then a server is asked to come back (451), a login is refused (550).'),
  })

export const outboundSettings = section({
  'from-networks': oneOrMore(network)
    .optional()
    .describe(
      prose(
        'Addresses of the tenant’s servers. On a listener with `service: outbound` clients from there may send to anyone;',
        'nobody else may. Networks of two tenants must not overlap. Needed is this, `from-client-keys`, or a listener with',
        '`service: submission` for users with a login.',
      ),
    ),
  'from-client-keys': oneOrMore(fingerprint)
    .optional()
    .describe(
      prose(
        'Also the tenant’s servers, wherever they are: SHA-256 of the public keys in their client certificates (as in a TLSA',
        'record `3 1 1`). See outbound-routing.md for how to print it.',
      ),
    ),
  route: routeName.describe(
    prose(
      'The tenant’s route that the mail takes: the hosts that bring it out into the world (a smarthost), or one with',
      '`use-mx`, which finds the hosts of each recipient’s domain.',
    ),
  ),
  'domain-routes': z
    .record(z.string(), routeName)
    .optional()
    .describe(
      prose(
        'Recipient domains whose mail takes another route of the tenant: `{example.org: partner}`. `"*.example.org"` (in',
        'quotes) and `.example.org` stand for its subdomains, at any depth, not for itself. The name itself comes first,',
        'then the longest wildcard.',
      ),
    ),
  'null-path-route': routeName
    .optional()
    .describe(
      prose(
        'The route of mail from `<>`, if not `route`: non-delivery messages of the tenant’s servers then leave from other',
        'addresses than its mail, and cannot spoil their name (R6).',
      ),
    ),
  senders: choice('own-domains', 'any')
    .prefault('own-domains')
    .describe(
      prose(
        'Reverse-paths that are taken: `<>` and the tenant’s own domains, or all. `any` is for servers that forward mail',
        'of others without rewriting the reverse-path.',
      ),
    ),
  'sender-domains': oneOrMore(senderDomain)
    .optional()
    .describe(
      prose(
        'Domains that are not served here, and that the tenant may send as all the same, once each has the tenant’s token in',
        'DNS: see `vorposten domains list`. A subdomain is a domain of its own.',
      ),
    ),
  'auto-replies': section({
    limit: count(0, 1000)
      .prefault(2)
      .describe('How many automatic replies go out within the window; the next ones are accepted and discarded (R2).'),
    window: duration('1h', '31d').prefault('7d').describe('The window, which slides.'),
    per: choice('correspondent', 'mailbox')
      .prefault('correspondent')
      .describe('Counted for each mailbox and correspondent, or for the mailbox alone, whoever hears it.'),
  })
    .prefault({})
    .describe('Out-of-office messages and other automatic replies (RFC 3834).'),
  ndrs: choice('verified', 'pass', 'hold', 'discard')
    .prefault('verified')
    .describe(
      prose(
        'Non-delivery messages that the tenant’s servers make (R6). `verified`: one that answers mail which came through',
        'us with a reverse-path that SPF or an aligned DKIM signature verified goes out, any other is held for the',
        'tenant’s postmaster. `hold`: all are held. `pass`: all go out. `discard`: all are',
        'accepted and thrown away.',
      ),
    ),
  'suppress-unknown-recipients': flag

    .prefault(true)
    .describe(
      prose(
        'Whether an address whose server has said that it does not exist gets nothing more for a while: see',
        'abuse-control.md. What an operator put on the list gets nothing either way.',
      ),
    ),
  'suppress-complaints': flag

    .prefault(true)
    .describe('Whether an address whose owner complained (feedback-loops.md) gets nothing more for a year.'),
  limits: section({
    login: recipientLimit(300, 2_000)
      .prefault({})
      .describe('Of each login that has no limits of its own (`vorposten credentials limit`).'),
    'login-max': recipientLimit(3_000, 20_000)
      .optional()
      .describe('The most that a login’s own limits may be. Absent: ten times `login`.'),
    'login-to-one-domain': recipientLimit(300, 2_000)
      .optional()
      .describe('Of each login, to recipients of any one domain. Absent: not counted.'),
    'tenant-to-one-domain': recipientLimit(100_000, 1_000_000)
      .optional()
      .describe(
        'Of all logins and servers of the tenant together, to recipients of any one domain. Absent: not counted.',
      ),
    servers: recipientLimit(100_000, 1_000_000)
      .optional()
      .describe('Of all servers in `from-networks` together. Absent: they are not counted.'),
    tenant: recipientLimit(100_000, 1_000_000)
      .optional()
      .describe('Of all logins and servers of the tenant together. Absent: they are not counted.'),
  })
    .prefault({})
    .describe('How many recipients mail may leave for (R7), in windows that slide, all workers together.'),
  virus: virusPolicySettings
    .optional()
    .describe('What becomes of findings in outgoing mail; what is not said here is as for the tenant.'),
  dkim: signingSettings
    .prefault({})
    .describe('Signatures (DKIM). Mail is signed as soon as its domain has a key: see `vorposten dkim`.'),
})

const delayAfter = setting<number | 'off'>({
  allowed: 'a duration such as 4h or 1d, from 5m to 31d, or off',
  brief: '5m to 31d, or `off`',
  read: (text) => (text === 'off' ? 'off' : duration('5m', '31d').safeParse(text).data),
  json: { type: 'string', examples: ['4h', 'off'] },
})

export const dsnSettings = section({
  'delay-after': delayAfter
    .prefault('4h')
    .describe(
      prose(
        'The sender hears once that his mail takes longer, after the first attempt that fails when it is this old. `off`:',
        'only failures are told.',
      ),
    ),
  'per-domain-and-day': count(0, 1_000_000)
    .prefault(1000)
    .describe(
      prose(
        'Reports to senders of one domain in 24 hours, all tenants together. What is above is held for the postmaster, so a',
        'mailing with 10,000 dead addresses is not answered by 10,000 reports.',
      ),
    ),
})

const day = setting({
  allowed: 'a day such as 2026-11-24 (UTC)',
  brief: 'a day such as `2026-11-24` (UTC)',
  read: readDate,
  json: { type: 'string', examples: ['2026-11-24'] },
})

const secretText = setting({
  allowed: 'a text',
  read: (text) => (text === '' ? undefined : text),
  json: { type: 'string' },
})

export const bounceProtectionSettings = section({
  kind: choice('batv', 'sent-record').describe(
    prose(
      '`batv`: reverse-paths of outgoing mail are signed (`prvs=…`), and a bounce to an address without a valid signature',
      'is refused at RCPT. `sent-record`: we remember what the tenant sent, and a bounce of mail that it never sent is',
      'refused after its content.',
    ),
  ),
  since: day.describe('The day on which all mail of the tenant’s domains leaves through us.'),
  'warm-up': duration('0s', '60d')
    .prefault('7d')
    .describe(
      prose(
        'So long after that day nothing is refused, only counted: mail sent before it may still come back (RFC 5321',
        '§4.5.4.1: up to 5 days).',
      ),
    ),
  'signing-key': count(0, 9)
    .optional()
    .describe('`batv`: number of the key that signs; all others are still accepted. The only key, if there is one.'),
  keys: z
    .record(
      z.string().regex(/^\d$/),
      section({
        secret: secretText.optional().describe('The key itself, at least 16 octets. Better not in this file.'),
        'secret-env': secretText.optional().describe('Name of the environment variable that holds it.'),
        'secret-file': path.optional().describe('Path of the file that holds it.'),
      }),
    )
    .optional()
    .describe(
      prose(
        '`batv`: keys by number, 0 to 9. To change the key, add one with another number, let it sign, and remove the old',
        'one eight days later.',
      ),
    ),
})

export type OutboundWritten = z.output<typeof outboundSettings>
export type BounceProtectionWritten = z.output<typeof bounceProtectionSettings>
