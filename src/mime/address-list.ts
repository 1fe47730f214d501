/**
 * The mailboxes of an address field (RFC 5322 §3.4), for those who decide by them: From, Sender. Display names are skipped,
 * comments, groups and folded white space understood, the obsolete route (§4.4) stripped. One mailbox is read by the parser of
 * the whole project.
 *
 * A field that cannot be read as a whole has no mailboxes (undefined): a reader that guesses may guess otherwise than the one
 * who shows the mail. Linear in the text. Limits below.
 */
import { type Mailbox, parseMailbox } from '#mail/address.ts'

/** Of one field. RFC 5322 has no limit; mailing software writes tens. */
export const ADDRESSES_MAX = 1000
const COMMENT_DEPTH_MAX = 20

/** `value`: unfolded, one character per octet or decoded UTF-8. An empty group has no mailboxes. */
export function addressList(value: string): readonly Mailbox[] | undefined {
  const reader = new Reader(value)
  const found: Mailbox[] = []
  let inGroup = false
  let needsAddress = true
  for (;;) {
    const element = reader.element()
    if (element === undefined || found.length > ADDRESSES_MAX) return undefined
    const { text, end } = element
    if (end === ':') {
      if (inGroup || text !== undefined) return undefined
      inGroup = true
      needsAddress = false
      continue
    }
    if (text !== undefined) {
      const mailbox = parseMailbox(text)
      if (!mailbox.ok) return undefined
      found.push(mailbox.value)
      needsAddress = false
    } else if (element.words > 0) return undefined
    if (end === ';') {
      if (!inGroup) return undefined
      inGroup = false
    }
    if (end === '') return inGroup || needsAddress ? undefined : found
  }
}

interface Element {
  /** The addr-spec, without white space and comments; undefined: there is none before `end`. */
  readonly text: string | undefined
  readonly words: number
  readonly end: ',' | ';' | ':' | ''
}

type Delimiter = ',' | ';' | ':'

class Reader {
  readonly #value: string
  #at = 0

  constructor(value: string) {
    this.#value = value
  }

  /** Up to the next delimiter; undefined: this is no address field. */
  element(): Element | undefined {
    let words = 0
    /** Everything so far, should it turn out to be an addr-spec without brackets. */
    let bare = ''
    let hasAt = false
    let angle: string | undefined
    for (;;) {
      if (!this.#skipSpace()) return undefined
      const next = this.#value[this.#at] ?? ''
      if (next === '' || next === ',' || next === ';' || (next === ':' && !hasAt)) {
        this.#at++
        if (hasAt && angle !== undefined) return undefined
        return { text: angle ?? (hasAt ? bare : undefined), words, end: next as Delimiter | '' }
      }
      if (angle !== undefined) return undefined
      if (next === '<') {
        angle = this.#angle()
        if (angle === undefined || hasAt) return undefined
        continue
      }
      const token = this.#token()
      if (token === undefined) return undefined
      if (token === '@') hasAt = true
      bare += token
      words++
    }
  }

  // RFC 5322 §4.4: "<@a,@b:local@domain>" is a route, and only its end counts.
  #angle(): string | undefined {
    this.#at++
    let text = ''
    for (;;) {
      if (!this.#skipSpace()) return undefined
      const next = this.#value[this.#at]
      if (next === undefined || next === '<') return undefined
      if (next === '>') {
        this.#at++
        return text === '' ? undefined : text
      }
      if (next === ':' || next === ',') {
        if (!text.startsWith('@')) return undefined
        this.#at++
        text = ''
        continue
      }
      const token = this.#token()
      if (token === undefined) return undefined
      text += token
    }
  }

  /** One atom, quoted string, domain literal, or a single special. */
  #token(): string | undefined {
    const from = this.#at
    const first = this.#value[from]!
    if (first === '"') return this.#until('"')
    if (first === '[') return this.#until(']')
    if (first === '@' || first === '.') {
      this.#at++
      return first
    }
    const atom = /[^\s()<>[\]:;@\\,."\x00-\x1f\x7f]+/y
    atom.lastIndex = from
    const match = atom.exec(this.#value)
    if (match === null) return undefined
    this.#at = atom.lastIndex
    return match[0]
  }

  #until(close: string): string | undefined {
    const from = this.#at
    for (this.#at++; this.#at < this.#value.length; this.#at++) {
      const here = this.#value[this.#at]
      if (here === '\\') this.#at++
      else if (here === close) return this.#value.slice(from, ++this.#at)
    }
    return undefined
  }

  // White space and comments, which nest. False: a comment does not end.
  #skipSpace(): boolean {
    let depth = 0
    for (; this.#at < this.#value.length; this.#at++) {
      const here = this.#value[this.#at]!
      if (here === '(') depth++
      else if (depth > 0 && here === ')') depth--
      else if (depth > 0 && here === '\\') this.#at++
      else if (depth === 0 && here !== ' ' && here !== '\t' && here !== '\r' && here !== '\n') return true
      if (depth > COMMENT_DEPTH_MAX) return false
    }
    return depth === 0
  }
}
