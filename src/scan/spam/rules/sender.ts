/**
 * Who the sender says they are: whether name, address and domain belong to each other as they do for a firm, a person or a
 * list, or are made up for one campaign.
 *
 * Somebody who rents a new domain for each campaign has to put the name that is to be read where they can: into the name and
 * before the `@`. A firm's own name stands in its domain.
 */
import { registrant } from '#mail/registrable-domain.ts'
import type { Said, SpamRules, SymbolTable } from '../contract.ts'
import { FREE_MAIL } from '../data/free-mail.ts'
import { CHEAP_SUFFIXES } from '../data/top-levels.ts'
import type { SenderMailbox } from '../header.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  SENDER_NAME_FITS_DOMAIN: {
    family: 'sender',
    weight: -2,
    en: 'the domain bears the name of the sender',
    de: 'die Domain trägt den Namen des Absenders',
  },
  SENDER_NAME_IN_LOCAL_PART: {
    family: 'sender',
    weight: 2,
    en: 'the name stands before the @, and not in the domain',
    de: 'der Name steht vor dem @ und nicht in der Domain',
  },
  SENDER_DOMAIN_NEW_KIND: {
    family: 'sender',
    weight: 1,
    en: 'the sender’s domain ends in one of the new top levels',
    de: 'die Domain des Absenders endet auf eine der neuen Endungen',
  },
  SENDER_DOMAIN_OF_PROVIDER: {
    family: 'sender',
    weight: 2,
    en: 'the sender uses the name that its provider gave it',
    de: 'der Absender benutzt den Namen, den sein Anbieter vergeben hat',
  },
  SENDER_DOMAIN_UNSPEAKABLE: {
    family: 'sender',
    weight: 1.5,
    en: 'nobody can pronounce the sender’s domain',
    de: 'die Domain des Absenders kann niemand aussprechen',
  },
  SENDER_SIGNED_BY_PROVIDER_ONLY: {
    family: 'sender',
    weight: 1,
    en: 'only the provider has signed it, not the author’s domain',
    de: 'nur der Anbieter hat sie signiert, nicht die Domain des Absenders',
  },
  SENDER_NAME_DECORATED: {
    family: 'sender',
    weight: 2.5,
    en: 'the name is decorated with signs or blanks',
    de: 'der Name ist mit Zeichen oder Leerzeichen geschmückt',
  },
  SENDER_NAME_MISSING: {
    family: 'sender',
    weight: 0.5,
    en: 'the sender has no name',
    de: 'der Absender hat keinen Namen',
  },
  SENDER_LOCAL_PART_LONG: {
    family: 'sender',
    weight: 2,
    en: 'many words in one before the @',
    de: 'viele Wörter in einem vor dem @',
  },
  SENDER_LOCAL_PART_RANDOM: {
    family: 'sender',
    weight: 1.5,
    en: 'letters and digits without sense before the @',
    de: 'Buchstaben und Ziffern ohne Sinn vor dem @',
  },
  SENDER_FREE_MAIL_TO_MANY: {
    family: 'sender',
    weight: 1,
    en: 'a free mailbox writes to nobody in particular',
    de: 'ein kostenloses Postfach schreibt an niemand Bestimmtes',
  },
  SENDER_IS_RECIPIENT: {
    family: 'sender',
    weight: 0.5,
    en: 'claims to be from its own recipient',
    de: 'gibt sich als vom eigenen Empfänger aus',
  },
} as const satisfies SymbolTable

export const senderRules: SpamRules = {
  symbols,
  *look(message: SpamMessage) {
    const { from } = message.header
    if (from.domain !== '') {
      yield* domain(from)
      yield* localPart(from)
      yield* belonging(message)
      yield* signing(message)
    }
    yield* name(message)
    yield* recipients(message)
  },
}

const letters = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')

const suffixOf = (host: string): string => host.slice(host.lastIndexOf('.') + 1)
const isCheap = ({ domain, site }: SenderMailbox): boolean =>
  CHEAP_SUFFIXES.has(suffixOf(domain)) ||
  CHEAP_SUFFIXES.has(domain.split('.').slice(-2).join('.')) ||
  CHEAP_SUFFIXES.has(site)

/** Suffixes of four letters and more that are older than 2012, or are given to known firms only. */
const OLD_SUFFIXES =
  /^(?:info|name|arpa|museum|aero|coop|jobs|mobi|travel|asia|post|example|invalid|apple|google|test|bmw|audi|sap|dhl|xn--.*)$/
/** Names that a provider gives to a tenant who has no domain; firms set up their own on the first day. */
const OF_PROVIDER =
  /\.(?:onmicrosoft\.com|firebaseapp\.com|web\.app|azurewebsites\.net|herokuapp\.com|vercel\.app|netlify\.app|pages\.dev|workers\.dev|github\.io|weebly\.com|wixsite\.com|cloudwaysapps\.com|contaboserver\.net|vps\.ovh\.net|amazonaws\.com|cloudapp\.net|cloudapp\.azure\.com|googleusercontent\.com|duckdns\.org|ngrok\.io)$/

function* domain(from: SenderMailbox): Iterable<Said> {
  if (!isCheap(from) && suffixOf(from.domain).length > 3 && !OLD_SUFFIXES.test(suffixOf(from.domain)))
    yield { symbol: 'SENDER_DOMAIN_NEW_KIND', detail: from.domain }
  const label = from.site.split('.')[0] ?? ''
  if (UNSPEAKABLE.test(label.replace(SPOKEN_AS_ONE, 's')) && !label.startsWith('xn--'))
    yield { symbol: 'SENDER_DOMAIN_UNSPEAKABLE', detail: from.site }
  if (OF_PROVIDER.test(`.${from.domain}`)) yield { symbol: 'SENDER_DOMAIN_OF_PROVIDER', detail: from.domain }
}

/** Consonants in a row, once those that are spoken as one are counted as one: `angstschrei` has four.
 * In front of a word they abbreviate something. */
const UNSPEAKABLE = /[aeiouy][bcdfghjklmnpqrstvwxz]{5}|^[bcdfghjklmnpqrstvwxz]{5,}$/
const SPOKEN_AS_ONE = /sch|tsch|[cstpgr]h|ck|st|sp|ng|tz|([bcdfghjklmnpqrstvwxz])\1/g

/** Whoever has set up mail for a domain signs with it; the provider's own name is the default of a new tenant. */
const DEFAULT_SIGNER = /(?:^|\.)(?:gappssmtp\.com|onmicrosoft\.com)$/

function* signing({ header: { from, signatures, isReply } }: SpamMessage): Iterable<Said> {
  if (isReply || signatures.length === 0) return
  if (signatures.every(({ domain }) => DEFAULT_SIGNER.test(domain) && registrant(domain) !== from.site))
    yield { symbol: 'SENDER_SIGNED_BY_PROVIDER_ONLY', detail: signatures[0]!.domain }
}

function* localPart({ local }: SenderMailbox): Iterable<Said> {
  if (/^[a-z]{21,}$/.test(local)) yield { symbol: 'SENDER_LOCAL_PART_LONG', detail: local }
  const turns = local.match(/[a-z](?=\d)|\d(?=[a-z])/g)?.length ?? 0
  if (turns >= 2 && local.length >= 5 && !/[._+=-]/.test(local))
    yield { symbol: 'SENDER_LOCAL_PART_RANDOM', detail: local }
}

/** Of a name or of a label; shorter ones are in anything. */
const NAME_LENGTH_MIN = 4

function* belonging({ header, texts }: SpamMessage): Iterable<Said> {
  const { from } = header
  const name = letters(from.display)
  const owner = letters(from.site.split('.')[0] ?? '')
  if (name.length < NAME_LENGTH_MIN || owner.length < 3 || FREE_MAIL.has(from.domain)) return
  const isFit = owner === name || (owner.length >= NAME_LENGTH_MIN && name.includes(owner)) || owner.startsWith(name)
  if (isFit) {
    if (!isCheap(from))
      yield { symbol: 'SENDER_NAME_FITS_DOMAIN', strength: from.domain === from.site ? 0.75 : 1, detail: from.site }
    return
  }
  if (letters(from.local) !== name || owner.includes(name.slice(0, NAME_LENGTH_MIN)) || header.isReply) return
  // People are named before the @, too: then it takes pictures or many recipients to be an advert.
  const links = texts.some(({ html }) => html !== undefined && html.links.length > 0)
  const pictures = links && texts.some(({ html }) => html !== undefined && html.images.length > 0)
  if (links && (isForMany(header.value) || !isPerson(from.display)))
    yield { symbol: 'SENDER_NAME_IN_LOCAL_PART', detail: from.address }
  else if (pictures) yield { symbol: 'SENDER_NAME_IN_LOCAL_PART', strength: 0.5, detail: from.address }
}

const isPerson = (display: string): boolean =>
  /^\p{Lu}[\p{L}'.-]{1,30}(?:\s\p{Lu}[\p{L}'.-]{0,30}){1,3}$/u.test(display.trim())
const isForMany = (value: (name: string) => string | undefined): boolean =>
  ['list-unsubscribe', 'list-id', 'precedence', 'feedback-id'].some((field) => value(field) !== undefined)

function* name({ header }: SpamMessage): Iterable<Said> {
  const { from } = header
  const raw = (header.value('from') ?? '').slice(0, 300)
  const shown = from.display.trim()
  if (shown === '') yield { symbol: 'SENDER_NAME_MISSING' }
  if (DECORATED.test(shown) || /\S[ \t]{3,}<|\?=[ \t]{3,}|^[ \t]{3,}\S/.test(raw))
    yield { symbol: 'SENDER_NAME_DECORATED', detail: shown.slice(0, 60) }
  else if (UNDERSCORE.test(shown)) yield { symbol: 'SENDER_NAME_DECORATED', strength: 0.4, detail: shown.slice(0, 60) }
}

// Arrows, mathematics and other signs that are no emoji in front; two underscores for blanks; runs of blanks.
const DECORATED = /^(?!\p{Extended_Pictographic})[\p{S}~^`|*_!.#-]|[`^~]|\w_\w{1,40}_\w|\S\s{3,}\S/u
/** Programs of firms are called so, too. */
const UNDERSCORE = /[\p{L}\d]_[\p{L}\d]/u

function* recipients({ header }: SpamMessage): Iterable<Said> {
  const { from, recipients: all, isReply } = header
  if (from.address === '') return
  const isToNobody = all.every(({ address }) => address === '' || address === from.address)
  if (FREE_MAIL.has(from.domain) && isToNobody && !isReply) yield { symbol: 'SENDER_FREE_MAIL_TO_MANY' }
  if (all.some(({ address }) => address === from.address)) yield { symbol: 'SENDER_IS_RECIPIENT' }
}
