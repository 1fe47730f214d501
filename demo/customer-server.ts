/**
 * The customer's mail server of the demo: a small SMTP server (RFC 5321) on loopback that knows its mailboxes, refuses
 * what it does not want, and can be switched off and on. It keeps what it took, octet by octet. Not a server for real
 * mail: it trusts its one client and has no limits.
 */
import { createServer, type Server, type Socket } from 'node:net'

const END_OF_DATA = Buffer.from('\r\n.\r\n')
const CRLF = Buffer.from('\r\n')

export interface Delivered {
  readonly reversePath: string
  readonly recipients: readonly string[]
  readonly content: Buffer
}

export type CustomerEvent =
  /** Somebody asks, with the null reverse-path and without content, whether a mailbox exists. */
  | { readonly kind: 'asked'; readonly mailbox: string; readonly exists: boolean }
  | { readonly kind: 'took'; readonly message: Delivered }
  | { readonly kind: 'refused'; readonly message: Delivered; readonly reply: string }

export interface CustomerRules {
  readonly mailboxes: ReadonlySet<string>
  /** The whole reply for content that is not wanted; undefined takes it. */
  refuse(content: Buffer): string | undefined
}

export class CustomerServer {
  readonly messages: Delivered[] = []
  readonly #rules: CustomerRules
  readonly #tell: (event: CustomerEvent) => void
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0

  constructor(rules: CustomerRules, tell: (event: CustomerEvent) => void) {
    this.#rules = rules
    this.#tell = tell
  }

  get port(): number {
    return this.#port
  }

  /** Listens: the first time on a free port, then always on that one. */
  switchOn(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#session(socket))
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', () => {
        const address = server.address()
        if (address !== null && typeof address === 'object') this.#port = address.port
        resolve()
      })
    })
  }

  /** Nobody listens any more, and open connections break. */
  switchOff(): Promise<void> {
    const server = this.#server
    if (server === undefined) return Promise.resolve()
    this.#server = undefined
    return new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of this.#sockets) socket.destroy()
    })
  }

  #session(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    const session = new CustomerSession(socket, this.#rules, (event) => {
      if (event.kind === 'took') this.messages.push(event.message)
      this.#tell(event)
    })
    socket.on('data', (octets: Buffer) => session.take(octets))
    socket.write('220 mail.bakery.example ESMTP\r\n')
  }
}

const USUAL: { readonly [verb: string]: string } = {
  EHLO: '250-mail.bakery.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES',
  HELO: '250 mail.bakery.example',
  MAIL: '250 2.1.0 Ok',
  NOOP: '250 2.0.0 Ok',
  RSET: '250 2.0.0 Ok',
}

class CustomerSession {
  readonly #socket: Socket
  readonly #rules: CustomerRules
  readonly #tell: (event: CustomerEvent) => void
  #input: Buffer = Buffer.alloc(0)
  #inData = false
  #reversePath = ''
  #recipients: string[] = []

  constructor(socket: Socket, rules: CustomerRules, tell: (event: CustomerEvent) => void) {
    this.#socket = socket
    this.#rules = rules
    this.#tell = tell
  }

  take(octets: Buffer): void {
    this.#input = Buffer.concat([this.#input, octets])
    while (this.#inData ? this.#takeContent() : this.#takeCommand()) {}
  }

  #takeCommand(): boolean {
    const end = this.#input.indexOf(CRLF)
    if (end < 0) return false
    const line = this.#input.toString('utf8', 0, end)
    this.#input = this.#input.subarray(end + 2)
    this.#command(line)
    return true
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase()
    const path = /<([^>]*)>/.exec(line)?.[1] ?? ''
    if (verb === 'RCPT') this.#rcpt(path)
    else if (verb === 'DATA') this.#data()
    else if (verb === 'QUIT') this.#socket.end('221 2.0.0 Bye\r\n')
    else {
      if (verb === 'MAIL') this.#reset(path)
      else if (verb !== 'NOOP') this.#reset('')
      this.#say(USUAL[verb] ?? '500 5.5.2 unknown command')
    }
  }

  #data(): void {
    this.#inData = this.#recipients.length > 0
    this.#say(this.#inData ? '354 go ahead' : '503 5.5.1 no valid recipient')
  }

  #rcpt(mailbox: string): void {
    const exists = this.#rules.mailboxes.has(mailbox.toLowerCase())
    if (this.#reversePath === '') this.#tell({ kind: 'asked', mailbox, exists })
    if (exists) this.#recipients.push(mailbox)
    this.#say(exists ? '250 2.1.5 Ok' : '550 5.1.1 no such mailbox')
  }

  // RFC 5321 §4.5.2: only CRLF.CRLF ends the content, and a dot that was put before a dot is taken off again.
  #takeContent(): boolean {
    const end = this.#input.indexOf(END_OF_DATA)
    if (end < 0) return false
    const stuffed = this.#input.toString('latin1', 0, end + 2)
    this.#input = this.#input.subarray(end + END_OF_DATA.length)
    this.#inData = false
    const content = Buffer.from(stuffed.replace(/(^|\r\n)\./g, '$1'), 'latin1')
    const message = { reversePath: this.#reversePath, recipients: this.#recipients, content }
    const reply = this.#rules.refuse(content)
    this.#tell(reply === undefined ? { kind: 'took', message } : { kind: 'refused', message, reply })
    this.#reset('')
    this.#say(reply ?? '250 2.0.0 Ok, in the mailbox')
    return true
  }

  #reset(reversePath: string): void {
    this.#reversePath = reversePath
    this.#recipients = []
  }

  #say(reply: string): void {
    this.#socket.write(`${reply}\r\n`)
  }
}
