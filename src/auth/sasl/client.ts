/**
 * Logins as a client proves them (RFC 4422), for smarthosts: SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, LOGIN, the best one first.
 * `smtp/client` carries the messages and lets none of them out but by verified TLS, so PLAIN there is no worse than what a
 * browser does; SCRAM keeps the password from the server as well.
 */
import type { ClientLogin, LoginExchange } from '#smtp/client/contract.ts'
import { MECHANISMS, type Mechanism } from './mechanisms.ts'
import { ScramSecrets, scramExchange } from './scram-client.ts'

export interface LoginParts {
  readonly name: string
  readonly password: string
  /** Those that may be used; absent: all. */
  readonly mechanisms?: readonly Mechanism[]
  /** Of a SCRAM exchange: printable, without a comma; 18 random octets in base64 or more. */
  readonly nonce: () => string
}

export function clientLogin({ name, password, mechanisms = MECHANISMS, nonce }: LoginParts): ClientLogin {
  const secrets = new ScramSecrets(password)
  const betraying = [password, base64(password), base64(plainMessage(name, password))]
  return {
    betrays: (text) => betraying.some((secret) => text.includes(secret)),
    begin(offered, channelBinding) {
      const usable = MECHANISMS.filter((one) => mechanisms.includes(one) && offered.includes(one))
      const mechanism = usable.find((one) => one !== 'SCRAM-SHA-256-PLUS' || channelBinding !== undefined)
      switch (mechanism) {
        case undefined:
          return undefined
        case 'PLAIN':
          return plain(name, password)
        case 'LOGIN':
          return login(name, password)
        default: {
          // RFC 5802 §6: "y" says that we could bind and heard of no PLUS, so a server that offers it sees who hid it.
          const flag = channelBinding === undefined || offered.includes('SCRAM-SHA-256-PLUS') ? 'n' : 'y'
          const binding = mechanism === 'SCRAM-SHA-256-PLUS' ? channelBinding : undefined
          return scramExchange({ mechanism, name, nonce: nonce(), secrets, flag, ...(binding && { binding }) })
        }
      }
    },
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const plainMessage = (name: string, password: string): string => `\0${name}\0${password}`

// RFC 4616 §2: everything in the first message, on behalf of nobody else.
function plain(name: string, password: string): LoginExchange {
  return {
    mechanism: 'PLAIN',
    initial: Buffer.from(plainMessage(name, password)),
    answer: () => Promise.resolve('the server asks for more than PLAIN has'),
    proved: true,
  }
}

/** No standard describes it. What the prompts say differs between servers; that there are two does not. */
function login(name: string, password: string): LoginExchange {
  const answers = [name, password].values()
  return {
    mechanism: 'LOGIN',
    answer() {
      const next = answers.next()
      return Promise.resolve(
        next.done ? 'the server asks for more than a name and a password' : Buffer.from(next.value),
      )
    },
    proved: true,
  }
}
