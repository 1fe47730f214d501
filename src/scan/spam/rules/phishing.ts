/**
 * A message that wants the reader's password or money must name a house that he trusts, give him a reason, and lead him to a
 * place that is not that house's. Rules here say what comes together; one alone is ordinary mail.
 */
import { brandInAddress, brandNamed, brandsIn, isOf, ownerOf } from '../brands.ts'
import type { Said, SpamAbout, SpamRules } from '../contract.ts'
import type { Brand } from '../data/brands.ts'
import { FREE_MAIL } from '../data/free-mail.ts'
import { SENDING_SERVICES } from '../data/sending-services.ts'
import { SHORTENERS } from '../data/shorteners.ts'
import { CHEAP_SUFFIXES } from '../data/top-levels.ts'
import { followed, isStoredPage, type Target } from '../links.ts'
import { partiesOf } from '../mailboxes.ts'
import type { SpamMessage } from '../message.ts'
import { termsOf } from '../terms.ts'
import { count, has, isConversation, type Topics, topicsOf } from '../topics.ts'

const symbols = {
  PHISH_BRAND_LINK: {
    family: 'impersonation',
    weight: 4.5,
    en: 'speaks for a firm, asks to act, and leads to somebody else',
    de: 'spricht für eine Firma, fordert zum Handeln auf und führt zu jemand anderem',
  },
  PHISH_ACCOUNT: {
    family: 'impersonation',
    weight: 4,
    en: 'an account is in danger and must be saved at a strange place',
    de: 'ein Konto ist in Gefahr und soll an einem fremden Ort gerettet werden',
  },
  PHISH_MAILBOX: {
    family: 'impersonation',
    weight: 4,
    en: 'the reader’s mailbox is full or waits, says somebody outside',
    de: 'das Postfach des Lesers sei voll oder warte, sagt jemand von außen',
  },
  PHISH_DOCUMENT: {
    family: 'impersonation',
    weight: 3.5,
    en: 'a document or message waits at a strange place',
    de: 'ein Dokument oder eine Nachricht wartet an einem fremden Ort',
  },
  PHISH_PAYMENT: {
    family: 'impersonation',
    weight: 3,
    en: 'a parcel, an invoice or a refund waits at a strange place',
    de: 'ein Paket, eine Rechnung oder eine Erstattung wartet an einem fremden Ort',
  },
  PHISH_FORM_FOREIGN: {
    family: 'impersonation',
    weight: 4,
    en: 'a form in the mail is sent to a site that is not the author’s',
    de: 'ein Formular in der Mail geht an eine Seite, die nicht dem Absender gehört',
  },
  PHISH_CALLBACK: {
    family: 'impersonation',
    weight: 4.5,
    en: 'a purchase that nobody made, and a telephone number to cancel it',
    de: 'ein Kauf, den niemand getätigt hat, und eine Telefonnummer, um ihn zu widerrufen',
  },
} as const

export const phishingRules: SpamRules = {
  symbols,
  *look(message: SpamMessage, about: SpamAbout) {
    const topics = topicsOf(message)
    const strange = strangePlaces(message)
    yield* brand(message, topics, strange)
    yield* reasons(message, about, topics, strange)
    yield* forms(message)
    if (isCallback(message, topics)) yield { symbol: 'PHISH_CALLBACK' }
  },
}

/** Links of HTML, forms and bare addresses that are not the author's own. */
function strangePlaces(message: SpamMessage): readonly Target[] {
  const { from } = partiesOf(message)
  const owner = from.site === undefined ? undefined : ownerOf(from.site)
  return followed(message).filter(
    (target) => target.domain !== from.site?.domain && (owner === undefined || ownerOf(target) !== owner),
  )
}

/** Words that are a letter, not a book: what must be read on the way to a click. */
const LETTER_WORDS_MAX = 600

/** Who must type or paste what he is to follow gets a short note; articles are longer. */
const PLAIN_WORDS_MAX = 150
const isPlain = (targets: readonly Target[]): boolean => targets.every(({ kind }) => kind === 'bare')

/** Kinds of words with which a firm that is only named in the text is played on the author's own site. */
const ASKS_OF_OWN_SITE = 5

/** A survey for a gift has one button, and what unsubscribes. */
const OFFER_LINKS_MAX = 4

function* brand(message: SpamMessage, topics: Topics, strange: readonly Target[]): Iterable<Said> {
  const { from } = partiesOf(message)
  if (from.site === undefined || topics.length > LETTER_WORDS_MAX) return
  const named = spokenFor(message, topics)
  if (named === undefined || isOf(named.brand, from.site)) return
  const targets = followed(message)
  if (
    targets.length === 0 ||
    targets.some((target) => target.kind !== 'form' && isOf(named.brand, target) && !named.isLoud)
  )
    return
  const outside = targets.find((target) => !isOf(named.brand, target))
  if (outside === undefined) return
  const asks =
    Number(count(topics.all, 'gift') >= 3) +
    Number(has(topics.buttons, 'act') || has(topics.buttons, 'press')) +
    Number(has(topics.all, 'act')) +
    Number(has(topics.all, 'account')) +
    Number(has(topics.all, 'threat')) +
    Number(has(topics.all, 'deadline'))
  const isOffer = targets.length <= OFFER_LINKS_MAX && count(topics.all, 'gift') >= 3
  const isStrange = strange.length > 0 || named.isLoud || isOffer || asks >= ASKS_OF_OWN_SITE
  if (named.asks > 1 && (targets.length > LINKS_MAX || (isPlain(targets) && topics.length > PLAIN_WORDS_MAX))) return
  if (asks >= named.asks && isStrange)
    yield {
      symbol: 'PHISH_BRAND_LINK',
      strength: named.isLoud ? 1 : 0.7,
      detail: `${named.brand.name}: ${outside.host}`,
    }
}

interface SpokenFor {
  readonly brand: Brand
  /** In the name of the author or in the subject, not only in the text. */
  readonly isLoud: boolean
  /** Kinds of words that must come to it: the less is sure, the more. */
  readonly asks: number
}

function spokenFor(message: SpamMessage, { words }: Topics): SpokenFor | undefined {
  const { from } = partiesOf(message)
  const name = brandNamed(from.name) ?? brandInAddress(from.address)
  if (name !== undefined) return { brand: name.brand, isLoud: true, asks: 1 }
  const [subject] = brandsIn(termsOf(message.subject))
  if (subject !== undefined && !isConversation(message)) return { brand: subject[0], isLoud: true, asks: 3 }
  const brands = [...brandsIn(words)].sort((a, b) => b[1] - a[1])
  const [first, second] = brands
  return first !== undefined &&
    first[1] >= 2 &&
    !isConversation(message) &&
    (second === undefined || first[1] > second[1])
    ? { brand: first[0], isLoud: false, asks: 4 }
    : undefined
}

function* reasons(
  message: SpamMessage,
  { recipients = [] }: SpamAbout,
  topics: Topics,
  strange: readonly Target[],
): Iterable<Said> {
  const places = strange.filter(({ domain }) => !SENDING_SERVICES.has(domain))
  const isAddressed = addressed(message, recipients)
  const targets = places.length > 0 ? places : isAddressed ? followed(message) : []
  if (targets.length === 0 || topics.length > LETTER_WORDS_MAX || followed(message).length > LINKS_MAX) return
  const { all, subject, buttons } = topics
  const isPressed = has(buttons, 'act') || has(buttons, 'press')
  if (
    !isPressed &&
    !(has(all, 'act') && topics.length <= PLAIN_WORDS_MAX && targets.some(({ kind }) => kind === 'bare'))
  )
    return
  const detail = targets[0]!.host
  const doubt = (places.length > 0 ? 1 : 0.5) * (isConversation(message) ? 0.5 : 1)
  const isLoose = places.some(isLooseEnd)
  const press =
    Number(count(all, 'threat') >= 2) +
    Number(has(all, 'deadline')) +
    Number(has(all, 'nobody')) +
    Number(isAddressed) +
    Number(isLoose)
  const strength = (least: number): number => doubt * (press > least ? 1 : 0.7)
  if (count(all, 'quota') >= 2 && has(all, 'account') && press + Number(has(subject, 'quota')) >= 1)
    yield { symbol: 'PHISH_MAILBOX', strength: strength(has(subject, 'quota') ? 0 : 1), detail }
  if (has(all, 'account') && has(all, 'threat') && press >= 2)
    yield { symbol: 'PHISH_ACCOUNT', strength: strength(2), detail }
  if (topics.length > NOTE_WORDS_MAX) return
  if (has(all, 'document') && (has(subject, 'document') || isAddressed || isLoose))
    yield { symbol: 'PHISH_DOCUMENT', strength: strength(0), detail }
  if ((count(all, 'delivery') >= 2 || count(all, 'invoice') >= 2) && press >= 1)
    yield { symbol: 'PHISH_PAYMENT', strength: strength(1), detail }
}

/** Words of a notice; an honest one seldom says more either, so these weigh less. */
const NOTE_WORDS_MAX = 250

/** A place that anybody makes in a minute, or that has no name. */
const isLooseEnd = ({ isHosted, isIp, suffix, host, url }: Target): boolean =>
  isHosted || isIp || CHEAP_SUFFIXES.has(suffix) || SHORTENERS.has(host) || isStoredPage(host, url)

/** Newsletters have more. */
const LINKS_MAX = 12

/** Calls the reader by his address, or by what stands before its @: whoever writes does not know him. */
function addressed(message: SpamMessage, recipients: readonly string[]): boolean {
  const readers = [...recipients, ...partiesOf(message).to].slice(0, 5)
  const text = [message.subject, ...message.texts.map((one) => one.text.slice(0, 3000))].join('\n').toLowerCase()
  return readers.some((address) => address.includes('@') && text.includes(address.toLowerCase()))
}

function* forms(message: SpamMessage): Iterable<Said> {
  const { from } = partiesOf(message)
  for (const { kind, domain, host } of followed(message))
    if (kind === 'form' && domain !== from.site?.domain && asksForSecrets(message))
      yield { symbol: 'PHISH_FORM_FOREIGN', detail: host }
}

/** Newsletters have forms to search or subscribe beside many links. */
const asksForSecrets = (message: SpamMessage): boolean =>
  message.texts.some(({ html }) => (html?.passwords ?? 0) > 0) ||
  followed(message).filter(({ kind }) => kind !== 'form').length <= 5

const TELEPHONE = /(?:\+|\b)\d{0,3}[\s.(-]{0,3}\d{3}[\s.)-]{1,3}\d{3}[\s.-]{1,3}\d{4}\b/

/** Nobody sends one invoice to people of five firms. */
const isToStrangers = (message: SpamMessage): boolean =>
  new Set(partiesOf(message).to.map((address) => address.slice(address.lastIndexOf('@')))).size >= 5

/** Paid by nobody, by a firm that writes from a free mailbox or under a brand's name; the number is the only way out. */
function isCallback(message: SpamMessage, { all, length }: Topics): boolean {
  const { from } = partiesOf(message)
  if (from.site === undefined || !has(all, 'invoice') || length > LETTER_WORDS_MAX) return false
  const text = `${message.subject}\n${message.texts.map((one) => one.text.slice(0, 8_000)).join('\n')}`
  if (!TELEPHONE.test(text)) return false
  const named = brandNamed(from.name) ?? { brand: [...brandsIn(termsOf(text)).keys()][0] }
  const isPlayed = named.brand !== undefined && !isOf(named.brand, from.site)
  return (
    (FREE_MAIL.has(from.site.domain) || isPlayed || isToStrangers(message)) &&
    /\bcancel|refund|help ?(?:line|desk)|(?:customer|phone|desk) ?(?:care|support|service|contact)|support desk|renew|auto.?debit|charged|storn|widerruf/i.test(
      text,
    )
  )
}
