/**
 * Mail to many: what is of a list, what is a newsletter, and what shows that whoever sends it can be reached and stopped.
 * Nothing of it is proof, all of it can be written by anybody. Where it was looked at who has authenticated the message, a
 * service counts only if it is among those.
 */
import { registrant } from '#mail/registrable-domain.ts'
import type { Said, SpamAbout, SpamRules, SymbolTable } from '../contract.ts'
import { FREE_MAIL } from '../data/free-mail.ts'
import { BULK_SERVICES } from '../data/sending-services.ts'
import { envelopeSender, type HeaderView } from '../header.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  BULK_LIST: {
    family: 'bulk',
    weight: -1.5,
    en: 'comes from a mailing list',
    de: 'kommt von einer Mailingliste',
  },
  BULK_NEWSLETTER: {
    family: 'bulk',
    weight: 0,
    en: 'goes to many who can unsubscribe',
    de: 'geht an viele, die sich abmelden können',
  },
  BULK_AUTOMATIC: {
    family: 'bulk',
    weight: 0,
    en: 'a program wrote it, or it is for many',
    de: 'ein Programm hat sie geschrieben, oder sie ist für viele',
  },
  BULK_SERVICE: {
    family: 'bulk',
    weight: -2,
    en: 'was sent by a service that knows its customers',
    de: 'wurde von einem Dienst verschickt, der seine Kunden kennt',
  },
  BULK_SIGNED_TWICE: {
    family: 'bulk',
    weight: -2,
    en: 'is signed by the author’s domain and by whoever sent it',
    de: 'ist von der Domain des Absenders und vom Versender signiert',
  },
  BULK_FEEDBACK_ID: {
    family: 'bulk',
    weight: -1.5,
    en: 'its sender wants to hear of complaints',
    de: 'der Versender will von Beschwerden erfahren',
  },
  UNSUBSCRIBE_EMPTY: {
    family: 'bulk',
    weight: 1.5,
    en: 'says how to unsubscribe, and does not',
    de: 'sagt, wie man sich abmeldet, und sagt es nicht',
  },
  UNSUBSCRIBE_SAYS_NOTHING: {
    family: 'bulk',
    weight: 1.5,
    en: 'the address to unsubscribe is a bare sequence of characters at its own host',
    de: 'die Adresse zum Abmelden ist eine bloße Zeichenfolge beim eigenen Host',
  },
  SENDER_FREE_MAIL_BY_SERVICE: {
    family: 'sender',
    weight: 2,
    en: 'a free mailbox sends through a service for bulk mail',
    de: 'ein kostenloses Postfach verschickt über einen Dienst für Massenmail',
  },
  LIST_ID_IS_NONE: {
    family: 'bulk',
    weight: 1,
    en: 'its list has no name',
    de: 'die Liste hat keinen Namen',
  },
} as const satisfies SymbolTable

export const bulkRules: SpamRules = {
  symbols,
  *look({ header }: SpamMessage, about: SpamAbout) {
    yield* kinds(header)
    yield* services(header, about)
    yield* faults(header)
  },
}

const LIST_ID = /<[^<>\s@]{1,200}\.[^<>\s@]{1,200}>/

function* kinds(header: HeaderView): Iterable<Said> {
  const listId = header.value('list-id')
  const isOfList =
    header.value('list-post') !== undefined ||
    header.value('mailing-list') !== undefined ||
    (listId !== undefined && /^\s{0,4}list\b/i.test(header.value('precedence') ?? ''))
  if (isOfList) yield { symbol: 'BULK_LIST', ...(listId !== undefined && { detail: listId.slice(0, 80) }) }
  else if (header.value('list-unsubscribe') !== undefined)
    yield { symbol: 'BULK_NEWSLETTER', detail: header.value('list-unsubscribe')!.slice(0, 80) }
  else if (
    /^\s{0,4}(?:bulk|junk)\b/i.test(header.value('precedence') ?? '') ||
    listId !== undefined ||
    header.value('feedback-id') !== undefined ||
    /^auto-generated/i.test(header.value('auto-submitted') ?? '')
  )
    yield { symbol: 'BULK_AUTOMATIC' }
}

/** Providers of mailboxes sign with their customers: that is no service for bulk mail. */
const OF_MAILBOXES = new Set(['google.com', 'gappssmtp.com', 'onmicrosoft.com', 'outlook.com', 'yahoo.com'])
/** MailWizz, which anybody can install, writes the identities of its tables. */
const FEEDBACK_OF_MAILWIZZ = /^[a-z0-9]{13}:[a-z]{1,20}:[a-z0-9]{13}:/
const FEEDBACK = /^[^:\s]{0,200}:[^:\s]{0,200}:[^:\s]{0,200}:[^:\s]{1,200}$/

function* services(header: HeaderView, about: SpamAbout): Iterable<Said> {
  const { authenticated } = about
  const { from, signatures, hops } = header
  const signed = new Set(signatures.map(({ domain }) => domain))
  const isProven = (domain: string): boolean =>
    authenticated === undefined || authenticated.spf === domain || authenticated.dkim.includes(domain)
  const envelope = envelopeSender(header, about)
  const claimed = [envelope?.domain ?? '', ...signed].filter(isProven).map(registrant)
  const passed = authenticated === undefined ? hops.map(({ by, name }) => registrant(name || by)) : []
  const service = [...claimed, ...passed].find((site) => BULK_SERVICES.has(site))
  const isOwn = (domain: string): boolean => from.site !== '' && registrant(domain) === from.site
  if (service !== undefined) {
    // A service vouches for whom it signs or takes errors for; anybody can put another author into its mail.
    if ([envelope?.domain ?? '', ...signed].some(isOwn)) yield { symbol: 'BULK_SERVICE', detail: service }
    if (FREE_MAIL.has(from.domain))
      yield { symbol: 'SENDER_FREE_MAIL_BY_SERVICE', detail: `${from.domain} by ${service}` }
  }
  const signers = [...signed].filter(isProven)
  if (signers.some(isOwn) && signers.some((domain) => !isOwn(domain) && !OF_MAILBOXES.has(registrant(domain))))
    yield { symbol: 'BULK_SIGNED_TWICE', detail: signers.join(', ') }
  const feedback = header.value('feedback-id')?.slice(0, 1_000) ?? ''
  if (FEEDBACK.test(feedback) && !FEEDBACK_OF_MAILWIZZ.test(feedback) && signers.length > 0)
    yield { symbol: 'BULK_FEEDBACK_ID', detail: feedback.slice(0, 60) }
}

/** One part behind the host, without a question; services name the list and the reader in some way. */
const BARE = /<https?:\/\/([a-z0-9.-]{1,255})\/[^\s/>?&=]{5,60}>/i

function* faults(header: HeaderView): Iterable<Said> {
  const unsubscribe = header.value('list-unsubscribe')
  const says = unsubscribe ?? header.value('list-unsubscribe-post')
  if (says !== undefined && (unsubscribe ?? '') === '') yield { symbol: 'UNSUBSCRIBE_EMPTY' }
  const bare = BARE.exec(unsubscribe?.slice(0, 500) ?? '')
  if (bare !== null && registrant(bare[1]!.toLowerCase()) === header.from.site)
    yield { symbol: 'UNSUBSCRIBE_SAYS_NOTHING', detail: bare[0].slice(0, 80) }
  const listId = header.value('list-id')
  if (listId !== undefined && !LIST_ID.test(listId)) yield { symbol: 'LIST_ID_IS_NONE', detail: listId.slice(0, 60) }
}
