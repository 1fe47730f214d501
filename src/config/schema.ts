/**
 * The whole configuration file, `/etc/vorposten/vorposten.yaml`. Validation, the JSON schema and the reference manual
 * are all made of these objects.
 */
import { z } from 'zod'
import { dkimSettings } from './schema-dkim.ts'
import { destinationSettings, nameServers } from './schema-dns.ts'
import { feedbackSettings } from './schema-feedback.ts'
import { limitSettings } from './schema-limits.ts'
import { endpoint, hostName, listenerSettings } from './schema-listener.ts'
import { dsnSettings } from './schema-outbound.ts'
import { quarantineSettings } from './schema-quarantine.ts'
import { spamSettings } from './schema-spam.ts'
import { holdSettings, mailbox, NAME, routeId, tenantSettings } from './schema-tenant.ts'
import { tlsReportSettings } from './schema-tls-reports.ts'
import { virusSettings } from './schema-virus.ts'
import { choice, duration, flag, oneOrMore, path, prose, section, setting, size } from './setting.ts'
import { timeZone } from './time-zone.ts'

/** Node starts that many workers at most; the worker's number is also a part of each trace id. */
const WORKERS_MAX = 256

const workers = setting<number | 'auto'>({
  allowed: `auto, or a whole number from 1 to ${WORKERS_MAX}`,
  brief: `\`auto\`, or 1 to ${WORKERS_MAX}`,
  read: (text) =>
    text === 'auto' ? 'auto' : /^\d{1,3}$/.test(text) && inWorkers(Number(text)) ? Number(text) : undefined,
  json: { oneOf: [{ const: 'auto' }, { type: 'integer', minimum: 1, maximum: WORKERS_MAX }] },
})
const inWorkers = (number: number): boolean => number >= 1 && number <= WORKERS_MAX

const httpAddress = setting<z.output<typeof endpoint> | 'off'>({
  allowed: 'an address with its port, such as 127.0.0.1:9425, or off',
  brief: 'an address with its port, or `off`',
  read: (text) => (text === 'off' ? 'off' : endpoint.safeParse(text).data),
  json: { type: 'string', examples: ['127.0.0.1:9425', 'off'] },
})

/** Everything but the tenants. */
export const relayShape = {
  hostname: hostName.describe(
    prose(
      'Name of this relay: in its greeting, its EHLO and its Received fields. It should resolve to this',
      'machine, and back.',
    ),
  ),
  'data-folder': path
    .prefault('/var/lib/vorposten')
    .describe('Folder of the spool and of made certificates. Must be on a local disk.'),
  workers: workers.prefault('auto').describe('Worker processes; `auto` starts one for each core.'),
  log: section({
    format: choice('text', 'json', 'both')
      .prefault('text')
      .describe(
        prose(
          '`text` is the grammar of Postfix, which log tools know; `json` has every field; `both` writes two',
          'lines for each event.',
        ),
      ),
    destination: path.prefault('stdout').describe('`stdout` (for journald), or the path of a file.'),
  })
    .prefault({})
    .describe('What is logged, and where.'),
  http: section({
    address: httpAddress
      .prefault('127.0.0.1:9425')
      .describe(
        prose(
          'Where `/metrics`, `/healthz/live` and `/healthz/ready` answer; `off` for nowhere. They need no',
          'password, so keep them off public addresses.',
        ),
      ),
  })
    .prefault({})
    .describe('Metrics and health.'),
  'callout-sender': mailbox
    .optional()
    .describe(
      prose(
        'Reverse-path of callouts to servers that refuse the null path `<>`, against RFC 5321 §4.5.5. Some servers',
        'check that it exists. If its domain is served here, the relay takes its mail and throws it away; else the',
        'server of its domain must. Without it, such servers cannot be asked.',
      ),
    ),
  'name-servers': nameServers
    .optional()
    .describe(
      prose(
        'Recursive name servers, asked in this order; those of /etc/resolv.conf if none is given. One on this machine that',
        'validates (unbound, for example) is best: only the word of such a server makes an answer secure (DNSSEC, RFC',
        '7672 §2.1.1), and its answers cost nothing.',
      ),
    ),
  destinations: destinationSettings.prefault({}).describe('What holds for all routes with `use-mx`.'),
  listeners: oneOrMore(listenerSettings)
    .prefault([{ name: 'mx', addresses: ['0.0.0.0:25', '[::]:25'] }])
    .describe('Where mail comes in.'),
  limits: limitSettings
    .prefault({})
    .describe('Limits, common to all listeners. Each has a default; write only what you change.'),
  notices: section({
    digest: choice('daily', 'hourly', 'off')
      .prefault('daily')
      .describe('How often a tenant’s postmaster hears of held mail, at most, if there is any.'),
    'collect-time': duration('1s', '1d')
      .prefault('15m')
      .describe('Wait after the first new hold, so that one digest tells of all that came with it.'),
    'time-zone': timeZone
      .prefault('UTC')
      .describe('Time zone of the moments in notices; each is written with its offset from UTC.'),
    route: routeId
      .optional()
      .describe(
        prose(
          'Route (`tenant/name`) of notices to postmasters whose domain is not served here. Without it, those',
          'postmasters hear nothing.',
        ),
      ),
  })
    .prefault({})
    .describe('What postmasters of tenants are told by mail. Notices come from `<>` and are never bounced.'),
  dsn: dsnSettings
    .prefault({})
    .describe(
      'Reports (RFC 3464) to senders whose reverse-path is verified. To others nothing is ever reported; their mail is held.',
    ),
  spool: section({
    'segment-size': size('1MiB', '1GiB')
      .prefault('64MiB')
      .describe('Size of one file of the spool. Space is freed in whole files.'),
    'free-space-min': size('1MiB', '1TiB')
      .prefault('1GiB')
      .describe(
        prose(
          'With less space than this on the disk, new mail hears 452 4.3.1 (RFC 3463 §3.4); delivery goes on,',
          'and acceptance resumes by itself.',
        ),
      ),
  })
    .prefault({})
    .describe('Mail in our keeping.'),
  dkim: dkimSettings
    .prefault({})
    .describe('The keys that sign outgoing mail. They are made with `vorposten dkim`; see dkim.md.'),
  authentication: flag
    .prefault(true)
    .describe(
      prose(
        'Asks DNS who has vouched for mail that comes in (SPF, DKIM, DMARC, ARC), and writes it into the field',
        '`Authentication-Results`: see authentication.md. `false`: the field says `none`, and no return path is verified.',
      ),
    ),
  virus: virusSettings.prefault({}).describe('The virus wall. Without an engine nobody looks. See virus-wall.md.'),
  spam: spamSettings.prefault({}).describe('The spam filter, for mail that comes in. See spam-filter.md.'),
  'tls-reports': tlsReportSettings
    .optional()
    .describe(
      prose(
        'Counts TLS with the servers of other domains, and sends each day’s report to those who ask for it (RFC 8460): see',
        'tls-reports.md. Without it nothing is counted: a report says who you are, and to whom your users write.',
      ),
    ),
  feedback: feedbackSettings
    .optional()
    .describe(
      prose(
        'Complaints of receivers (feedback loops) about mail that left: see feedback-loops.md. Without it none is read;',
        'bounces that come back by mail are read either way.',
      ),
    ),
  holds: holdSettings
    .prefault({})
    .describe('Mail that was accepted, could not be delivered, and waits for a person to decide.'),
  quarantine: quarantineSettings
    .prefault({})
    .describe(
      'Mail that a policy keeps from its recipients until a person decides. It needs as much free space as the spool.',
    ),
}

export const relaySettings = section({
  ...relayShape,
  tenants: z.record(z.string().regex(NAME), tenantSettings).describe('Whose mail we take, by name.'),
})
