/**
 * A listener: where clients come in, what they may do there, and how they are protected.
 */
import type { z } from 'zod'
import { listenerLimitSettings } from './schema-limits.ts'
import { choice, duration, oneOrMore, path, prose, section, setting } from './setting.ts'
import { networkMeant, readEndpoint, readHostName, readNetwork } from './units.ts'

export const endpoint = setting({
  allowed: 'an address with its port, such as 0.0.0.0:25 or "[::]:25"',
  brief: 'an address with its port',
  read: readEndpoint,
  json: { type: 'string', examples: ['0.0.0.0:25', '[::]:25'] },
  hint: (text) => {
    if (text.startsWith('*:')) return `for every address write both 0.0.0.0${text.slice(1)} and "[::]${text.slice(1)}"`
    return /^\d+$/.test(text) ? `a port alone is not enough: write 0.0.0.0:${text} and "[::]:${text}"` : undefined
  },
})

export const network = setting({
  brief: 'a network',
  allowed: 'a network such as 10.0.0.0/8 or 2001:db8::/32, or one address',
  read: readNetwork,
  json: { type: 'string', examples: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'] },
  hint: (text) => {
    const meant = networkMeant(text)
    return meant === undefined ? undefined : `did you mean ${meant}?`
  },
})

export const hostName = setting({
  allowed: 'a host name such as mx1.relay.example',
  brief: 'a host name',
  read: readHostName,
  json: { type: 'string' },
})

const certificateName = setting({
  allowed: 'a host name such as mx1.relay.example, or one with a star: "*.relay.example"',
  brief: 'a host name, or one with a star: `"*.relay.example"`',
  read: (text) => {
    const name = readHostName(text.startsWith('*.') ? text.slice(2) : text)
    return name === undefined ? undefined : text.startsWith('*.') ? `*.${name}` : name
  },
  json: { type: 'string' },
})

const certificateSettings = section({
  names: oneOrMore(certificateName)
    .optional()
    .describe(
      'Names that it is for; we warn if it is not. Which one a client is shown (SNI, RFC 6066 §3), it says itself.',
    ),
  certificate: path.describe('Certificate chain, PEM, the own certificate first.'),
  key: path.describe('Its private key, PEM. Readable for the relay only.'),
})

const listenerName = setting({
  allowed: 'a name of a-z, 0-9 and -, up to 63 characters',
  read: (text) => (/^[a-z0-9-]{1,63}$/.test(text) ? text : undefined),
  json: { type: 'string', pattern: '^[a-z0-9-]{1,63}$' },
})

export const listenerSettings = section({
  name: listenerName.describe('What the log and the metrics call it. Unique.'),
  addresses: oneOrMore(endpoint).describe('Where it listens. Port 25 for mail from other servers.'),
  service: choice('inbound', 'outbound', 'submission')
    .prefault('inbound')
    .describe(
      prose(
        'What is offered: `inbound` takes mail for the domains of the tenants, from anyone (RFC 5321 §2.1). `outbound`',
        'takes mail to anyone from the tenants’ own servers (their `outbound` settings, or a login), and from nobody else.',
        '`submission` takes it from users with a login (`vorposten credentials`), under TLS only: port 587 with `starttls`,',
        'port 465 with `implicit` (RFC 6409, RFC 8314).',
      ),
    ),
  tls: choice('none', 'starttls', 'implicit')
    .prefault('starttls')
    .describe(
      prose(
        '`starttls` offers encryption (RFC 3207) and also serves clients that do not use it, as a public MX',
        'must (RFC 3207 §4). `implicit` begins encrypted. `none` never encrypts.',
      ),
    ),
  certificates: oneOrMore(certificateSettings)
    .optional()
    .describe(
      prose(
        'A client is shown the one for the name that it asks for, else the first. If there are none, a',
        'self-signed one is made on the first start, with a warning.',
      ),
    ),
  'proxy-from': oneOrMore(network)
    .optional()
    .describe(
      prose(
        'Load balancers that must send a PROXY header (v1 or v2) with the client’s address. From nobody else',
        'is one believed.',
      ),
    ),
  'line-ends': choice('refuse', 'normalise')
    .prefault('refuse')
    .describe(
      prose(
        'Content with a bare CR or LF is refused (RFC 5321 §2.3.8), or made CRLF before anything else reads',
        'it. In no setting does anything but CRLF.CRLF end the content.',
      ),
    ),
  'early-talker-delay': duration('0s', '1m')
    .prefault('0s')
    .describe(
      prose(
        'Pause before the greeting, during which a client must be silent (RFC 5321 §4.3.1); who is not, is',
        'refused. With 0s everyone is greeted at once, without the check. Some seconds stop simple bots and',
        'delay everyone.',
      ),
    ),
  'exempt-from-limits': oneOrMore(network)
    .prefault(['127.0.0.0/8', '::1'])
    .describe(
      prose(
        'Networks that no limit per client or network holds for, and that are greeted at once. By default',
        'this machine itself.',
      ),
    ),
  limits: listenerLimitSettings
    .optional()
    .meta({ 'x-same-as': 'limits' })
    .describe(
      prose(
        'Limits of this listener where they differ from the common `limits`. Those per worker exist only',
        'there.',
      ),
    ),
})

export type ListenerSettings = z.output<typeof listenerSettings>
