/**
 * What an ICAP server says of a content (RFC 3507), read as it comes: pure, bounded, and never `clean` but for what cannot
 * mean anything else.
 *
 * | answer | means |
 * |---|---|
 * | 204 after all octets | clean |
 * | 204 to a preview of more | it did not look: it judged by the first octets |
 * | a header field that names an infection, or a page instead of the content, or the content changed | found |
 * | 200 with the content as it was, from a server that could have said 204 | it did not look: too large for it, or a type that it lets through |
 * | the same from a server that has no 204, begun after all octets | clean |
 * | 4yz, 5yz | it cannot look now |
 * | anything else | garbled |
 *
 * That a server which has 204 passes on unseen what it gives back is what c-icap does above its MaxObjectSize and for types
 * that it is not told to scan; nothing else tells it from a look.
 */
import { printable } from '#mail/scan.ts'
import type { Failure } from './servers.ts'

/** Of an ICAP or HTTP header section. */
export const HEAD_OCTETS_MAX = 64 * 1024
/** Of a line with the length of a chunk, extensions included. */
const CHUNK_LINE_OCTETS_MAX = 256
const NAME_CHARACTERS_MAX = 200
/** Of a preview: some say a figure that is meant as "all". */
const PREVIEW_OCTETS_MAX = 64 * 1024
/** What an answer that cannot be read shows of itself. */
const GARBLED_CHARACTERS_MAX = 100

export type IcapAnswer =
  | { readonly kind: 'clean'; readonly tag: string | undefined }
  /** `isLimit`: not malware, but a container beyond what it opens. */
  | { readonly kind: 'found'; readonly name: string; readonly isLimit: boolean }
  | Failure

export interface IcapOptions {
  readonly has204: boolean
  /** Octets that it wants to see first, before it says whether it wants the others; undefined: it does not. */
  readonly previewOctets: number | undefined
  /** That the server wants to have, over all its clients. */
  readonly connectionsMax: number | undefined
  /** Changes with its signatures (RFC 3507 §4.7). */
  readonly tag: string | undefined
  readonly ttlMs: number | undefined
}

interface Head {
  readonly protocol: string
  readonly code: number
  readonly line: string
  /** By lower-case name, folded lines kept; of a repeated field all, with commas. */
  readonly fields: ReadonlyMap<string, string>
}

/** To OPTIONS. */
export function readOptions(text: string): IcapOptions | Failure {
  const head = readHead(text, 'ICAP')
  if (head === undefined) return garbled(text)
  if (head.code !== 200) return refusal(head)
  const methods = words(head, 'methods')
  if (methods.length > 0 && !methods.includes('respmod')) return { kind: 'down', text: 'it has no RESPMOD' }
  const connections = number(head.fields.get('max-connections'))
  const preview = number(head.fields.get('preview'))
  const ttl = number(head.fields.get('options-ttl'))
  return {
    has204: words(head, 'allow').includes('204'),
    previewOctets: preview === undefined ? undefined : Math.min(preview, PREVIEW_OCTETS_MAX),
    connectionsMax: connections === undefined || connections === 0 ? undefined : connections,
    tag: tagOf(head),
    ttlMs: ttl === undefined ? undefined : ttl * 1000,
  }
}

export interface Asked {
  /** What it is given to look at. */
  readonly sent: readonly Buffer[]
  /** It says 204 where it has found nothing. */
  readonly has204: boolean
  /** It has been sent a preview, and may ask for the rest: then this is called, once. Absent: no preview was sent, or it was all. */
  readonly goOn?: () => void
}

export class IcapAnswerReader {
  readonly #has204: boolean
  #goOn: (() => void) | undefined
  readonly #body: BodyComparison
  #heard: Buffer = Buffer.alloc(0)
  #icap: Head | undefined
  #httpOctets = 0
  #httpIsRead = false
  #hasBody = false
  #beganEarly = false

  constructor({ sent, has204, goOn }: Asked) {
    this.#has204 = has204
    this.#goOn = goOn
    this.#body = new BodyComparison(sent)
  }

  /** Nothing: more is to come. */
  push(octets: Buffer, sentAll: boolean): IcapAnswer | undefined {
    if (this.#httpIsRead) return this.#compared(octets)
    this.#heard = this.#heard.length === 0 ? octets : Buffer.concat([this.#heard, octets])
    if (this.#icap === undefined) {
      const text = this.#takeHead()
      if (typeof text !== 'string') return text
      const answer = this.#readIcap(text, sentAll)
      if (answer !== undefined || this.#icap === undefined) return answer
    }
    if (this.#heard.length < this.#httpOctets) return undefined
    const answer = this.#readHttp(this.#heard.toString('latin1', 0, this.#httpOctets))
    if (answer !== undefined) return answer
    this.#httpIsRead = true
    const rest = this.#heard.subarray(this.#httpOctets)
    this.#heard = Buffer.alloc(0)
    return this.#compared(rest)
  }

  /** It closed. */
  closed(): IcapAnswer | undefined {
    return this.#icap === undefined && this.#heard.length === 0 ? undefined : garbled('an answer that does not end')
  }

  #takeHead(): string | Failure | undefined {
    const end = this.#heard.indexOf('\r\n\r\n')
    if (end < 0 ? this.#heard.length > HEAD_OCTETS_MAX : end > HEAD_OCTETS_MAX)
      return garbled(this.#heard.toString('latin1', 0, GARBLED_CHARACTERS_MAX))
    if (end < 0) return undefined
    const text = this.#heard.toString('latin1', 0, end)
    this.#heard = this.#heard.subarray(end + 4)
    return text
  }

  #readIcap(text: string, sentAll: boolean): IcapAnswer | undefined {
    const head = readHead(text, 'ICAP')
    if (head === undefined) return garbled(text)
    if (head.code === 100 && this.#goOn !== undefined) {
      // One that speaks on before it has heard the rest has lost step.
      if (this.#heard.length > 0) return garbled(text)
      this.#goOn()
      this.#goOn = undefined
      return undefined
    }
    this.#icap = head
    const found = finding(head)
    if (found !== undefined) return found
    if (head.code === 204) {
      if (sentAll) return { kind: 'clean', tag: tagOf(head) }
      // Before it has all of it, it speaks of something else.
      return this.#goOn === undefined
        ? garbled(text)
        : { kind: 'too-large', text: 'it judged by the first octets alone' }
    }
    if (head.code !== 200) return refusal(head)
    this.#beganEarly = !sentAll
    // RFC 3507 §4.4.1: where the parts of the encapsulated response stand.
    const parts = /^res-hdr=0, *(res-body|null-body)=(\d{1,6})$/.exec(head.fields.get('encapsulated')?.trim() ?? '')
    this.#httpOctets = Number(parts?.[2] ?? 0)
    this.#hasBody = parts?.[1] === 'res-body'
    return parts === null || this.#httpOctets > HEAD_OCTETS_MAX ? garbled(text) : undefined
  }

  #readHttp(text: string): IcapAnswer | undefined {
    const head = readHead(text, 'HTTP')
    if (head === undefined) return garbled(text)
    const found = finding(head)
    if (found !== undefined) return found
    if (head.code !== 200) return { kind: 'found', name: `refused: ${head.code}`, isLimit: false }
    return this.#hasBody ? undefined : this.#compared(Buffer.from('0\r\n\r\n'))
  }

  #compared(octets: Buffer): IcapAnswer | undefined {
    switch (this.#body.push(octets)) {
      case 'more':
        return undefined
      case 'garbled':
        return garbled('a body that is not in chunks')
      case 'different':
        return { kind: 'found', name: 'changed by the scanner', isLimit: false }
      case 'same':
        if (!this.#has204 && !this.#beganEarly) return { kind: 'clean', tag: tagOf(this.#icap!) }
        return {
          kind: 'too-large',
          text: 'it gave the content back unseen: over its size limit, or of a type it does not scan',
        }
    }
  }
}

type Compared = 'more' | 'same' | 'different' | 'garbled'

/** Undoes the chunks of a body (RFC 9112 §7.1) and holds it against what was sent; keeps nothing but lines. */
class BodyComparison {
  readonly #sent: readonly Buffer[]
  #chunk = 0
  #at = 0
  #left = 0
  #line = ''
  #state: 'length' | 'data' | 'data-end' | 'trailer' = 'length'

  constructor(sent: readonly Buffer[]) {
    this.#sent = sent
  }

  push(octets: Buffer): Compared {
    let at = 0
    while (at < octets.length) {
      if (this.#state === 'data') {
        const piece = octets.subarray(at, at + this.#left)
        if (!this.#isNext(piece)) return 'different'
        at += piece.length
        this.#left -= piece.length
        if (this.#left === 0) this.#state = 'data-end'
        continue
      }
      const lf = octets.indexOf(0x0a, at)
      this.#line += octets.toString('latin1', at, lf < 0 ? octets.length : lf + 1)
      if (this.#line.length > CHUNK_LINE_OCTETS_MAX) return 'garbled'
      if (lf < 0) return 'more'
      at = lf + 1
      const end = this.#lineEnds()
      if (end !== undefined) return end
    }
    return 'more'
  }

  #lineEnds(): Compared | undefined {
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n')) return 'garbled'
    if (this.#state === 'data-end') {
      this.#state = 'length'
      return line === '\r\n' ? undefined : 'garbled'
    }
    if (this.#state === 'trailer') return line === '\r\n' ? (this.#isAtEnd() ? 'same' : 'different') : undefined
    const length = /^([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n$/.exec(line)?.[1]
    if (length === undefined) return 'garbled'
    this.#left = Number.parseInt(length, 16)
    this.#state = this.#left === 0 ? 'trailer' : 'data'
    return undefined
  }

  #isNext(octets: Buffer): boolean {
    let from = 0
    while (from < octets.length) {
      const chunk = this.#sent[this.#chunk]
      if (chunk === undefined) return false
      const length = Math.min(chunk.length - this.#at, octets.length - from)
      if (chunk.compare(octets, from, from + length, this.#at, this.#at + length) !== 0) return false
      from += length
      this.#at += length
      if (this.#at === chunk.length) {
        this.#chunk++
        this.#at = 0
      }
    }
    return true
  }

  #isAtEnd(): boolean {
    return this.#sent.slice(this.#chunk).every((chunk, i) => chunk.length === (i === 0 ? this.#at : 0))
  }
}

function readHead(text: string, protocol: 'ICAP' | 'HTTP'): Head | undefined {
  const [line = '', ...lines] = text.replace(/(?:\r\n)+$/, '').split('\r\n')
  const status = /^(ICAP|HTTP)\/1\.\d (\d{3})(?: [^\r\n\0]*)?$/.exec(line)
  if (status?.[1] !== protocol) return undefined
  const fields = new Map<string, string>()
  let last: string | undefined
  for (const one of lines) {
    const colon = one.indexOf(':')
    if (/[\r\n\0]/.test(one)) return undefined
    if (/^[ \t]/.test(one) && last !== undefined) fields.set(last, `${fields.get(last)}\n${one.trim()}`)
    else if (/^[\w.-]{1,80}$/.test(one.slice(0, Math.max(0, colon)).trimEnd())) {
      last = one.slice(0, colon).trim().toLowerCase()
      const before = fields.get(last)
      fields.set(last, before === undefined ? one.slice(colon + 1).trim() : `${before}, ${one.slice(colon + 1).trim()}`)
    } else return undefined
  }
  return { protocol, code: Number(status[2]), line, fields }
}

const words = ({ fields }: Head, name: string): string[] =>
  (fields.get(name) ?? '')
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '')
const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
const tagOf = ({ fields }: Head): string | undefined => fields.get('istag')?.slice(0, NAME_CHARACTERS_MAX)

/** What some servers write where they have found nothing. */
const NOTHING = /^(?:|-|0|none|no|clean|no (?:threats?|virus(?:es)?)(?: found)?)$/i

/** The fields by which servers tell what they have found; none of them stands in a standard. */
function finding({ fields }: Head): IcapAnswer | undefined {
  const infection = fields.get('x-infection-found')
  const violations = fields.get('x-violations-found')
  const id = fields.get('x-virus-id') ?? fields.get('x-virus-name')
  if (infection !== undefined && !NOTHING.test(infection)) {
    const threat = /Threat=([^;\n]*)/i.exec(infection)?.[1] ?? infection
    // Type 2: a container that it cannot or may not open to its end.
    return { kind: 'found', name: nameOf(threat), isLimit: /Type=2\b/i.test(infection) }
  }
  if (id !== undefined && !NOTHING.test(id)) return { kind: 'found', name: nameOf(id), isLimit: false }
  // Their number, and then for each a file, a name, a number and what was done, in lines of their own.
  if (violations !== undefined && !NOTHING.test(violations))
    return { kind: 'found', name: nameOf(violations.split('\n')[2] ?? violations), isLimit: false }
  return undefined
}

const nameOf = (text: string): string => printable(text.trim(), NAME_CHARACTERS_MAX) || 'unnamed'

function refusal({ code, line }: Head): Failure {
  const text = printable(line, GARBLED_CHARACTERS_MAX)
  if (code === 413) return { kind: 'too-large', text }
  if (code === 408) return { kind: 'timed-out', text }
  return code >= 400 && code < 600 ? { kind: 'down', text } : garbled(line)
}

const garbled = (heard: string): Failure => ({
  kind: 'garbled',
  text: `not an answer of ICAP: ${JSON.stringify(heard.slice(0, GARBLED_CHARACTERS_MAX))}`,
})
