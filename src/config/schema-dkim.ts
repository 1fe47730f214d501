/**
 * The keys that sign outgoing mail (DKIM): how they are kept, and where their records are looked up. The keys themselves
 * are made and kept with `vorposten dkim`.
 */
import type { z } from 'zod'
import { endpoint } from './schema-listener.ts'
import { choice, duration, path, prose, section, setting } from './setting.ts'

const variable = setting({
  allowed: 'the name of an environment variable',
  brief: 'a name',
  read: (text) => (text === '' ? undefined : text),
  json: { type: 'string' },
})

export const dkimSettings = section({
  'master-key': section({
    'secret-env': variable.optional().describe('Name of the environment variable that holds it.'),
    'secret-file': path.optional().describe('Path of the file that holds it.'),
  })
    .optional()
    .describe(
      prose(
        'What encrypts the private keys in the database: at least 16 octets, such as the output of `openssl rand -base64',
        '32`. Without it one is made at the first key, as `master-key` in the data folder; whoever has the folder then has',
        'the keys.',
      ),
    ),
  'dns-server': endpoint
    .optional()
    .describe(
      'Where the records of keys and sender domains are looked up, with its port; the `name-servers` if not given.',
    ),
  'keep-published': duration('1d', '90d')
    .prefault('7d')
    .describe(
      prose(
        'How long the record of a retired key must stay in DNS: mail that it signed may arrive late (RFC 6376 §3.1; RFC',
        '5321 §4.5.4.1: up to 5 days).',
      ),
    ),
})

/** Of a tenant’s outgoing mail. */
export const signingSettings = section({
  'if-unavailable': choice('defer', 'send-unsigned')
    .prefault('defer')
    .describe(
      prose(
        'When a domain has keys, and they cannot be used now (a wrong master key, say): the sender hears 451 and tries',
        'again, or the mail goes out without a signature. A domain whose DMARC policy is `reject` loses unsigned mail.',
      ),
    ),
  expiry: duration('1h', '90d')
    .optional()
    .describe(
      prose(
        'How long a signature is good (x=, RFC 6376 §3.5); longer than the mail may wait on its way. For ever if not',
        'given.',
      ),
    ),
})

export type DkimSettings = z.output<typeof dkimSettings>
