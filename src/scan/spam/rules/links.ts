/** Where a message leads, and what is done so that this cannot be seen: by people, by filters, or by lists of bad domains. */
import { ownerOf } from '../brands.ts'
import type { Said, SpamAbout, SpamRules } from '../contract.ts'
import { SENDING_SERVICES } from '../data/sending-services.ts'
import { SHORTENERS } from '../data/shorteners.ts'
import { CHEAP_SUFFIXES } from '../data/top-levels.ts'
import { followed, isStoredPage, type Site, shownHost, siteOf, type Target, targetsOf } from '../links.ts'
import { addressesIn, partiesOf } from '../mailboxes.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  LINK_TEXT_DECEIVES: {
    family: 'links',
    weight: 3,
    en: 'shows one address and leads to another',
    de: 'zeigt eine Adresse und führt zu einer anderen',
  },
  LINK_IP: { family: 'links', weight: 3, en: 'leads to a bare IP address', de: 'führt zu einer nackten IP-Adresse' },
  LINK_HOST_DISGUISED: {
    family: 'links',
    weight: 3.5,
    en: 'the host of a link is written so that nobody recognises it',
    de: 'der Rechnername eines Links ist so geschrieben, dass ihn niemand erkennt',
  },
  LINK_SHORTENED: {
    family: 'links',
    weight: 1.5,
    en: 'leads through a shortener',
    de: 'führt über einen Kurzlink-Dienst',
  },
  LINK_REDIRECTS: {
    family: 'links',
    weight: 2,
    en: 'leads through a well-known site to another one',
    de: 'führt über eine bekannte Seite zu einer anderen',
  },
  LINK_HOSTED: {
    family: 'links',
    weight: 1.5,
    en: 'leads to a place where anybody puts up pages or files',
    de: 'führt zu einem Ort, an dem jeder Seiten oder Dateien ablegt',
  },
  LINK_CHEAP_SUFFIX: {
    family: 'links',
    weight: 2,
    en: 'leads to a domain under a suffix that spam prefers',
    de: 'führt zu einer Domain unter einer Endung, die Spam bevorzugt',
  },
  SENDER_CHEAP_SUFFIX: {
    family: 'links',
    weight: 3.5,
    en: 'the author is at a domain under a suffix that spam prefers',
    de: 'der Absender hat eine Domain unter einer Endung, die Spam bevorzugt',
  },
  LINK_PORT: { family: 'links', weight: 2, en: 'leads to an unusual port', de: 'führt zu einem ungewöhnlichen Port' },
  LINK_MIXED_SCRIPT: {
    family: 'links',
    weight: 3,
    en: 'leads to a domain that mixes letters of several scripts',
    de: 'führt zu einer Domain, die Buchstaben mehrerer Schriften mischt',
  },
  LINK_NAMES_READER: {
    family: 'links',
    weight: 3.5,
    en: 'carries the address of the reader to a site that is not the author’s',
    de: 'trägt die Adresse des Lesers zu einer Seite, die nicht dem Absender gehört',
  },
  LINK_OPT_OUT_IS_OFFER: {
    family: 'links',
    weight: 3,
    en: 'the link to unsubscribe leads where the offer leads',
    de: 'der Link zum Abbestellen führt dorthin, wohin das Angebot führt',
  },
  LINK_PLACEHOLDER: {
    family: 'links',
    weight: 2.5,
    en: 'has a link that its sender forgot to fill in',
    de: 'enthält einen Link, den der Absender auszufüllen vergaß',
  },
  LINK_LONG_NAME: {
    family: 'links',
    weight: 2,
    en: 'leads to a host with a name that nobody would type',
    de: 'führt zu einem Rechner mit einem Namen, den niemand tippen würde',
  },
  LINK_UNENCRYPTED: {
    family: 'links',
    weight: 2,
    en: 'leads only to pages without encryption',
    de: 'führt nur zu Seiten ohne Verschlüsselung',
  },
  LINK_ONE_FOREIGN: {
    family: 'links',
    weight: 1,
    en: 'leads to one single domain, and it is not the author’s',
    de: 'führt zu einer einzigen Domain, und sie gehört nicht dem Absender',
  },
} as const

export const linksRules: SpamRules = {
  symbols,
  *look(message: SpamMessage, about: SpamAbout) {
    const { from } = partiesOf(message)
    const targets = followed(message)
    for (const target of targets) yield* oneTarget(target, from.site)
    yield* reader(message, about, targets)
    yield* optOut(targets)
    yield* placeholders(message)
    yield* together(message, targets)
    if (from.site !== undefined && CHEAP_SUFFIXES.has(from.site.suffix))
      yield { symbol: 'SENDER_CHEAP_SUFFIX', detail: from.site.domain }
  },
}

function* oneTarget(target: Target, from: Site | undefined): Iterable<Said> {
  const { host, domain, suffix, isIp, isHosted, url, packed } = target
  const detail = shownHost(host)
  if (isIp) yield { symbol: 'LINK_IP', detail }
  if (isDisguised(target)) yield { symbol: 'LINK_HOST_DISGUISED', detail }
  const isService = SENDING_SERVICES.has(domain)
  if (!isService && (SHORTENERS.has(domain) || SHORTENERS.has(host))) yield { symbol: 'LINK_SHORTENED', detail }
  if (
    packed !== undefined &&
    domain !== from?.domain &&
    packed.domain !== from?.domain &&
    ownerOf(target) !== undefined
  )
    yield { symbol: 'LINK_REDIRECTS', detail: `${detail}: ${packed.host}` }
  if (!isService && (isHosted || isStoredPage(host, url)) && domain !== from?.domain)
    yield { symbol: 'LINK_HOSTED', detail }
  if (CHEAP_SUFFIXES.has(suffix)) yield { symbol: 'LINK_CHEAP_SUFFIX', detail }
  if (!isService && LONG.test(host) && domain !== from?.domain) yield { symbol: 'LINK_LONG_NAME', detail }
  if (url.port !== '') yield { symbol: 'LINK_PORT', detail: url.host }
  if (host.includes('xn--') && isMixed(detail)) yield { symbol: 'LINK_MIXED_SCRIPT', detail }
  const deceit = deceives(target, from)
  if (deceit !== undefined)
    yield { symbol: 'LINK_TEXT_DECEIVES', strength: deceit.strength, detail: `${deceit.host}: ${detail}` }
}

/** A label of so many letters and digits without a hyphen. */
const LONG = /(?:^|\.)(?!xn--)[a-z0-9]{28,63}\./

/** Another way to write a host than its name: a number, escapes, a user before it, slashes the wrong way round. */
function isDisguised({ href, url, isIp }: Target): boolean {
  if (url.username !== '' && !href.startsWith('mailto:')) return true
  const written = /^\s{0,9}https?:[/\\]{0,9}([^/\\?#]{1,300})/i.exec(href)?.[1] ?? ''
  if (isIp && !/^\[?[\d.]{7,15}(?::\d{1,5})?$|^\[[\da-f:.]{2,50}\]/i.test(written)) return true
  return /%[0-9a-f]{2}/i.test(written) || /^https?:\\/i.test(href.trim())
}

const SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
]

const isMixed = (host: string): boolean =>
  host.split('.').some((label) => SCRIPTS.filter((script) => script.test(label)).length > 1)

/** A text that is an address, of a domain that is neither where it leads nor the author's own (who counts clicks). */
const ADDRESS_TEXT = /^(?:https?:\/\/)?((?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,20})(?:[/?#:][^\s]{0,300})?$/i

function deceives(
  { kind, texts, domain, packed }: Target,
  from: Site | undefined,
): { host: string; strength: number } | undefined {
  if (kind !== 'link' || domain === from?.domain || SENDING_SERVICES.has(domain)) return undefined
  for (const text of texts) {
    const host = ADDRESS_TEXT.exec(text.trim())?.[1]
    const shown = host === undefined ? undefined : siteOf(host.toLowerCase())
    if (shown === undefined || shown.domain === domain || shown.domain === packed?.domain) continue
    return { host: shown.host, strength: ownerOf(shown) === undefined ? 0.5 : 1 }
  }
  return undefined
}

/** A page that already knows whose password it wants: the address behind `#`, `=`, `/`, plain or in base64. */
function* reader(message: SpamMessage, { recipients = [] }: SpamAbout, targets: readonly Target[]): Iterable<Said> {
  const { from, to } = partiesOf(message)
  const readers = new Set(
    [...recipients.map((address) => address.toLowerCase()), ...to].filter((one) => one.includes('@')),
  )
  if (readers.size === 0 || readers.size > 20) return
  for (const { url, domain, host } of targets) {
    if (domain === from.site?.domain || SENDING_SERVICES.has(domain)) continue
    if (namesReader(url.pathname + url.hash, readers)) yield { symbol: 'LINK_NAMES_READER', detail: host }
    else if (targets.length <= QUERY_LINKS_MAX && namesReader(url.search, readers))
      yield { symbol: 'LINK_NAMES_READER', strength: 0.6, detail: host }
  }
}

/** Newsletters have more links, and many name the reader in a query. */
const QUERY_LINKS_MAX = 4
const BASE64 = /[A-Za-z0-9+_-]{12,200}/g

function namesReader(behind: string, readers: ReadonlySet<string>): boolean {
  if (behind.includes('@') || behind.includes('%40'))
    for (const address of addressesIn(behind.replaceAll('%40', '@').replace(/[=/&#?]/g, ' ')))
      if (readers.has(address)) return true
  for (const [run] of behind.slice(0, 1000).matchAll(BASE64)) {
    if (!/^[A-Za-z0-9+/]*$/.test(run)) continue
    const text = Buffer.from(run, 'base64').toString('latin1')
    if (text.includes('@') && addressesIn(text).some((address) => readers.has(address))) return true
  }
  return false
}

const OPT_OUT =
  /unsubscri|opt.?out|abmelde|abbestell|austragen|désabonn|desinscri|darse de baja|cancelar suscri|disiscri|descadastr/i

function* optOut(targets: readonly Target[]): Iterable<Said> {
  const first = targets.find(({ kind }) => kind === 'link')
  if (first === undefined) return
  const outs = first.texts.filter((text) => OPT_OUT.test(text)).length
  if (outs > 0 && first.uses > outs)
    yield { symbol: 'LINK_OPT_OUT_IS_OFFER', strength: targets.length <= 3 ? 1 : 0.6, detail: first.host }
}

const PLACEHOLDER = /^(?:https?:\/\/)?[[{<%]{1,2}[a-z_ .-]{3,40}[\]}>%]{0,3}\/?$/i

function* placeholders({ texts }: SpamMessage): Iterable<Said> {
  for (const { html, text, kind } of texts) {
    const inLink = html?.links.find(({ href }) => PLACEHOLDER.test(href))?.href
    const inText =
      kind === 'plain' ? /https?:\/\/[[{]{1,2}[a-z_ -]{3,40}[\]}]/i.exec(text.slice(0, 20_000))?.[0] : undefined
    const detail = inLink ?? inText
    if (detail !== undefined) yield { symbol: 'LINK_PLACEHOLDER', detail }
  }
}

function* together(message: SpamMessage, targets: readonly Target[]): Iterable<Said> {
  const links = targets.filter(({ kind }) => kind === 'link')
  if (links.length === 0) return
  if (
    links.every(({ url }) => url.protocol === 'http:') &&
    targetsOf(message).every(({ url }) => url.protocol === 'http:')
  )
    yield { symbol: 'LINK_UNENCRYPTED' }
  const domains = new Set(links.map(({ domain }) => domain))
  const { from } = partiesOf(message)
  if (domains.size > 1 || from.site === undefined) return
  const [only] = links as [Target]
  const owner = ownerOf(only)
  if (only.domain === from.site.domain || SENDING_SERVICES.has(only.domain)) return
  if (owner === undefined || owner !== ownerOf(from.site)) yield { symbol: 'LINK_ONE_FOREIGN', detail: only.domain }
}
