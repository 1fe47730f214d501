/**
 * The features of a message for the classifier, in three views that err differently:
 *
 * | view | what | of |
 * |---|---|---|
 * | words | words in their places, two words at a distance, traits | what a person reads, senders, links, files, names of fields |
 * | header | four octets in a row | the header section as its writer left it: the habits of the program that wrote it |
 * | body | four octets in a row | the first of the body as it came, encodings and markup included |
 *
 * A long message counts no more than a short one. What another server put there is not used (`Received`, what filters
 * said), nor who the recipient is.
 */
import { decoded, type SpamMessage } from '../message.ts'
import { type Features, Gathering } from './gathering.ts'
import { isOfTheSender, octetsOfTheSender } from './header-lines.ts'
import { hashOf, plainText, wordsOf } from './words.ts'

/** What is seen of a message in each view. */
export interface MessageFeatures {
  readonly words: Features
  readonly header: Features
  readonly body: Features
}

/** Octets of the header section and of the body whose rows are looked at. */
const HEADER_GRAMS_MAX = 3_000
const BODY_GRAMS_MAX = 4_000

export const SUBJECT = hashOf('subject')
export const BODY = hashOf('body')
const FROM = hashOf('from')
const DOMAIN = hashOf('from-domain')
const REPLY = hashOf('reply-to')
const LINK = hashOf('link')
const FILE = hashOf('file')
const TRAIT = hashOf('trait')
const HIDDEN = hashOf('hidden')

const gathering = new Gathering()

/** `octets`: those that `message` was read from. */
export function featuresOf(message: SpamMessage, octets: Buffer): MessageFeatures {
  const words = wordFeatures(message)
  const written = octetsOfTheSender(octets, HEADER_GRAMS_MAX)
  gathering.grams(written, 0, written.length)
  const header = gathering.end()
  const start = message.parts[0]!.bodyStart
  gathering.grams(octets, start, Math.min(octets.length, start + BODY_GRAMS_MAX))
  return { words, header, body: gathering.end() }
}

function wordFeatures(message: SpamMessage): Features {
  const found = gathering
  const subject = plainText(message.subject)
  found.words(SUBJECT, wordsOf(subject.text), true)
  senders(message, found)
  traits(message, found)
  programTraits(message, found)
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
  return found.end()
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

/** Fields whose words say something about the program that wrote the message. */
const PROGRAM = ['x-mailer', 'user-agent', 'x-mimeole']

/** Programs write the same fields, and identifiers of the same shape. */
function programTraits({ fields }: SpamMessage, found: Gathering): void {
  const trait = (text: string): void => found.add(TRAIT, hashOf(text))
  const names = new Set(fields.map(({ name }) => name).filter(isOfTheSender))
  for (const name of names) trait(`field ${name}`)
  for (const name of EXPECTED) if (!names.has(name)) trait(`no ${name}`)
  for (const name of PROGRAM) found.words(hashOf(name), wordsOf(decoded(fields, name).toLowerCase(), 20), false)
  const id = fields.find(({ name }) => name === 'message-id')?.value
  if (id !== undefined) trait(`id ${shapeOf(id)}`)
}

const EXPECTED = ['to', 'message-id', 'date', 'subject', 'mime-version']
const SHAPE_LENGTH_MAX = 120

/** `<aA0.5@a.a>`: which kinds of characters stand in a row, and for how long. */
const shapeOf = (value: string): string =>
  value
    .slice(0, SHAPE_LENGTH_MAX)
    .replace(
      /[a-z0-9]{2,120}/gi,
      (run) =>
        `${/[a-z]/.test(run) ? 'a' : ''}${/[A-Z]/.test(run) ? 'A' : ''}${/\d/.test(run) ? '0' : ''}${Math.ceil(Math.log2(run.length))}`,
    )

function traits({ parts, attachments, texts, octets }: SpamMessage, found: Gathering): void {
  const trait = (text: string): void => found.add(TRAIT, hashOf(text))
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
