/** Spam filters beside us: Rspamd and SpamAssassin's spamd, by name. */
import { z } from 'zod'
import { choice, count, duration, oneOrMore, path, prose, section, setting, size } from './setting.ts'
import { readEndpoint } from './units.ts'

const server = setting({
  allowed: 'the path of a socket such as /run/spamd.socket, or an address with its port such as 127.0.0.1:11333',
  brief: 'a socket, or an address with its port',
  read: (text) => {
    if (text.startsWith('/') && !text.includes('\0')) return { kind: 'local' as const, path: text }
    const endpoint = readEndpoint(text)
    return endpoint === undefined ? undefined : { kind: 'tcp' as const, ...endpoint }
  },
  json: { type: 'string', examples: ['127.0.0.1:11333', '/run/spamd.socket'] },
  hint: (text) => (/^https?:/.test(text) ? 'an address with its port and nothing else' : undefined),
})

const word = (allowed: string) =>
  setting({
    allowed,
    read: (text) => (/^[\x21-\x7e]{1,200}$/.test(text) ? text : undefined),
    json: { type: 'string', minLength: 1 },
  })

const trust = setting({
  allowed: 'a number from 0 to 2, such as 0.5',
  brief: '0 to 2',
  read: (text) => (/^\d(?:\.\d{1,3})?$/.test(text) && Number(text) <= 2 ? Number(text) : undefined),
  json: { type: 'number', minimum: 0, maximum: 2 },
})

const engineSettings = section({
  kind: choice('rspamd', 'spamd').describe(
    'What it speaks. `rspamd`: HTTP, as the workers `normal` and `rspamd_proxy` do. `spamd`: SpamAssassin’s protocol.',
  ),
  servers: oneOrMore(server).describe(
    'Where it listens. With several, each message goes to one of them, and to the next if that one fails.',
  ),
  'connections-max': count(1, 1_000)
    .prefault(10)
    .describe('Connections of each worker to each server; more messages wait. spamd: `--max-children`.'),
  'connect-time-max': duration('100ms', '5s').prefault('1s').describe('For a connection.'),
  'time-max': duration('100ms', '5s')
    .prefault('4s')
    .describe('For the answer of one server; all together have 5 s, as everybody who knows something of a message.'),
  'size-max': size('1KiB', '100MiB')
    .prefault('512KiB')
    .describe('A larger message is not shown to it; spam is small, and SpamAssassin slow.'),
  weight: trust
    .prefault('1')
    .describe('How much its word counts: `1` as spam-engines.md says, `0` for the record only.'),
  'settings-id': word('the id of settings of Rspamd').optional().describe('Rspamd: which of its settings hold.'),
  'password-file': path.optional().describe('Rspamd: file with its password; read at each message.'),
  'password-env': word('the name of an environment variable')
    .optional()
    .describe('Rspamd: variable with its password.'),
  user: word('the name of a user').optional().describe('spamd: whose preferences hold; its own default if absent.'),
})

export const spamEngines = z
  .record(z.string().regex(/^[a-z0-9-]{1,63}$/), engineSettings)
  .describe(prose('Spam filters beside us, by name: see spam-engines.md. They get the message and its envelope.'))

export type SpamEnginesWritten = z.output<typeof spamEngines>
