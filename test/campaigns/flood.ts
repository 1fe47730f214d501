/**
 * Many clients at once, each with a bounded number of transactions per connection. MAIL, RCPT and DATA go out in one write
 * (RFC 2920 §3.1), the content after 354. It checks nothing; every reply goes to whoever asked.
 *
 * Limits: a reply that does not come within `REPLY_MS_MAX` is a defect of the run and throws; a reply has 64 KiB.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Longer than a callout may keep us waiting. */
const REPLY_MS_MAX = 60_000
const REPLY_OCTETS_MAX = 64 * 1024

/** Some servers in a row refuse a connection; that often one client comes again. */
const CONNECTS_MAX = 50
const RECONNECT_MS = 100

export interface Sending {
  /** Without brackets. */
  readonly from: string
  readonly to: string
  /** With CRLF line ends, at the end too; no line begins with a dot. */
  readonly content: string | Buffer
}

/** The reply that decided over a message, and the step that it came at. */
export interface Answer {
  readonly at: 'mail' | 'rcpt' | 'data' | 'dot'
  /** The last line of the reply. */
  readonly text: string
}

export interface FloodOptions {
  readonly port: number
  readonly sessions: number
  readonly perSession: number
  readonly count: number
  /** Of the message with this number, from 0. */
  readonly message: (number: number) => Sending
  readonly answered: (number: number, answer: Answer) => void
}

/** Resolves when each message has its answer. */
export async function flood({ port, sessions, perSession, count, message, answered }: FloodOptions): Promise<void> {
  let next = 0
  const client = async (): Promise<void> => {
    while (next < count) {
      using session = await FloodSession.open(port)
      for (let i = 0; i < perSession && next < count; i++) {
        const number = next++
        answered(number, await session.send(message(number)))
      }
      await session.ask('QUIT\r\n')
    }
  }
  await Promise.all(Array.from({ length: Math.min(sessions, count) }, client))
}

export class FloodSession implements Disposable {
  readonly #socket: Socket
  #text = ''
  #gone = false
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (octets: Buffer) => {
      this.#text += octets.toString('latin1')
      this.#wake()
    })
    const over = () => {
      this.#gone = true
      this.#wake()
    }
    socket.on('end', over)
    socket.on('close', over)
    socket.on('error', over)
  }

  /** After its greeting and EHLO. */
  static async open(port: number, localAddress?: string): Promise<FloodSession> {
    for (let i = 0; ; i++) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...(localAddress && { localAddress }) })
      await once(socket, 'connect')
      const session = new FloodSession(socket)
      const greeting = await session.reply()
      if (greeting.startsWith('220')) {
        await session.ask('EHLO flood.test\r\n')
        return session
      }
      session[Symbol.dispose]()
      if (i === CONNECTS_MAX) throw new Error(`no session: ${greeting}`)
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
    }
  }

  async send({ from, to, content }: Sending): Promise<Answer> {
    this.#socket.write(`MAIL FROM:<${from}>\r\nRCPT TO:<${to}>\r\nDATA\r\n`)
    const replies = { mail: await this.reply(), rcpt: await this.reply(), data: await this.reply() }
    const refused = (['mail', 'rcpt', 'data'] as const).find((at) => !/^[23]/.test(replies[at]))
    if (refused !== undefined) {
      await this.ask('RSET\r\n')
      return { at: refused, text: replies[refused] }
    }
    this.#socket.write(content)
    return { at: 'dot', text: await this.ask('.\r\n') }
  }

  /** Writes, and waits for one reply. */
  ask(octets: string | Buffer): Promise<string> {
    this.#socket.write(octets)
    return this.reply()
  }

  /** The last line of the next reply. */
  async reply(): Promise<string> {
    for (;;) {
      const line = await this.#line()
      if (line[3] !== '-') return line
    }
  }

  /** Gone without a word. */
  vanish(): void {
    this.#socket.resetAndDestroy()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      if (this.#gone) return '421 (the connection is gone)'
      if (this.#text.length > REPLY_OCTETS_MAX) throw new Error('a reply without end')
      await this.#more()
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no reply within ${REPLY_MS_MAX} ms`)), REPLY_MS_MAX)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
