/**
 * The rest of the world in the demo: a server that sends mail to the relay, over one session that it keeps open, as busy
 * servers do (RFC 5321 §3). One command, one reply; it believes what it hears and gives nothing up.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { hasEightBit } from './messages.ts'

const CRLF = '\r\n'
/** The relay answers in milliseconds; RFC 5321 §4.5.3.2 would allow minutes. */
const REPLY_MS_MAX = 20_000

export interface Reply {
  readonly code: number
  /** All of it, the last line only. */
  readonly line: string
}

export interface Letter {
  readonly reversePath: string
  readonly forwardPath: string
  readonly content: Buffer
  /** Its sender wants to hear of no failure (RFC 3461 §4.1). */
  readonly silent?: true
}

/** A user's mail program: over TLS, with a password. The relay of the demo has a certificate that nobody vouches for. */
export interface Login {
  readonly user: string
  readonly password: string
}

/** Where the answer came that decided about the message. */
export type Stage = 'MAIL' | 'RCPT' | 'DATA' | 'the final dot'

/** Told as it happens. */
export interface Dialogue {
  said?(text: string): void
  asked(stage: Stage): void
  heard(stage: Stage, reply: Reply): void
}

export interface Answer {
  readonly stage: Stage
  readonly reply: Reply
}

export class SendingServer {
  readonly #port: number
  readonly #login: Login | undefined
  #session: Session | undefined

  constructor(port: number, login?: Login) {
    this.#port = port
    this.#login = login
  }

  /** Rejects when the session breaks. */
  async send(letter: Letter, dialogue: Dialogue): Promise<Answer> {
    if (this.#session === undefined || this.#session.broken)
      this.#session = await Session.open(this.#port, this.#login, dialogue)
    return this.#session.send(letter, dialogue)
  }

  close(): void {
    this.#session?.close()
    this.#session = undefined
  }
}

class Session {
  broken = false
  readonly #socket: Socket
  #text = ''
  #waiting: PromiseWithResolvers<Reply> | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8').setNoDelay(true)
    socket.on('data', (text: string) => this.#take(text))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.broken = true
      this.#waiting?.reject(new Error('the relay closed the session'))
    })
    socket.setTimeout(REPLY_MS_MAX, () => this.#waiting && socket.destroy())
  }

  static async open(port: number, login: Login | undefined, dialogue: Dialogue): Promise<Session> {
    const where = { port, host: '127.0.0.1', rejectUnauthorized: false }
    const session = new Session(login === undefined ? connect(port, '127.0.0.1') : connectTls(where))
    await session.#reply()
    await session.#ask('EHLO mail.sender.example', dialogue)
    if (login === undefined) return session
    const secret = Buffer.from(`\0${login.user}\0${login.password}`).toString('base64')
    const { code, line } = await session.#ask(`AUTH PLAIN ${secret}`, dialogue)
    if (code !== 235) throw new Error(`the relay did not take the password: ${line}`)
    return session
  }

  async send({ reversePath, forwardPath, content, silent }: Letter, dialogue: Dialogue): Promise<Answer> {
    const body = hasEightBit(content) ? ' BODY=8BITMIME' : ''
    const commands: [Stage, string][] = [
      ['MAIL', `MAIL FROM:<${reversePath}> SIZE=${content.length}${body}`],
      ['RCPT', `RCPT TO:<${forwardPath}>${silent ? ' NOTIFY=NEVER' : ''}`],
      ['DATA', 'DATA'],
    ]
    for (const [stage, command] of commands) {
      dialogue.asked(stage)
      const reply = await this.#ask(command, dialogue)
      dialogue.heard(stage, reply)
      if (reply.code >= 400) {
        await this.#ask('RSET', dialogue)
        return { stage, reply }
      }
    }
    dialogue.asked('the final dot')
    dialogue.said?.(`(the message, ${content.length} octets)`)
    this.#socket.write(stuffed(content))
    const reply = await this.#ask('.', dialogue)
    dialogue.heard('the final dot', reply)
    return { stage: 'the final dot', reply }
  }

  close(): void {
    if (!this.broken) this.#socket.end(`QUIT${CRLF}`)
  }

  async #ask(command: string, dialogue: Dialogue): Promise<Reply> {
    dialogue.said?.(`C: ${command}`)
    this.#socket.write(`${command}${CRLF}`)
    const reply = await this.#reply()
    dialogue.said?.(`S: ${reply.line}`)
    return reply
  }

  #reply(): Promise<Reply> {
    if (this.broken) return Promise.reject(new Error('the relay closed the session'))
    this.#waiting = Promise.withResolvers<Reply>()
    return this.#waiting.promise
  }

  // The last line of a reply has a space after the code (RFC 5321 §4.2.1).
  #take(text: string): void {
    this.#text += text
    const found = /^(?:\d{3}-[^\r\n]*\r\n)*(\d{3})(?: [^\r\n]*)?\r\n$/.exec(this.#text)
    if (found === null) return
    const line = this.#text.trimEnd().split(CRLF).pop() ?? ''
    this.#text = ''
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ code: Number(found[1]), line })
  }
}

/** RFC 5321 §4.5.2. The content ends with CRLF, so that a dot and CRLF end it on the wire. */
const stuffed = (content: Buffer): Buffer =>
  Buffer.from(content.toString('latin1').replace(/(^|\r\n)\./g, '$1..'), 'latin1')
