/** A name server on loopback that knows a few TXT records, and can be told others: what a domain's owner does in DNS. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface NameServer extends AsyncDisposable {
  readonly port: number
  /** A name and the text of its one record; undefined: none any more. */
  publish(name: string, text: string | undefined): void
  /** What it has been asked for. */
  readonly asked: readonly string[]
  /** SERVFAIL to everything. */
  fail(failing: boolean): void
  /** As mailauth wants to be answered. */
  readonly resolver: (name: string) => Promise<string[][]>
}

const HEADER_OCTETS = 12
const TXT = 16
const SERVFAIL = 2
const NXDOMAIN = 3

export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return new TxtServer(socket)
}

class TxtServer implements NameServer {
  readonly port: number
  readonly asked: string[] = []
  readonly #socket: Socket
  readonly #records = new Map<string, string>()
  #failing = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.port = socket.address().port
    socket.on('message', (query, from) => socket.send(this.#answer(query), from.port, from.address))
  }

  publish(name: string, text: string | undefined): void {
    if (text === undefined) this.#records.delete(name)
    else this.#records.set(name, text)
  }

  fail(failing: boolean): void {
    this.#failing = failing
  }

  readonly resolver = async (name: string): Promise<string[][]> => {
    const text = this.#records.get(name)
    if (text === undefined) throw Object.assign(new Error(`no record ${name}`), { code: 'ENOTFOUND' })
    return [[text]]
  };

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }

  // RFC 1035 §4.1: the question comes back, and behind it the answer, which names it by its offset.
  #answer(query: Buffer): Buffer {
    const labels: string[] = []
    let at = HEADER_OCTETS
    for (let length = query[at]!; length > 0; length = query[at]!) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length))
      at += length + 1
    }
    const question = query.subarray(HEADER_OCTETS, at + 5)
    const name = labels.join('.').toLowerCase()
    this.asked.push(name)
    const text = query.readUInt16BE(at + 1) === TXT ? this.#records.get(name) : undefined
    const header = Buffer.alloc(HEADER_OCTETS)
    query.copy(header, 0, 0, 2)
    header.writeUInt16BE(0x8180 | (this.#failing ? SERVFAIL : text === undefined ? NXDOMAIN : 0), 2)
    header.writeUInt16BE(1, 4)
    if (text === undefined || this.#failing) return Buffer.concat([header, question])
    header.writeUInt16BE(1, 6)
    const strings = Buffer.concat(
      (text.match(/.{1,255}/g) ?? []).map((one) => Buffer.from(`${String.fromCharCode(one.length)}${one}`, 'latin1')),
    )
    const answer = Buffer.from([
      0xc0,
      HEADER_OCTETS,
      0,
      TXT,
      0,
      1,
      0,
      0,
      0,
      60,
      strings.length >> 8,
      strings.length & 0xff,
    ])
    return Buffer.concat([header, question, answer, strings])
  }
}
