/**
 * Who we are to a smarthost (RFC 4954), and whose word on its certificate counts. The password stands in a file or in the
 * environment, never in the configuration.
 */
import type { z } from 'zod'
import { LOGIN_OCTETS_MAX } from '#auth/sasl/exchange.ts'
import { MECHANISMS } from '#auth/sasl/mechanisms.ts'
import { choice, oneOrMore, path, prose, section, setting } from './setting.ts'

const loginName = setting({
  allowed: 'the name of a login, such as relay@bakery.example',
  brief: 'a name',
  read: (text) => (isLoginName(text) ? text : undefined),
  json: { type: 'string' },
})

// A NUL would be another part of a PLAIN message.
const isLoginName = (text: string): boolean =>
  text !== '' && Buffer.byteLength(text) <= LOGIN_OCTETS_MAX && !/[\x00-\x1f\x7f]/.test(text)

const variable = setting({
  allowed: 'the name of an environment variable',
  brief: 'a name',
  read: (text) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? text : undefined),
  json: { type: 'string' },
})

export const loginSettings = section({
  name: loginName.describe('Name of the login, as the provider of the smarthost gave it.'),
  'password-file': path.optional().describe('Path of the file that holds its password, on one line.'),
  'password-env': variable.optional().describe('Name of the environment variable that holds its password.'),
  mechanisms: oneOrMore(choice(...MECHANISMS))
    .optional()
    .describe('Mechanisms that may be used, if not all; the best one that the server offers too is taken.'),
})

export const caFile = path
  .optional()
  .describe(
    prose(
      'File with the authorities (PEM) that may certify these hosts, instead of those of the system. Only with `tls:',
      'verified`.',
    ),
  )

export type LoginWritten = z.output<typeof loginSettings>
