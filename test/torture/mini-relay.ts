/**
 * A relay of two hundred lines, only to prove the torture: the honest one must pass, and each of the others does one
 * thing that the ledger must see. One supervisor, one worker, one file; nothing of it is Vorposten's own code.
 *
 *   node test/torture/mini-relay.ts PORT SINK_PORT SPOOL_FILE MANNER
 */
import { fork } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'

/**
 * `acks-early`: 250 first, the file 300 ms later. `delivers-refused`: 451 to every 20th, kept all the same. `damages`:
 * one octet of every 20th. `repeats`: every 20th goes out twice. `forgets`: a worker starts with an empty queue.
 */
export type Manner = 'honest' | 'acks-early' | 'delivers-refused' | 'damages' | 'repeats' | 'forgets'

interface Mail {
  readonly id: string
  readonly recipients: readonly string[]
  /** Stuffed, with its final dot, latin1. */
  readonly content: string
}

const EARLY_MS = 300
const EVERY = 20
const RETRY_MS = 100
const CONTENT_END = '\r\n.\r\n'

class Worker {
  readonly #sinkPort: number
  readonly #file: string
  readonly #manner: Manner
  readonly #queue: Mail[] = []
  #count = 0
  #sending = false
  #stopping = false

  constructor(sinkPort: number, file: string, manner: Manner) {
    this.#sinkPort = sinkPort
    this.#file = file
    this.#manner = manner
    this.#replay()
  }

  /** The reply to the dot. */
  take(recipients: readonly string[], content: string): string {
    if (/(^|[^\r])\n/.test(content)) return '554 5.6.0 Bare LF'
    const odd = ++this.#count % EVERY === 0
    const mail = { id: `${process.pid}-${this.#count}`, recipients, content: odd ? this.#oddContent(content) : content }
    if (this.#manner === 'acks-early') setTimeout(() => this.#keep(mail), EARLY_MS)
    else this.#keep(mail)
    // By an id of its own, so that a replay does not mend it.
    if (odd && this.#manner === 'repeats') this.#keep({ ...mail, id: `${mail.id}-again` })
    return odd && this.#manner === 'delivers-refused' ? '451 4.3.0 Later' : '250 2.0.0 Ok'
  }

  #oddContent(content: string): string {
    return this.#manner === 'damages' ? content.replace(/a(?=[^a]*$)/, 'b') : content
  }

  // A write that the kernel has survives SIGKILL; only a power loss would need a sync.
  #keep(mail: Mail): void {
    appendFileSync(this.#file, `${JSON.stringify(mail)}\n`, 'latin1')
    this.#queue.push(mail)
    void this.#send()
  }

  #replay(): void {
    if (this.#manner === 'forgets' || !existsSync(this.#file)) return
    const pending = new Map<string, Mail>()
    for (const line of readFileSync(this.#file, 'latin1').split('\n')) {
      const record = parseRecord(line)
      if (record === undefined) continue
      if ('done' in record) pending.delete(record.done)
      else pending.set(record.id, record)
    }
    // A torn last line must not swallow the next record.
    appendFileSync(this.#file, '\n')
    this.#queue.push(...pending.values())
    void this.#send()
  }

  async #send(): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    const hop = new Hop(this.#sinkPort)
    for (let mail = this.#queue.shift(); mail; mail = this.#queue.shift()) {
      if (this.#stopping) process.exit(0)
      const code = await hop.deliver(mail)
      if (code < 400 || code >= 500) appendFileSync(this.#file, `${JSON.stringify({ done: mail.id })}\n`)
      else this.#later(mail)
    }
    hop.close()
    this.#sending = false
    if (this.#stopping) process.exit(0)
  }

  /** SIGTERM: the delivery under way is finished, so that nothing is sent twice. */
  stop(): void {
    this.#stopping = true
    if (!this.#sending) process.exit(0)
  }

  #later(mail: Mail): void {
    setTimeout(() => {
      this.#queue.push(mail)
      void this.#send()
    }, RETRY_MS)
  }
}

function parseRecord(line: string): Mail | { done: string } | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** One lock-step connection to the next hop. */
class Hop {
  readonly #socket: Socket
  #text = ''
  #greeted = false
  #wake: (() => void) | undefined

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (octets) => {
      this.#text += octets.toString('latin1')
      this.#wake?.()
    })
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => this.#wake?.())
  }

  /** The code of the reply to the dot; 400 if there was none. */
  async deliver(mail: Mail): Promise<number> {
    if (!this.#greeted) {
      await this.#reply()
      await this.#say('HELO mini.test')
    }
    this.#greeted = true
    await this.#say('MAIL FROM:<bench@src.test>')
    for (const recipient of mail.recipients) await this.#say(`RCPT TO:<${recipient}>`)
    await this.#say('DATA')
    this.#socket.write(Buffer.from(mail.content, 'latin1'))
    return this.#reply()
  }

  close(): void {
    this.#socket.end('QUIT\r\n')
  }

  #say(line: string): Promise<number> {
    this.#socket.write(`${line}\r\n`)
    return this.#reply()
  }

  async #reply(): Promise<number> {
    while (!this.#text.includes('\n')) {
      if (this.#socket.destroyed) return 400
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const end = this.#text.indexOf('\n')
    const code = Number(this.#text.slice(0, 3))
    this.#text = this.#text.slice(end + 1)
    return code
  }
}

function serve(socket: Socket, worker: Worker): void {
  let text = ''
  let recipients: string[] = []
  let inContent = false
  const command = (line: string): string => {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO') return '250-mini.test\r\n250 PIPELINING'
    if (verb === 'MAIL' || verb === 'RSET') recipients = []
    const recipient = verb === 'RCPT' ? /<(.*)>/.exec(line)?.[1] : undefined
    if (recipient !== undefined && !recipient.endsWith('@dest.test')) return '550 5.7.1 Not ours'
    if (recipient !== undefined) recipients.push(recipient)
    if (verb !== 'DATA') return verb === 'QUIT' ? '221 2.0.0 Bye' : '250 2.0.0 Ok'
    inContent = recipients.length > 0
    return inContent ? '354 Go on' : '503 5.5.1 No recipients'
  }
  const step = (): boolean => {
    const end = text.indexOf(inContent ? CONTENT_END : '\r\n')
    if (end < 0) return false
    const length = end + (inContent ? CONTENT_END.length : 2)
    const part = text.slice(0, length)
    text = text.slice(length)
    const reply = inContent ? worker.take(recipients, part) : command(part)
    if (reply.startsWith('354') === false) inContent = false
    if (reply.startsWith('221')) socket.end(`${reply}\r\n`)
    else socket.write(`${reply}\r\n`)
    return true
  }
  socket.on('error', () => socket.destroy())
  socket.write('220 mini.test ESMTP\r\n')
  socket.on('data', (octets) => {
    text += octets.toString('latin1')
    while (step());
  })
}

function work(port: number, sinkPort: number, file: string, manner: Manner): void {
  const worker = new Worker(sinkPort, file, manner)
  createServer((socket) => serve(socket, worker)).listen({ port, host: '127.0.0.1', backlog: 512 })
  process.on('disconnect', () => process.exit(0))
  process.on('SIGTERM', () => worker.stop())
}

function supervise(): void {
  let stopping = false
  const replace = (): void => {
    const child = fork(import.meta.filename, process.argv.slice(2), { env: { ...process.env, MINI_RELAY_WORKER: '1' } })
    child.on('exit', () => (stopping ? process.exit(0) : replace()))
    process.once('SIGTERM', () => {
      stopping = true
      child.kill('SIGTERM')
    })
  }
  replace()
}

const [port, sinkPort, file, manner] = process.argv.slice(2)
if (import.meta.main) {
  if (process.env['MINI_RELAY_WORKER'] === '1') work(Number(port), Number(sinkPort), file!, manner as Manner)
  else supervise()
}
