/**
 * Whom we ask for names and addresses.
 */
import { oneOrMore, setting } from './setting.ts'
import { nameServer } from './units.ts'

const server = setting({
  allowed: 'the address of a name server, such as 127.0.0.1, 192.0.2.53:5353 or "[2001:db8::53]:53"',
  brief: 'an address, with its port if that is not 53',
  read: nameServer,
  json: { type: 'string', examples: ['127.0.0.1', '"[::1]:5353"'] },
})

export const nameServers = oneOrMore(server)
