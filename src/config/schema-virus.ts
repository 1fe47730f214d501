/**
 * The virus wall: the engines that look, and what becomes of what they find. The policy can be written at the top, for a
 * tenant, for its outgoing mail, for a domain and for some of its recipients; what is not said there is as one level above.
 */
import { z } from 'zod'
import { recipientPatterns } from './schema-recipient-policies.ts'
import { choice, count, duration, flag, oneOrMore, prose, section, setting } from './setting.ts'
import { readEndpoint } from './units.ts'

export const FILE_TYPES = [
  ...(['executable', 'script', 'shortcut', 'disk-image', 'archive', 'office', 'pdf', 'html', 'image'] as const),
] as const

const action = (what: string) => choice('reject', 'quarantine', 'strip', 'tag', 'pass').optional().describe(what)

const fileEnd = setting({
  allowed: 'the end of a file name without its dot, such as exe, or none',
  brief: 'an end such as `exe`, or `none`',
  read: (text) => (/^[a-zA-Z0-9_-]{1,20}$/.test(text) ? text.toLowerCase() : undefined),
  json: { type: 'string', examples: ['exe', 'none'] },
  hint: (text) => (text.startsWith('.') || text.startsWith('*.') ? 'without the dot' : undefined),
})

const policyShape = {
  scan: flag.optional().describe('`false`: nobody looks at this mail. `true` if no level says otherwise.'),
  malware: choice('reject', 'quarantine', 'strip', 'tag')
    .optional()
    .describe(
      prose(
        'An engine names it. `reject` (if no level says otherwise): 550 5.7.1 in the session. `quarantine`: taken, and kept',
        'until a person decides. `strip`: delivered without the part in which it is, with a notice to the recipient in its',
        'place; where that cannot be done, and in mail that leaves, `reject`. `tag`: delivered with a field.',
      ),
    ),
  'engine-silent': choice('defer', 'other-engines', 'quarantine', 'tag')
    .optional()
    .describe(
      prose(
        'An engine did not answer, or did not look at all of it. `defer` (if no level says otherwise): 451 4.7.1, the sender',
        'tries again. `other-engines`: it is enough that another engine has looked and found nothing. `tag`: delivered with a',
        'field, unchecked. See scanner-down.md.',
      ),
    ),
  suspicious: action('A rule of the embedded engine. `tag` if no level says otherwise.'),
  encrypted: action('It cannot be read without a password. `tag` if no level says otherwise.'),
  broken: action('A damaged file or archive. `tag` if no level says otherwise.'),
  'over-limit': action('Packed deeper or larger than we unpack. `reject` if no level says otherwise.'),
  'cannot-tell': choice('reject', 'quarantine', 'tag', 'pass')
    .optional()
    .describe('Mail programs would read it differently. `reject` if no level says otherwise.'),
  macros: action('Office files with macros. `pass` if no level says otherwise.'),
  'auto-run-macros': action('Macros that start by themselves. `tag` if no level says otherwise.'),
  files: choice('reject', 'quarantine', 'strip', 'tag')
    .optional()
    .describe('What becomes of the files that the next two name. `reject` if no level says otherwise.'),
  'file-types': oneOrMore(choice('none', ...FILE_TYPES))
    .optional()
    .describe(
      'Files not accepted for their content, whatever their name. Executables and shortcuts if no level says otherwise.',
    ),
  'file-names': oneOrMore(fileEnd)
    .optional()
    .describe(
      prose(
        'Files not accepted for the end of their name, also inside archives; it replaces the list of virus-wall.md (what Windows',
        'runs at a click).',
      ),
    ),
}

export const virusPolicySettings = section(policyShape)

/** A policy for some recipients of a domain. */
export const recipientPolicySettings = section({ recipients: recipientPatterns, ...policyShape })

const ICAP_PORT = 1344

/** `icap://192.0.2.7:1344/avscan`; the port may be missing (RFC 3507 §4.2). */
function readIcapServer(text: string) {
  const match = /^icap:\/\/(\[[^\]/?]{2,50}\]|[^:/?[]{1,50})(?::(\d{1,5}))?(\/[\x21-\x7e]{1,200})$/.exec(text)
  const endpoint = match === null ? undefined : readEndpoint(`${match[1]}:${match[2] ?? ICAP_PORT}`)
  return endpoint === undefined ? undefined : { kind: 'icap' as const, ...endpoint, service: match![3]! }
}

const scanServer = setting({
  allowed:
    'for clamd the path of a socket such as /run/clamav/clamd.ctl, or an address with its port such as 127.0.0.1:3310; for icap an address and a service such as icap://127.0.0.1:1344/avscan',
  brief: 'a socket, an address with its port, or icap://address:port/service',
  read: (text) => {
    if (text.startsWith('/') && !text.includes('\0')) return { kind: 'local' as const, path: text }
    if (text.startsWith('icap:')) return readIcapServer(text)
    const endpoint = readEndpoint(text)
    return endpoint === undefined ? undefined : { kind: 'tcp' as const, ...endpoint }
  },
  json: { type: 'string', examples: ['/run/clamav/clamd.ctl', '127.0.0.1:3310', 'icap://127.0.0.1:1344/avscan'] },
  hint: (text) => {
    if (/^icaps:/.test(text)) return 'ICAP without TLS: the scanner is beside us, or behind a tunnel'
    return text.startsWith('icap:') ? 'an address, not a name, and the name of a service behind it' : undefined
  },
})

const engineName = z.string().regex(/^(?!(?:embedded|readings)$)[a-z0-9-]{1,63}$/)

export const engineSettings = section({
  kind: choice('clamd', 'icap')
    .prefault('clamd')
    .describe('What it speaks. `clamd`: ClamAV’s daemon. `icap`: ICAP (RFC 3507), as most commercial scanners do.'),
  servers: oneOrMore(scanServer).describe(
    'Where it listens. With several, each message goes to one of them, and to the next if that one fails.',
  ),
  'connections-max': count(1, 1_000)
    .prefault(10)
    .describe('Connections of each worker to each server; more messages wait. clamd.conf: MaxThreads, MaxQueue.'),
  'connect-time-max': duration('100ms', '1m').prefault('5s').describe('For a connection.'),
  'time-max': duration('1s', '4m')
    .prefault('60s')
    .describe('For the answer of one server; all servers together have twice this. A sender waits 10 minutes at most.'),
})

export const virusSettings = section({
  embedded: flag
    .prefault(false)
    .describe(
      prose(
        'The engine that needs nothing installed: it takes messages and containers apart, in a thread of each worker, and',
        'looks at what files are. It knows few pieces of malware by name; beside it, clamd does.',
      ),
    ),
  engines: z.record(engineName, engineSettings).optional().describe('Scanners beside us, by name.'),
  policy: virusPolicySettings.prefault({}).describe('What holds for all tenants, unless they say otherwise.'),
})

export type VirusPolicyWritten = z.output<typeof virusPolicySettings>
export type RecipientPolicyWritten = z.output<typeof recipientPolicySettings>
export type VirusWritten = z.output<typeof virusSettings>
export type EngineWritten = z.output<typeof engineSettings>
