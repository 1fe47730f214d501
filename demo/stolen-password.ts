/**
 * Bernd's password in the hands of a thief, who works off an old list: every fifth address is no more. He asks for no reports (RFC 3461 §4.1), so
 * that Bernd hears nothing of it.
 */
import type { RelayProcess } from './relay-process.ts'
import { type Login, type Reply, SendingServer } from './sending-server.ts'

export const OWNER = 'bernd@bakery.example'
/** As many as he would send. */
const MESSAGES_MAX = 300
const STALE_EVERY = 5
const isStale = (number: number): boolean => number % STALE_EVERY === 0
const addressOf = (number: number): string => `${isStale(number) ? 'gone' : 'victim'}-${number}@elsewhere.example`

/** Those on his list that exist. */
export const VICTIMS: readonly string[] = Array.from({ length: MESSAGES_MAX }, (_, i) => i + 1)
  .filter((number) => !isStale(number))
  .map(addressOf)

export type Heard = Reply

/** The operator gives Bernd a login; the relay makes the password and tells it once. */
export async function makeLogin(relay: RelayProcess): Promise<Login> {
  const said = await relay.command('credentials', 'add', 'bakery', OWNER, '--generate')
  const password = /^password: (\S+)$/m.exec(said)?.[1]
  if (password === undefined) throw new Error(`no password was made:\n${said}`)
  return { user: OWNER, password }
}

export class Thief {
  sent = 0
  taken = 0
  /** Taken, to addresses that are no more. */
  stale = 0
  readonly #server: SendingServer

  constructor(port: number, login: Login) {
    this.#server = new SendingServer(port, login)
  }

  /** The next message. Rejects when he has sent all that he wanted. */
  async send(): Promise<Heard> {
    if (this.sent >= MESSAGES_MAX) throw new Error(`nobody stopped the thief: ${this.taken} messages were taken`)
    this.sent++
    const forwardPath = addressOf(this.sent)
    const text = `From: Bernd <${OWNER}>\r\nTo: <${forwardPath}>\r\nSubject: You have won\r\n\r\nReally.\r\n`
    const letter = { reversePath: OWNER, forwardPath, content: Buffer.from(text), silent: true } as const
    const { reply } = await this.#server.send(letter, { asked: () => {}, heard: () => {} })
    if (reply.code < 400) this.taken++
    if (reply.code < 400 && isStale(this.sent)) this.stale++
    return reply
  }

  close(): void {
    this.#server.close()
  }
}
