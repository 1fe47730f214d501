/**
 * The features of a message for the classifier, in three views that err differently: words in their places, two words at a
 * distance (orthogonal sparse bigrams) and traits; four characters of the header section in a row; four characters of the
 * text. Each feature is a hash and counts once; a long message counts no more than a short one.
 *
 * What another server put there is not used (`Received`, what filters said), nor who the recipient is.
 */
import { decoded, type SpamMessage } from '../message.ts'
import { hashOf, mix, plainText, wordsOf } from './words.ts'

export interface Features {
  /** Of 32 bits each, without doubles. */
  readonly hashes: Uint32Array
  /** What each counts: all together as long as 1. */
  readonly scale: number
}

/** What is seen of a message in each view. */
export interface MessageFeatures {
  readonly words: Features
  readonly header: Features
  readonly text: Features
}

export const FEATURES_MAX = 8_000
/** Of the header section and of the text whose characters are looked at in a row. */
const HEADER_GRAMS_MAX = 3_000
const TEXT_GRAMS_MAX = 4_000
const GRAM = 4
/** Words between the two of a pair, at most. */
const WINDOW = 4

const seed = (name: string): number => hashOf(name)
const SUBJECT = seed('subject')
const BODY = seed('body')
const FROM = seed('from')
const DOMAIN = seed('from-domain')
const REPLY = seed('reply-to')
const LINK = seed('link')
const FILE = seed('file')
const TRAIT = seed('trait')
const HIDDEN = seed('hidden')

class Gathering {
  readonly #seen = new Set<number>()

  add(place: number, hash: number): void {
    if (this.#seen.size < FEATURES_MAX) this.#seen.add(mix(place, hash))
  }

  words(place: number, words: readonly number[], pairs: boolean): void {
    for (let i = 0; i < words.length; i++) {
      this.add(place, words[i]!)
      if (!pairs) continue
      for (let k = 1; k <= WINDOW && k <= i; k++) this.add(place + k, mix(words[i - k]!, words[i]!))
    }
  }

  grams(text: string): void {
    for (let i = 0; i + GRAM <= text.length; i++) this.#seen.add(mix(GRAM, hashOf(text.slice(i, i + GRAM))))
  }

  get features(): Features {
    const hashes = Uint32Array.from(this.#seen)
    return { hashes, scale: hashes.length === 0 ? 0 : 1 / Math.sqrt(hashes.length) }
  }
}

export function featuresOf(message: SpamMessage): MessageFeatures {
  const header = new Gathering()
  header.grams(ofTheSender(message).slice(0, HEADER_GRAMS_MAX))
  const text = new Gathering()
  text.grams(readable(message).slice(0, TEXT_GRAMS_MAX))
  return { words: wordFeatures(message), header: header.features, text: text.features }
}

/** The header section as its writer left it. */
const ofTheSender = ({ fields }: SpamMessage): string =>
  fields
    .filter(({ name }) => !NOT_OF_THE_SENDER.test(name) && !OF_THE_RECIPIENT.test(name))
    .map(({ name, value }) => `${name}: ${value}`)
    .join('\n')

function readable({ subject, texts }: SpamMessage): string {
  const all = [subject]
  for (const { text, html } of texts) {
    all.push(text.slice(0, TEXT_GRAMS_MAX * 4).replace(/\s+/g, ' '))
    if (html !== undefined) all.push(html.links.map(({ href }) => href.slice(0, 200)).join(' '))
  }
  return plainText(all.join('\n')).text
}

function wordFeatures(message: SpamMessage): Features {
  const found = new Gathering()
  const subject = plainText(message.subject)
  found.words(SUBJECT, wordsOf(subject.text), true)
  senders(message, found)
  traits(message, found)
  let invisible = subject.invisible
  let lookAlikes = subject.lookAlikes
  for (const { text, html } of message.texts) {
    const plain = plainText(text)
    invisible += plain.invisible
    lookAlikes += plain.lookAlikes
    found.words(BODY, wordsOf(plain.text), true)
    for (const link of linksOf(plain.text)) linkFeatures(link, found)
    if (html === undefined) continue
    for (const { href } of html.links) linkFeatures(href, found)
    found.words(HIDDEN, wordsOf(plainText(html.hidden).text, 200), false)
  }
  if (invisible > 0) found.add(TRAIT, hashOf(`invisible ${size(invisible)}`))
  if (lookAlikes > 0) found.add(TRAIT, hashOf(`look-alikes ${size(lookAlikes)}`))
  return found.features
}

function senders({ fields }: SpamMessage, found: Gathering): void {
  const from = decoded(fields, 'from')
  const [display, mailbox] = split(from)
  found.words(FROM, wordsOf(plainText(display).text), true)
  domainFeatures(DOMAIN, domainOf(mailbox), found)
  const reply = domainOf(split(decoded(fields, 'reply-to'))[1])
  if (reply === '') return
  domainFeatures(REPLY, reply, found)
  found.add(TRAIT, hashOf(reply === domainOf(mailbox) ? 'reply-to same' : 'reply-to other'))
}

/** Display name and mailbox; lenient. */
function split(value: string): [string, string] {
  const open = value.lastIndexOf('<')
  return open < 0 ? ['', value] : [value.slice(0, open), value.slice(open + 1).replace(/>.*$/s, '')]
}

const domainOf = (mailbox: string): string =>
  mailbox
    .slice(mailbox.lastIndexOf('@') + 1)
    .trim()
    .toLowerCase()

// Each suffix of it: mail.shop.example, shop.example, example.
function domainFeatures(place: number, domain: string, found: Gathering): void {
  for (let at = 0, labels = 0; at >= 0 && labels < 6; labels++) {
    found.add(place, hashOf(domain.slice(at)))
    const dot = domain.indexOf('.', at)
    at = dot < 0 ? -1 : dot + 1
  }
}

/** Fields whose presence, or whose words, say something about the program that wrote the message. */
const PROGRAM = ['x-mailer', 'user-agent', 'x-mimeole']
const NOT_OF_THE_SENDER =
  /^(?:received|return-path|delivered-to|x-original-to|x-spam.*|x-foff.*|authentication-results|arc-.*|received-spf|status|x-status|x-keywords|x-uid.*|envelope-to|x-received|x-google.*|x-gm-.*|x-vorposten.*)$/

const OF_THE_RECIPIENT = /^(?:to|cc|sender|errors-to)$/

function traits({ fields, parts, attachments, texts, octets }: SpamMessage, found: Gathering): void {
  const trait = (text: string): void => found.add(TRAIT, hashOf(text))
  const names = new Set<string>()
  for (const { name } of fields) if (!NOT_OF_THE_SENDER.test(name)) names.add(name)
  for (const name of names) trait(`field ${name}`)
  for (const name of ['to', 'message-id', 'date', 'subject', 'mime-version']) if (!names.has(name)) trait(`no ${name}`)
  for (const name of PROGRAM) found.words(hashOf(name), wordsOf(decoded(fields, name).toLowerCase(), 20), false)
  for (const part of parts) {
    trait(`type ${part.depth} ${part.type}`)
    trait(`charset ${(part.parameters.get('charset') ?? '').toLowerCase()}`)
    const encoding = part.fields.find(({ name }) => name === 'content-transfer-encoding')
    trait(`encoding ${part.type} ${encoding?.value.toLowerCase() ?? ''}`)
  }
  for (const { type, name } of attachments) {
    found.add(FILE, hashOf(type))
    found.add(FILE, hashOf(/\.([^.]{1,10})$/.exec(name)?.[1]?.toLowerCase() ?? ''))
  }
  trait(`octets ${size(octets)}`)
  for (const { html, text } of texts) {
    trait(`text ${size(text.length)}`)
    if (html === undefined) continue
    trait(`links ${size(html.links.length)}`)
    trait(`images ${size(html.images.length)}`)
    if (html.pixels > 0) trait('pixel')
    if (html.forms.length > 0) trait('form')
    if (html.scripts > 0) trait('script')
    if (html.hidden.length > 0) trait(`hidden ${size(html.hidden.length)}`)
  }
}

/** Powers of four, so that neighbours share one. */
const size = (n: number): number => (n === 0 ? 0 : Math.ceil(Math.log2(n + 1) / 2))

const LINK_PATTERN = /https?:\/\/[^\s"'<>)\]}]{3,500}/g
const linksOf = (text: string): string[] => (text.match(LINK_PATTERN) ?? []).slice(0, 100)

function linkFeatures(href: string, found: Gathering): void {
  const parts = /^\s{0,9}([a-z][a-z0-9+.-]{0,20}):(?:\/\/)?(?:[^/@?#]{0,200}@)?([^/?#:]{0,255})([^?#]{0,500})/i.exec(
    href,
  )
  if (parts === null) return
  const [, scheme = '', host = '', path = ''] = parts
  found.add(LINK, hashOf(`scheme ${scheme.toLowerCase()}`))
  domainFeatures(LINK, host.toLowerCase(), found)
  found.words(LINK + 1, wordsOf(path.toLowerCase(), 12), false)
}
