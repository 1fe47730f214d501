/**
 * Names and addresses of others: whom we ask, and where what strangers wrote may lead us.
 */
import { hostName, network } from './schema-listener.ts'
import { count, oneOrMore, prose, section, setting } from './setting.ts'
import { nameServer } from './units.ts'

const server = setting({
  allowed: 'the address of a name server, such as 127.0.0.1, 192.0.2.53:5353 or "[2001:db8::53]:53"',
  brief: 'an address, with its port if that is not 53',
  read: nameServer,
  json: { type: 'string', examples: ['127.0.0.1', '"[::1]:5353"'] },
})

export const nameServers = oneOrMore(server)

export const destinationSettings = section({
  'allow-networks': oneOrMore(network)
    .optional()
    .describe(
      prose(
        'Networks to which MX records and address literals may lead although they are not public. Whoever owns a domain',
        'writes its records: without this, loopback, private, link-local and other special addresses (RFC 6890) are',
        'refused, so that nobody reaches the services beside us.',
      ),
    ),
  'own-names': oneOrMore(hostName)
    .optional()
    .describe(
      prose(
        'Further names of this relay, beside `hostname`. Where one stands in the MX records of a domain, neither it nor any',
        'host of the same or a worse preference is used: mail would go round in a loop. Needed where the addresses of these',
        'names are not those of this machine (behind NAT, several relays).',
      ),
    ),
  'mta-sts-port': count(1, 65_535)
    .prefault(443)
    .describe('Port from which MTA-STS policies are fetched (RFC 8461 §3.3). It is 443; others are for tests.'),
})
export type DestinationsWritten = typeof destinationSettings._output
