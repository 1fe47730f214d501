/** PLAIN (RFC 4616) and LOGIN, which every old client knows and no standard describes: the password itself is sent. */
import { type Exchange, LOGIN_OCTETS_MAX, malformed, PASSWORD_OCTETS_MAX, type Step, textOf } from './exchange.ts'

const NUL = 0
/** What clients have seen for thirty years; some compare it. */
const PROMPTS = ['Username:', 'Password:'] as const

export const plain = (): Exchange => ({ receive: readPlain })

function readPlain(message: Buffer): Step {
  const first = message.indexOf(NUL)
  const second = message.indexOf(NUL, first + 1)
  if (first < 0 || second < 0 || message.indexOf(NUL, second + 1) >= 0) return malformed('PLAIN has three parts')
  const authorization = textOf(message.subarray(0, first), LOGIN_OCTETS_MAX)
  const login = textOf(message.subarray(first + 1, second), LOGIN_OCTETS_MAX)
  const password = textOf(message.subarray(second + 1), PASSWORD_OCTETS_MAX)
  if (authorization === undefined || !login || !password) return malformed('PLAIN with an empty or unreadable part')
  // RFC 4616 §2: to act for another is something that nobody may here.
  if (authorization !== '' && authorization !== login) return malformed('nobody may act for another login')
  return { kind: 'password', login, password }
}

/** The first prompt is the answer to AUTH LOGIN without an initial response. */
export function login(): Exchange {
  let name: string | undefined
  return {
    receive(message) {
      if (name === undefined) {
        name = textOf(message, LOGIN_OCTETS_MAX)
        return name ? challenge(PROMPTS[1]) : malformed('LOGIN without a name')
      }
      const password = textOf(message, PASSWORD_OCTETS_MAX)
      return password ? { kind: 'password', login: name, password } : malformed('LOGIN without a password')
    },
  }
}

export const loginPrompt: Step = challenge(PROMPTS[0])

function challenge(text: string): Step {
  return { kind: 'challenge', challenge: Buffer.from(text) }
}
