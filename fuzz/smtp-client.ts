/**
 * Fuzzes the client session against a server that answers by chance. Whatever the server says, in whatever pieces it
 * comes, whenever the connection breaks:
 *
 * - what goes out is commands and content with CRLF line ends, and the content arrives as it was;
 * - no job gives two transactions, and every job gets one result for each recipient;
 * - nothing is called delivered that the server did not take, and what it took is called delivered or lost;
 * - the session ends once, and says nothing after its end.
 */
import { type ForwardPath, parseForwardPath, parseReversePath } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { ClientEffect, ClientMachine, DeliverJob, RecipientResult } from '#smtp/client/contract.ts'
import { CLIENT_LIMITS } from '#smtp/client/limits.ts'
import { createClientSession } from '#smtp/client/session.ts'
import { type Chance, ChanceServer, show } from './smtp-client-server.ts'

/** What happens to the client's octets on their way; the canary breaks them. */
type Way = (octets: string) => string
const KEYWORDS = ['PIPELINING', 'CHUNKING', 'SIZE 100000', '8BITMIME', 'DSN', 'ENHANCEDSTATUSCODES']
const PIECES = [
  '.',
  '..',
  '\r\n',
  '\r\n.\r\n',
  '\n',
  '\r',
  '\n.\n',
  '\r.\r',
  '\0',
  'hello',
  '\xff',
  '\r\n..\r\n',
  'QUIT\r\n',
]
const JOBS_MAX = 4
const TURNS_MAX = 5_000

export function fuzz(seed: number, iterations: number): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) new Play(chance, (octets) => octets).run()
}

/** A client that does not stuff dots. */
export function canary(): void {
  const chance = chances(1)
  for (let i = 0; i < 2_000; i++) new Play(chance, (octets) => octets.replaceAll('\n..', '\n.')).run()
}

/** A linear congruential generator; the high bits are the good ones. */
function chances(seed: number): Chance {
  let state = seed >>> 0
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

class Play {
  readonly #chance: Chance
  readonly #way: Way
  readonly #server: ChanceServer
  readonly #machine: ClientMachine
  readonly #lmtp: boolean
  #job: DeliverJob | undefined
  #sent = ''
  #jobs = 0
  #nowMs = 0
  #over = false
  #closed = false
  #wantsMore = false

  constructor(chance: Chance, way: Way) {
    this.#chance = chance
    this.#way = way
    this.#lmtp = chance(3) === 0
    const keywords = KEYWORDS.filter(() => chance(2) === 0)
    this.#server = new ChanceServer({ lmtp: this.#lmtp, keywords, badOneIn: [0, 4, 20][chance(3)]! }, chance)
    this.#machine = createClientSession({
      protocol: this.#lmtp ? 'lmtp' : 'smtp',
      greetingName: 'relay.example',
      tls: 'opportunistic',
      preferChunking: chance(2) === 0,
      limits: { ...CLIENT_LIMITS, dataBlockOctets: 1 + chance(40), earlyContentOctetsMax: chance(60) },
    })
  }

  run(): void {
    for (let turn = 0; !this.#closed; turn++) {
      if (turn > TURNS_MAX) throw new Error('the session does not end')
      this.#carryOut()
      if (this.#closed) break
      this.#disturb()
      if (this.#machine.ready && this.#job === undefined) this.#nextJob()
    }
    if (this.#job !== undefined) throw new Error('a job without a result')
    this.#machine.receive(Buffer.from('250 ok\r\n'))
    this.#machine.tick(this.#nowMs + 1e9)
    if (this.#machine.take().length > 0) throw new Error('something after the end')
  }

  /** Something comes: octets, room to write, time, or the end. */
  #disturb(): void {
    const kind = this.#chance(400)
    if (kind === 0) this.#machine.fail({ obstacle: 'closed', text: 'gone' })
    else if (kind === 1) this.#machine.quit()
    else if (kind < 10) this.#machine.tick((this.#nowMs += this.#chance(400_000)))
    else if (this.#wantsMore && kind % 2 === 0) {
      this.#wantsMore = false
      this.#machine.flowing()
    } else this.#deliverOctets()
  }

  #deliverOctets(): void {
    const { outbox, closed } = this.#server
    if (outbox === '' && closed) this.#machine.fail({ obstacle: 'closed', text: 'the server closed' })
    const octets = this.#chance(3) === 0 ? outbox.length : this.#chance(outbox.length + 1)
    this.#server.outbox = outbox.slice(octets)
    if (octets > 0) this.#machine.receive(Buffer.from(outbox.slice(0, octets), 'latin1'))
  }

  #carryOut(): void {
    for (let effects = this.#machine.take(); effects.length > 0; effects = this.#machine.take()) {
      for (const effect of effects) this.#effect(effect)
    }
  }

  #effect(effect: ClientEffect): void {
    if (this.#closed) throw new Error(`${effect.kind} after close`)
    if (effect.kind === 'write') {
      this.#wantsMore = effect.more
      this.#server.hear(this.#way(effect.parts.map((part) => part.toString('latin1')).join('')))
    } else if (effect.kind === 'delivered') this.#judge(effect.results)
    else if (effect.kind === 'over') {
      if (this.#over) throw new Error('over twice')
      this.#over = true
    } else if (effect.kind === 'close') this.#closed = true
  }

  #nextJob(): void {
    if (this.#jobs === JOBS_MAX || (this.#jobs > 0 && this.#chance(5) === 0)) {
      this.#machine.quit()
      return
    }
    this.#jobs++
    this.#server.seen.accepted.length = 0
    this.#server.seen = { accepted: [], codes: new Set(), taken: new Set() }
    const pieces = Array.from({ length: this.#chance(12) }, () => PIECES[this.#chance(PIECES.length)]!)
    this.#sent = pieces.join('')
    const recipients = Array.from({ length: 1 + this.#chance(4) }, (_, i) => ({ forwardPath: forwardPath(i) }))
    this.#job = {
      envelope: { reversePath: REVERSE_PATH, recipients, body: '7bit', smtputf8: false },
      recipients: recipients.map((_, i) => i),
      content: content(pieces.map((piece) => Buffer.from(piece, 'latin1'))),
      onMixed: this.#chance(2) === 0 ? 'send' : 'abort',
    }
    this.#machine.deliver(this.#job)
  }

  #judge(results: readonly RecipientResult[]): void {
    const job = this.#job
    if (job === undefined) throw new Error('a result without a job')
    this.#job = undefined
    const { seen } = this.#server
    if (results.length !== job.recipients.length) throw new Error('not one result for each recipient')
    if (seen.content !== undefined && seen.accepted.length > 0) this.#compare(seen.content)
    if (job.onMixed === 'abort' && seen.content !== undefined && seen.accepted.length > 0) {
      if (seen.accepted.length < results.length) throw new Error('content for some, where it was for all or nobody')
    }
    results.forEach((result, i) => {
      if (result === undefined) throw new Error('no result')
      this.#judgeOne(result, `r${i}@customer.example`)
    })
  }

  #judgeOne(result: RecipientResult, path: string): void {
    const { seen } = this.#server
    const taken = seen.taken.has(path)
    if (result.kind === 'delivered' && !taken) throw new Error(`${path} was not delivered`)
    if (taken && result.kind !== 'delivered' && !(result.kind === 'deferred' && result.obstacle === 'lost')) {
      throw new Error(`${path} was taken, and is called ${JSON.stringify(result)}`)
    }
    if (result.kind !== 'delivered' && /[^\x20-\x7e]/.test(result.text))
      throw new Error(`dirty text: ${show(result.text)}`)
    const code = result.reply?.code
    if (code !== undefined && !seen.codes.has(code)) throw new Error(`the server never said ${code}`)
    if (result.kind === 'failed' && (code ?? 0) < 500) throw new Error('failed without a 5yz')
  }

  /** The content as the server has it, against a slow and simple reading of what was to be sent. */
  #compare(received: string): void {
    const lines = this.#sent.replace(/\r\n|\r|\n/g, '\r\n')
    const ended = lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`
    if (received !== lines && received !== ended) throw new Error(`sent ${show(ended)}, arrived ${show(received)}`)
  }
}

const REVERSE_PATH = parsed(parseReversePath('<anna@sender.example>'))
const forwardPath = (i: number): ForwardPath => parsed(parseForwardPath(`<r${i}@customer.example>`))

function parsed<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string },
): T {
  if (!result.ok) throw new Error(result.fault)
  return result.value
}
