/** Whose name is on it, and whose mail it is: well-known firms, and the tenant's own people and domains. */
import { brandInAddress, brandNamed, isNear, isOf, type Likeness, likenessOf, ownerOf, skeleton } from '../brands.ts'
import type { Said, SpamAbout, SpamRules } from '../contract.ts'
import { FREE_MAIL } from '../data/free-mail.ts'
import { SENDING_SERVICES } from '../data/sending-services.ts'
import { followed, type Site, shownHost, siteOf } from '../links.ts'
import { addressesIn, type Parties, partiesOf } from '../mailboxes.ts'
import type { SpamMessage } from '../message.ts'
import { termsOf } from '../terms.ts'

const symbols = {
  IMPERSONATES_BRAND: {
    family: 'impersonation',
    weight: 4,
    en: 'bears the name of a firm whose domain it does not come from',
    de: 'trägt den Namen einer Firma, von deren Domain sie nicht kommt',
  },
  IMPERSONATES_BRAND_FORGED: {
    family: 'impersonation',
    weight: 4,
    en: 'bears the name of a firm, in letters that only look like it',
    de: 'trägt den Namen einer Firma in Buchstaben, die nur so aussehen',
  },
  SENDER_LOOKS_LIKE_BRAND: {
    family: 'impersonation',
    weight: 3.5,
    en: 'comes from a domain that is made to look like that of a firm',
    de: 'kommt von einer Domain, die der einer Firma ähneln soll',
  },
  LINK_LOOKS_LIKE_BRAND: {
    family: 'impersonation',
    weight: 3,
    en: 'leads to a domain that is made to look like that of a firm',
    de: 'führt zu einer Domain, die der einer Firma ähneln soll',
  },
  IMPERSONATES_OWN_DOMAIN: {
    family: 'impersonation',
    weight: 4,
    en: 'comes from a domain that is made to look like the recipient’s own',
    de: 'kommt von einer Domain, die der eigenen des Empfängers ähneln soll',
  },
  IMPERSONATES_OWN_NAME: {
    family: 'impersonation',
    weight: 3.5,
    en: 'the name of the author is the recipient’s own domain, the address is not',
    de: 'der Name des Absenders ist die eigene Domain des Empfängers, die Adresse nicht',
  },
  IMPERSONATES_COLLEAGUE: {
    family: 'impersonation',
    weight: 3.5,
    en: 'bears the name of somebody of the recipient’s firm, from outside',
    de: 'trägt den Namen einer Person aus der Firma des Empfängers, von außen',
  },
  NAME_IS_OTHER_ADDRESS: {
    family: 'impersonation',
    weight: 3,
    en: 'shows one address as the name of the author and has another',
    de: 'zeigt als Namen des Absenders eine Adresse und hat eine andere',
  },
  REPLY_TO_FREE_MAIL: {
    family: 'impersonation',
    weight: 2,
    en: 'answers go to a free mailbox that is not the author’s',
    de: 'Antworten gehen an ein Freemail-Postfach, das nicht das des Absenders ist',
  },
} as const

export const impersonationRules: SpamRules = {
  symbols,
  *look(message: SpamMessage, about: SpamAbout) {
    const parties = partiesOf(message)
    yield* brand(parties)
    yield* sender(parties)
    yield* links(message, parties)
    yield* own(parties, about)
    yield* addresses(parties, about)
  },
}

function* brand({ from }: Parties): Iterable<Said> {
  if (from.site === undefined) return
  const named = brandNamed(from.name) ?? brandInAddress(from.address)
  if (named === undefined || isOf(named.brand, from.site)) return
  if (named.isForged) yield { symbol: 'IMPERSONATES_BRAND_FORGED', detail: `${from.name}: ${from.domain}` }
  else if (!SENDING_SERVICES.has(from.site.domain))
    yield { symbol: 'IMPERSONATES_BRAND', detail: `${named.brand.name}: ${from.domain}` }
}

function* sender({ from }: Parties): Iterable<Said> {
  const likeness = from.site === undefined ? undefined : likenessOf(from.site)
  if (likeness !== undefined && likeness.kind !== 'above')
    yield {
      symbol: 'SENDER_LOOKS_LIKE_BRAND',
      strength: STRENGTH[likeness.kind],
      detail: `${likeness.name}: ${from.domain}`,
    }
}

/** A name joined to others is also how honest shops are called; letters that look the same are no accident. */
const STRENGTH: Readonly<Record<Likeness['kind'], number>> = { letters: 1, near: 0.7, joined: 0.7, above: 0.7 }

function* links(message: SpamMessage, { from }: Parties): Iterable<Said> {
  const seen = new Set<string>()
  for (const site of followed(message)) {
    if (seen.has(site.host) || site.domain === from.site?.domain || SENDING_SERVICES.has(site.domain)) continue
    seen.add(site.host)
    const likeness = likenessOf(site)
    if (likeness !== undefined)
      yield {
        symbol: 'LINK_LOOKS_LIKE_BRAND',
        strength: STRENGTH[likeness.kind],
        detail: `${likeness.name}: ${shownHost(site.host)}`,
      }
  }
}

/** Letters of a name that are compared; shorter domains are near to too many others. */
const OWN_LENGTH_MIN = 4

function* own({ from, to }: Parties, { tenant, recipients = [] }: SpamAbout): Iterable<Said> {
  const { site } = from
  if (site === undefined) return
  const domains = ownDomains(tenant?.domains ?? [], [...recipients, ...to])
  if (domains.has(site.domain) || domains.has(from.domain)) return
  for (const domain of domains) {
    if (looksLike(site, domain)) yield { symbol: 'IMPERSONATES_OWN_DOMAIN', detail: `${domain}: ${from.domain}` }
    if (namesDomain(from.name, domain)) yield { symbol: 'IMPERSONATES_OWN_NAME', detail: from.name }
  }
  const name = personOf(from.name)
  if (name !== '' && (tenant?.people ?? []).some((person) => personOf(person) === name))
    yield { symbol: 'IMPERSONATES_COLLEAGUE', detail: `${from.name}: ${from.address}` }
}

/** Registrable domains; those of providers belong to nobody of the recipients. */
function ownDomains(tenant: readonly string[], addresses: readonly string[]): Set<string> {
  const domains = new Set(tenant.map((domain) => siteOf(domain)?.domain ?? domain))
  for (const address of addresses) {
    const domain = siteOf(address.slice(address.lastIndexOf('@') + 1))?.domain
    if (domain !== undefined && !FREE_MAIL.has(domain)) domains.add(domain)
  }
  return domains
}

const labelOf = (domain: string): string => domain.split('.')[0]!

function looksLike(site: Site, domain: string): boolean {
  const [label, own] = [labelOf(site.domain), labelOf(domain)]
  if (own.length < OWN_LENGTH_MIN || label === own) return false
  const shown = labelOf(shownHost(site.domain))
  return skeleton(termsOf(shown).join('')) === skeleton(own) || isNear(label, own) || label.split('-').includes(own)
}

/** `bakery.example Helpdesk`, `bakery support`: the name says it is the recipient's own house. */
function namesDomain(name: string, domain: string): boolean {
  const shown = name.toLowerCase()
  return shown.includes(domain) && !shown.includes(`@${domain}`)
}

/** `Beck, Anna` and `Dr. Anna Beck` are one; titles and what stands in brackets do not count. */
function personOf(name: string): string {
  const words = termsOf(name.replace(/\([^)]{0,100}\)/g, ' ')).filter((word) => !TITLES.has(word))
  return words.length < 2 ? '' : words.sort().join(' ')
}
const TITLES = new Set('dr prof dipl ing mr mrs ms herr frau'.split(' '))

/** Of a firm, or of the recipient's own house. */
function isTrusted(domain: string, { to }: Parties, { tenant, recipients = [] }: SpamAbout): boolean {
  const site = siteOf(domain)
  return (
    (site !== undefined && ownerOf(site) !== undefined) ||
    ownDomains(tenant?.domains ?? [], [...recipients, ...to]).has(domain)
  )
}

function* addresses(parties: Parties, about: SpamAbout): Iterable<Said> {
  const { from, replyTo } = parties
  const shown = addressesIn(from.name)[0]
  if (shown !== undefined && from.address !== '') {
    const domain = siteOf(shown.slice(shown.lastIndexOf('@') + 1))?.domain
    if (domain !== undefined && domain !== from.site?.domain)
      yield {
        symbol: 'NAME_IS_OTHER_ADDRESS',
        strength: isTrusted(domain, parties, about) ? 1 : 0.6,
        detail: `${shown}: ${from.address}`,
      }
  }
  const answers = replyTo?.site?.domain
  if (answers === undefined || !FREE_MAIL.has(answers) || replyTo?.address === from.address || from.site === undefined)
    return
  if (from.site.domain !== answers || localPart(replyTo!.address) !== localPart(from.address))
    yield {
      symbol: 'REPLY_TO_FREE_MAIL',
      strength: FREE_MAIL.has(from.site.domain) ? 1 : 0.7,
      detail: replyTo!.address,
    }
}

const localPart = (address: string): string => address.slice(0, address.lastIndexOf('@'))
