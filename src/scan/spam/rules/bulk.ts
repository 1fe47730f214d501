/**
 * Mail to many: what is of a list, what is a newsletter, and what shows that whoever sends it can be reached and stopped.
 * Nothing of it is proof, all of it can be written by anybody. Where it was looked at who has authenticated the message, a
 * service counts only if it is among those.
 */
import type { Said, SpamAbout, SpamRules, SymbolTable } from '../contract.ts'
import { BULK_SERVICES } from '../data/sending-services.ts'
import { type HeaderView, siteOf } from '../header.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  BULK_LIST: {
    family: 'bulk',
    weight: -2,
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
    weight: -1,
    en: 'its sender wants to hear of complaints',
    de: 'der Versender will von Beschwerden erfahren',
  },
  UNSUBSCRIBE_EMPTY: {
    family: 'bulk',
    weight: 1.5,
    en: 'says how to unsubscribe, and does not',
    de: 'sagt, wie man sich abmeldet, und sagt es nicht',
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

function* services(header: HeaderView, { authenticated }: SpamAbout): Iterable<Said> {
  const { from, returnPath, signatures, hops } = header
  const signed = new Set(signatures.map(({ domain }) => domain))
  const isProven = (domain: string): boolean =>
    authenticated === undefined || authenticated.spf === domain || authenticated.dkim.includes(domain)
  const claimed = [returnPath?.domain ?? '', ...signed].filter(isProven)
  const service =
    claimed.map(siteOf).find((site) => BULK_SERVICES.has(site)) ??
    (authenticated === undefined
      ? hops.map(({ by, name }) => siteOf(name || by)).find((site) => BULK_SERVICES.has(site))
      : undefined)
  if (service !== undefined) yield { symbol: 'BULK_SERVICE', detail: service }
  const signers = [...signed].filter(isProven)
  const isOwn = (domain: string): boolean => siteOf(domain) === from.site
  if (signers.some(isOwn) && signers.some((domain) => !isOwn(domain)))
    yield { symbol: 'BULK_SIGNED_TWICE', detail: signers.join(', ') }
  const feedback = header.value('feedback-id')
  if (
    feedback !== undefined &&
    /^[^:\s]{0,200}:[^:\s]{0,200}:[^:\s]{0,200}:[^:\s]{1,200}$/.test(feedback) &&
    signed.size > 0
  )
    yield { symbol: 'BULK_FEEDBACK_ID', detail: feedback.slice(0, 60) }
}

function* faults(header: HeaderView): Iterable<Said> {
  const unsubscribe = header.value('list-unsubscribe')
  const says = unsubscribe ?? header.value('list-unsubscribe-post')
  if (says !== undefined && (unsubscribe ?? '') === '') yield { symbol: 'UNSUBSCRIBE_EMPTY' }
  const listId = header.value('list-id')
  if (listId !== undefined && !LIST_ID.test(listId)) yield { symbol: 'LIST_ID_IS_NONE', detail: listId.slice(0, 60) }
}
