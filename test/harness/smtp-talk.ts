/**
 * An SMTP client that a test plays line by line, so that a scenario reads as the dialogue that it is:
 *
 *     const talk = await smtpTalk(port)
 *     await talk.expect(/^220 /)
 *     await talk.say('EHLO client.test', /^250/)
 *     await talk.say('RCPT TO:<nobody@dest.test>', /^550 5\.1\.1 /)
 *
 * It checks nothing by itself and sends whatever it is told, right or wrong. When an expectation fails, the error shows
 * the whole dialogue so far.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { WAIT_MS_MAX } from './wait-for.ts'

/** A reply as it came: all its lines, without their line ends. */
export interface TalkReply {
  readonly code: number
  readonly lines: readonly string[]
  /** All lines, joined by LF; what the patterns see. */
  readonly text: string
}

export interface TalkOptions {
  readonly host?: string
  /** Source address, such as 127.0.0.2, to be another client. */
  readonly from?: string
  /** TLS from the first octet. */
  readonly tls?: boolean
  readonly serverName?: string
  /** Shown to a server that asks for one. */
  readonly certificate?: { readonly keyPem: string; readonly certificatePem: string }
  /** A TLS session of an earlier talk, to resume. */
  readonly resume?: Buffer
  /** How long one reply may take. */
  readonly msMax?: number
}

export interface Message {
  readonly from: string
  readonly to: readonly string[]
  /** Dots are stuffed here, and the final dot is added; line ends are the caller's. */
  readonly content: string | Buffer
}

export async function smtpTalk(port: number, options: TalkOptions = {}): Promise<SmtpTalk> {
  const address = { port, host: options.host ?? '127.0.0.1', ...(options.from ? { localAddress: options.from } : {}) }
  const socket = connectPlain(address)
  await once(socket, 'connect')
  const talk = new SmtpTalk(socket, options)
  if (options.tls) await talk.secure()
  return talk
}

/** A session after its greeting and its EHLO. */
export async function greeted(port: number, options: TalkOptions = {}): Promise<SmtpTalk> {
  const talk = await smtpTalk(port, options)
  await talk.expect(/^220 /)
  await talk.say('EHLO client.test', /^250/)
  return talk
}

export class SmtpTalk implements Disposable {
  /** The newest one that the server gave. */
  tlsSession: Buffer | undefined
  #socket: Socket
  /** Below TLS, if there is any. */
  readonly #tcp: Socket
  #arrived = ''
  #closed = false
  #wake: () => void = () => {}
  readonly #options: TalkOptions
  readonly #transcript: string[] = []

  constructor(socket: Socket, options: TalkOptions = {}) {
    this.#options = options
    this.#socket = socket
    this.#tcp = socket
    this.#listen(socket)
  }

  /** The dialogue so far, `C:` and `S:` before each line. */
  get transcript(): string {
    return this.#transcript.join('\n')
  }

  /** The server has closed the connection, or lost it. */
  get closed(): boolean {
    return this.#closed
  }

  get socket(): Socket {
    return this.#socket
  }

  /** Sends one command line; the CRLF is added here. Several lines at once are pipelined. */
  send(...lines: readonly string[]): this {
    return this.sendRaw(lines.map((line) => `${line}\r\n`).join(''))
  }

  /** Sends octets as they are; a string stands for Latin-1. */
  sendRaw(octets: string | Buffer): this {
    const text = typeof octets === 'string' ? octets : octets.toString('latin1')
    for (const line of text.split('\r\n')) if (line) this.#transcript.push(`C: ${show(line)}`)
    this.#socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets)
    return this
  }

  /** The next whole reply; it must match. */
  async expect(pattern: RegExp): Promise<TalkReply> {
    const reply = await this.reply()
    if (!pattern.test(reply.text)) this.#fail(`expected ${pattern}, got ${show(reply.text)}`)
    return reply
  }

  /** One command and the reply to it. */
  say(line: string, pattern: RegExp): Promise<TalkReply> {
    return this.send(line).expect(pattern)
  }

  /** The next whole reply, whatever it is. */
  async reply(): Promise<TalkReply> {
    const lines: string[] = []
    for (;;) {
      const line = await this.#line()
      lines.push(line)
      if (line[3] !== '-') return { code: Number(line.slice(0, 3)), lines, text: lines.join('\n') }
    }
  }

  /** The server must close, and say nothing more before it does. */
  async expectClose(): Promise<void> {
    await this.#until('the server to close', () => this.#closed)
    assert.equal(this.#arrived, '', `the server spoke before it closed\n${this.transcript}`)
  }

  /** Nothing has arrived that was not read. Only meaningful where the server cannot still be about to speak. */
  get unread(): string {
    return this.#arrived
  }

  async startTls(): Promise<void> {
    await this.say('STARTTLS', /^220 /)
    await this.secure()
  }

  /** TLS now, without asking. The certificate is not verified: tests sign their own. */
  async secure(): Promise<void> {
    this.#socket.removeAllListeners('data')
    const { serverName: servername, certificate, resume } = this.#options
    const secured = connectTls({
      socket: this.#socket,
      rejectUnauthorized: false,
      ...(servername === undefined ? {} : { servername }),
      ...(certificate && { key: certificate.keyPem, cert: certificate.certificatePem }),
      ...(resume && { session: resume }),
    })
    this.#socket = secured
    secured.on('session', (session: Buffer) => {
      this.tlsSession = session
    })
    this.#listen(secured)
    await once(secured, 'secureConnect')
    this.#transcript.push(`-- ${secured.getProtocol()}`)
  }

  /** MAIL, the RCPTs, DATA and the content, each of which must be accepted; the reply to the dot is the answer. */
  async message(message: Message): Promise<TalkReply> {
    await this.say(`MAIL FROM:<${message.from}>`, /^250 /)
    for (const mailbox of message.to) await this.say(`RCPT TO:<${mailbox}>`, /^250 /)
    await this.say('DATA', /^354 /)
    return this.content(message.content)
  }

  /** The content, stuffed, and the final dot; after a 354. */
  content(content: string | Buffer): Promise<TalkReply> {
    const text = typeof content === 'string' ? content : content.toString('latin1')
    const stuffed = text.replace(/(^|\r\n)\./g, '$1..')
    return this.sendRaw(`${stuffed}${stuffed.endsWith('\r\n') || stuffed === '' ? '' : '\r\n'}.\r\n`).reply()
  }

  async quit(): Promise<void> {
    await this.say('QUIT', /^221 /)
    await this.expectClose()
  }

  /** Gone without a word, as when a cable is cut (a reset). */
  vanish(): void {
    this.#tcp.resetAndDestroy()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #listen(socket: Socket): void {
    socket.on('data', (octets: Buffer) => {
      this.#arrived += octets.toString('latin1')
      this.#wake()
    })
    const over = () => {
      this.#closed = true
      this.#wake()
    }
    socket.on('end', over)
    socket.on('close', over)
    socket.on('error', over)
  }

  async #line(): Promise<string> {
    const end = () => this.#arrived.indexOf('\r\n')
    await this.#until('a reply', () => end() >= 0 || this.#closed)
    const at = end()
    if (at < 0) this.#fail('the server closed instead of replying')
    const line = this.#arrived.slice(0, at)
    this.#arrived = this.#arrived.slice(at + 2)
    this.#transcript.push(`S: ${show(line)}`)
    return line
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + (this.#options.msMax ?? WAIT_MS_MAX)
    while (!condition()) {
      const left = end - performance.now()
      if (left <= 0) this.#fail(`waited in vain for ${what}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const timer = setTimeout(resolve, left)
      await promise
      clearTimeout(timer)
    }
  }

  #fail(what: string): never {
    assert.fail(`${what}\n--- the dialogue:\n${this.transcript}`)
  }
}

const SHOWN_CHARS_MAX = 200
const show = (line: string): string => {
  const clean = line.replace(/[^\n\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return clean.length > SHOWN_CHARS_MAX ? `${clean.slice(0, SHOWN_CHARS_MAX)}… (${line.length} octets)` : clean
}
