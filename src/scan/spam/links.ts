/**
 * The links of a message as they would be followed: host, the domain that somebody registered, and the address that is packed
 * into another one. Read once for a message.
 *
 * Limits: different addresses, their length, and the text in which bare ones are looked for. What is beyond them is not looked
 * at.
 */
import { domainToUnicode } from 'node:url'
import { parse } from 'tldts'
import { FILES, PAGES } from './data/hosting.ts'
import { SOLD_SUFFIXES } from './data/top-levels.ts'
import type { SpamMessage } from './message.ts'

/** Different addresses of one message; newsletters have some 100. */
export const TARGETS_MAX = 250
/** Of one address, in characters; those for tracking have 2,000. */
const HREF_LENGTH_MAX = 4_000
/** Of a text in which bare addresses are looked for, in characters. */
const TEXT_LENGTH_MAX = 64 * 1024
/** For lists that are asked by domain or address. */
export const DOMAINS_MAX = 50

export interface Site {
  /** Lower case; A-labels. An IP address without brackets. */
  readonly host: string
  /** What somebody registered, or the place under a hoster's name; the address itself for an IP address. */
  readonly domain: string
  /** `com`, `co.uk`, `github.io`. */
  readonly suffix: string
  readonly isIp: boolean
  /** Where anybody puts up pages or files within minutes. */
  readonly isHosted: boolean
}

export interface Target extends Site {
  readonly kind: 'link' | 'bare' | 'form' | 'image' | 'redirect'
  /** As it stands in the message. */
  readonly href: string
  /** What is shown for it, all texts of that address. */
  readonly texts: readonly string[]
  /** How often the message links to it. */
  readonly uses: number
  readonly url: URL
  /** Where it leads if the address is packed into this one, as redirectors and scanning gateways do. */
  readonly packed?: Site
}

const read = new WeakMap<SpamMessage, readonly Target[]>()

export function targetsOf(message: SpamMessage): readonly Target[] {
  const before = read.get(message)
  if (before !== undefined) return before
  const targets = [...collect(message).values()]
  read.set(message, targets)
  return targets
}

/** Those that a reader can follow, or that follow themselves. */
export const followed = (message: SpamMessage): readonly Target[] =>
  targetsOf(message).filter(({ kind }) => kind !== 'image')

/** Different registered domains and IP addresses, those of links before those of images. */
export function linkDomains(message: SpamMessage): string[] {
  const domains = new Set<string>()
  const targets = targetsOf(message)
  for (const wanted of [false, true])
    for (const { kind, domain, packed } of targets) {
      if ((kind === 'image') !== wanted) continue
      domains.add(domain)
      if (packed !== undefined) domains.add(packed.domain)
    }
  return [...domains].slice(0, DOMAINS_MAX)
}

interface Growing extends Target {
  readonly texts: string[]
  uses: number
}

function collect(message: SpamMessage): Map<string, Target> {
  const found = new Map<string, Growing>()
  const add = (kind: Target['kind'], raw: string, text = ''): void => {
    const known = found.get(raw)
    if (known !== undefined) {
      known.uses++
      if (text !== '' && known.texts.length < 10) known.texts.push(text)
      return
    }
    if (found.size >= TARGETS_MAX) return
    const target = targetOf(kind, raw, text)
    if (target !== undefined) found.set(raw, target)
  }
  for (const { kind, text, html } of message.texts) {
    if (kind === 'plain') for (const bare of bareAddresses(text)) add('bare', bare)
    if (html === undefined) continue
    for (const link of html.links) add('link', link.href, link.text)
    for (const action of html.forms) add('form', action)
    for (const redirect of html.redirects) add('redirect', redirect.replace(/^[^=]{0,20}url\s{0,9}=\s{0,9}['"]?/i, ''))
  }
  for (const { html } of message.texts) for (const image of html?.images ?? []) add('image', image)
  return found
}

/** Of the Web, in running text; also to take them out. */
export const BARE = /\b(?:https?:\/\/|www\.)[^\s<>"'\\\])}|\u0000-\u0020\u200b]{3,2000}/gi

const bareAddresses = (text: string): string[] =>
  (text.slice(0, TEXT_LENGTH_MAX).match(BARE) ?? []).map((bare) => bare.replace(/[.,;:!?*_]{1,9}$/, ''))

function targetOf(kind: Target['kind'], href: string, text: string): Growing | undefined {
  const url = urlOf(href)
  if (url === undefined) return undefined
  const site = siteOf(url.hostname)
  if (site === undefined) return undefined
  const packed = packedIn(url, site)
  return {
    ...site,
    kind,
    href,
    url,
    uses: 1,
    texts: text === '' ? [] : [text],
    ...(packed !== undefined && { packed }),
  }
}

/** An address of the Web; `www.a.example` without a scheme is one too, since mail programs make it one. */
export function urlOf(href: string): URL | undefined {
  if (href.length > HREF_LENGTH_MAX) return undefined
  const trimmed = href.trim()
  const text = /^www\./i.test(trimmed) ? `http://${trimmed}` : trimmed.startsWith('//') ? `https:${trimmed}` : trimmed
  if (!/^https?:/i.test(text)) return undefined
  const url = URL.parse(text)
  return url === null || url.hostname === '' ? undefined : url
}

/** `host` as `URL` gives it, or of an address; undefined for a name that nobody can have registered. */
export function siteOf(name: string): Site | undefined {
  const host = name.replace(/^\[|\]$|\.$/g, '').toLowerCase()
  const { domain, publicSuffix, isIp, isPrivate, isIcann } = parse(host, {
    allowPrivateDomains: true,
    extractHostname: false,
  })
  if (isIp === true) return { host, domain: host, suffix: '', isIp: true, isHosted: false }
  if (domain === null) return undefined
  const suffix = publicSuffix ?? ''
  if (isIcann !== true && isPrivate !== true && !RESERVED.has(suffix)) return undefined
  const isHosted = (isPrivate === true && !SOLD_SUFFIXES.has(suffix) && !SERVED.test(suffix)) || isPlace(host)
  return { host, domain, suffix, isIp: false, isHosted }
}

/** RFC 2606 §2: nobody's; for those who try this out. */
const RESERVED: ReadonlySet<string> = new Set(['example', 'test'])

/** Private suffixes of networks that deliver images and pages of everybody. */
const SERVED =
  /(?:^|\.)(?:cloudfront\.net|amazonaws\.com|akamai[a-z]{0,9}\.net|azureedge\.net|fastly\.net|fastlylb\.net|edgekey\.net)$/

/** A page in a place for stored things, where honest mail has its pictures. */
export const isStoredPage = (host: string, { pathname }: URL): boolean =>
  SERVED.test(host) && /\.(?:html?|shtml|php)$/i.test(pathname)

/** The host itself, or one above it. */
function isPlace(host: string): boolean {
  for (let at = host; at.includes('.'); at = at.slice(at.indexOf('.') + 1))
    if (PAGES.has(at) || FILES.has(at)) return true
  return false
}

/** For people: U-labels where they are. */
export const shownHost = (host: string): string => (host.includes('xn--') ? domainToUnicode(host) || host : host)

const PACKED = /(?:^|[^a-z])(https?(?:%3a|:)(?:%2f|\/){2}[^&\s"'<>]{4,500})/i

function packedIn(url: URL, { domain }: Site): Site | undefined {
  const behind = url.href.slice(url.origin.length)
  const raw = PACKED.exec(behind)?.[1]
  if (raw === undefined) return undefined
  const inner = urlOf(/%3a/i.test(raw) ? unescaped(raw) : raw)
  const site = inner === undefined ? undefined : siteOf(inner.hostname)
  return site?.domain === domain ? undefined : site
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'))
  } catch {
    return text
  }
}
