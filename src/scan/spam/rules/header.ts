/**
 * What the header section gives away: fields that are missing, doubled or read in two ways, dates and Message-IDs that no
 * mail program writes, signatures that nobody has verified for years, and programs that are claimed and were not there.
 */
import type { Said, SpamAbout, SpamRules, SymbolTable } from '../contract.ts'
import { envelopeSender, type HeaderView } from '../header.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  HEADER_FROM_AMBIGUOUS: {
    family: 'header',
    weight: 3,
    en: 'the author can be read in more than one way',
    de: 'der Absender lässt sich verschieden lesen',
  },
  HEADER_FROM_MISSING: { family: 'header', weight: 2, en: 'says no author', de: 'nennt keinen Absender' },
  HEADER_FROM_WITHOUT_ADDRESS: {
    family: 'header',
    weight: 2.5,
    en: 'the author has no address',
    de: 'der Absender hat keine Adresse',
  },
  HEADER_DATE_MISSING: { family: 'header', weight: 0.5, en: 'has no date', de: 'hat kein Datum' },
  HEADER_DATE_ODD: {
    family: 'header',
    weight: 2.5,
    en: 'its date is written as no mail program does',
    de: 'das Datum ist geschrieben, wie es kein Mailprogramm tut',
  },
  HEADER_DATE_IN_FUTURE: {
    family: 'header',
    weight: 2.5,
    en: 'was received before it was written',
    de: 'wurde empfangen, bevor sie geschrieben wurde',
  },
  HEADER_MESSAGE_ID_MISSING: { family: 'header', weight: 0.5, en: 'has no Message-ID', de: 'hat keine Message-ID' },
  HEADER_MESSAGE_ID_BROKEN: {
    family: 'header',
    weight: 2.5,
    en: 'its Message-ID is none',
    de: 'die Message-ID ist keine',
  },
  HEADER_MESSAGE_ID_OF_DESKTOP: {
    family: 'header',
    weight: 1,
    en: 'its Message-ID is of an office computer, which sends for itself',
    de: 'die Message-ID stammt von einem Bürorechner, der selbst versendet',
  },
  HEADER_MESSAGE_ID_FORGED: {
    family: 'header',
    weight: 2,
    en: 'its Message-ID is of a provider through which it did not go',
    de: 'die Message-ID gehört einem Anbieter, über den sie nicht lief',
  },
  HEADER_DOUBLED: {
    family: 'header',
    weight: 2.5,
    en: 'a field that may stand once stands more often',
    de: 'ein Feld, das einmal stehen darf, steht mehrmals da',
  },
  HEADER_TO_UNDISCLOSED: {
    family: 'header',
    weight: 2.5,
    en: 'does not say to whom it is',
    de: 'sagt nicht, an wen sie geht',
  },
  HEADER_OBSOLETE_SIGNATURE: {
    family: 'header',
    weight: 3,
    en: 'is signed in a way that nobody has accepted for years',
    de: 'ist auf eine Art signiert, die seit Jahren niemand mehr anerkennt',
  },
  HEADER_STRAY_LINE: {
    family: 'header',
    weight: 0,
    en: 'a line that is no field stands in its header section',
    de: 'im Kopf steht eine Zeile, die kein Feld ist',
  },
  HEADER_PRIORITY_HIGH: {
    family: 'header',
    weight: 1,
    en: 'calls itself urgent',
    de: 'nennt sich dringend',
  },
  HEADER_MIME_VERSION_MISSING: {
    family: 'header',
    weight: 2,
    en: 'has parts, and does not say that it is MIME',
    de: 'hat mehrere Teile und sagt nicht, dass sie MIME ist',
  },
  HEADER_RENTED_MACHINE: {
    family: 'header',
    weight: 1.5,
    en: 'was written or sent under the name that a hoster gives to a machine',
    de: 'wurde unter dem Namen geschrieben oder verschickt, den ein Hoster einem Rechner gibt',
  },
  HEADER_WEB_SERVER: {
    family: 'header',
    weight: 1.5,
    en: 'the account of a web server sends it',
    de: 'das Konto eines Webservers verschickt sie',
  },
  HEADER_WEB_SCRIPT: {
    family: 'header',
    weight: 0.5,
    en: 'a script on a web server has written it',
    de: 'ein Skript auf einem Webserver hat sie geschrieben',
  },
} as const satisfies SymbolTable

export const headerRules: SpamRules = {
  symbols,
  *look(message: SpamMessage, about: SpamAbout) {
    yield* author(message)
    yield* dates(message.header)
    yield* messageId(message.header)
    yield* fields(message)
    yield* programs(message.header, about)
  },
}

function* author({ header, headerText }: SpamMessage): Iterable<Said> {
  const fault = header.fromFault ?? oddName(headerText)
  if (fault !== undefined) yield { symbol: 'HEADER_FROM_AMBIGUOUS', detail: fault }
  if (header.value('from') === undefined) yield { symbol: 'HEADER_FROM_MISSING' }
  else if (header.from.address === '')
    yield { symbol: 'HEADER_FROM_WITHOUT_ADDRESS', detail: header.from.display.slice(0, 60) }
}

// `From :`, `From` folded before its colon, ` From:` in front of all: some readers take it for the field, others do not.
const ODD_FROM = /(?:^|\n)from(?:[ \t]{1,20}|[ \t]{0,20}\r?\n[ \t]{1,20}):|^[ \t]{1,20}from[ \t]{0,20}:/i
const oddName = (headerText: string): string | undefined => (ODD_FROM.test(headerText) ? 'odd field name' : undefined)

/** RFC 5322 §3.3, with the names of zones that are in use and the comment behind. */
const DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s{0,4},\s{0,9})?\d{1,2}\s{1,9}(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s{1,9}\d{2,4}\s{1,9}\d{1,2}:\d\d(?::\d\d)?\s{1,9}(?:[+-]\d{4}|UTC?|GMT|[ECMP][SD]T)(?:\s{0,9}\([^()]{0,60}\))?$/i
const AHEAD_MS_MAX = 2 * 3600 * 1000

function* dates(header: HeaderView): Iterable<Said> {
  const text = header.value('date')
  if (text === undefined) {
    yield { symbol: 'HEADER_DATE_MISSING' }
    return
  }
  if (!DATE.test(text.slice(0, 200))) yield { symbol: 'HEADER_DATE_ODD', detail: text.slice(0, 60) }
  const received = header.hops[0]?.at
  if (received === undefined || header.date === undefined || Number.isNaN(header.date)) return
  const hours = Math.round((header.date - received) / 3_600_000)
  if (header.date - received > AHEAD_MS_MAX) yield { symbol: 'HEADER_DATE_IN_FUTURE', detail: `${hours} hours` }
}

const MESSAGE_ID = /^(?:\([^()]{0,60}\)\s{0,9})?<[^<>\s]{1,900}@[^<>\s@]{1,255}>(?:\s{0,9}\([^()]{0,60}\))?$/
// Names that an installation of Windows gives a machine, and addresses that lead nowhere.
const DESKTOP = /^(?:127\.|(?:win|desktop|laptop)-[a-z0-9]{6,})/
/** Host in the Message-ID to the servers that have then passed it on. */
const PROVIDERS: readonly (readonly [RegExp, RegExp])[] = [
  [/(?:^|\.)mail\.gmail\.com$/, /(?:^|\.)(?:google|gmail|googlemail)\.com$/],
  [/\.prod\.outlook\.com$/, /(?:^|\.)(?:outlook|hotmail|microsoft|office365)\.com$/],
  [/(?:^|\.)mail\.yahoo\.com$/, /(?:^|\.)(?:yahoo|yahoodns|aol)\.(?:com|net)$/],
]

function* messageId({ messageId, hops, value }: HeaderView): Iterable<Said> {
  if (messageId === undefined) {
    yield { symbol: 'HEADER_MESSAGE_ID_MISSING' }
    return
  }
  const { text, host } = messageId
  if (!MESSAGE_ID.test(text)) yield { symbol: 'HEADER_MESSAGE_ID_BROKEN', detail: text.slice(0, 80) }
  else if (DESKTOP.test(host)) yield { symbol: 'HEADER_MESSAGE_ID_OF_DESKTOP', detail: host }
  const provider = PROVIDERS.find(([written]) => written.test(host))
  // Whoever hands it to us first may be the provider itself: nobody has written a Received field yet.
  if (provider === undefined || hops.length === 0 || value('list-id') !== undefined) return
  if (!hops.some(({ by, greeting, name }) => [by, greeting, name].some((server) => provider[1].test(server))))
    yield { symbol: 'HEADER_MESSAGE_ID_FORGED', detail: host }
}

/** RFC 5322 §3.6, RFC 2045 §3: once at most. */
const ONCE = ['from', 'to', 'subject', 'date', 'message-id', 'reply-to', 'sender', 'mime-version', 'content-type']

function* fields({ header, headerText, parts }: SpamMessage): Iterable<Said> {
  const doubled = ONCE.filter((name) => header.all(name).length > 1)
  if (doubled.length > 0) yield { symbol: 'HEADER_DOUBLED', detail: doubled.join(', ') }
  const to = header.value('to') ?? ''
  if (/^[^@]{0,40}(?:undisclosed|recipient list not shown|unlisted)[^@]{0,80}$/i.test(to))
    yield { symbol: 'HEADER_TO_UNDISCLOSED' }
  if (header.strayLines > 0 || /^[ \t]/.test(headerText)) yield { symbol: 'HEADER_STRAY_LINE' }
  if (parts.length > 1 && header.value('mime-version') === undefined) yield { symbol: 'HEADER_MIME_VERSION_MISSING' }
  const priority = header.value('x-priority') ?? ''
  if (/^\s{0,4}[12]\b/.test(priority) || /^high/i.test(header.value('importance') ?? ''))
    yield { symbol: 'HEADER_PRIORITY_HIGH' }
}

// A firm gives its mail server a name of its own; whoever rents a machine for a day does not.
const RENTED =
  /^(?:vps|vmi|vds|kvm|ec2|ip|srv|server|ns|host|cloud|static)-?\d[\d.-]{2,40}\.|\.(?:contaboserver|your-server|colocrossing|vultrusercontent|linodeusercontent|googleusercontent|kimsufi|poneytelecom|hwsrv-\d{1,9}\.hostwindsdns)\.(?:net|com|de|eu)$|\.(?:cloudapp\.net|cloudapp\.azure\.com|compute\.amazonaws\.com|compute\.internal|c\.[a-z0-9.-]{1,80}\.internal|vps\.ovh\.net|ip-\d{1,3}-\d{1,3}-\d{1,3}\.(?:eu|net))$/
const WEB_SERVER = /^(?:www-data|apache\d?|httpd|nginx|wwwrun|phpmailer)$/

function* programs(header: HeaderView, about: SpamAbout): Iterable<Said> {
  const old = header.signatures.find(({ algorithm }) => algorithm === 'rsa-sha1')
  // DomainKeys is historic since 2011; RFC 8301 §3.1 forbids SHA-1. A message of before has no other signature.
  if (old !== undefined || (header.value('domainkey-signature') !== undefined && header.signatures.length > 0))
    yield { symbol: 'HEADER_OBSOLETE_SIGNATURE', detail: old === undefined ? 'DomainKeys' : 'rsa-sha1' }
  const { from, messageId } = header
  const returnPath = envelopeSender(header, about)
  const machine = [messageId?.host, returnPath?.domain, from.domain].find(
    (host) => host !== undefined && RENTED.test(host),
  )
  if (machine !== undefined) yield { symbol: 'HEADER_RENTED_MACHINE', detail: machine }
  const account = [returnPath?.local, from.local].find((local) => local !== undefined && WEB_SERVER.test(local))
  if (account !== undefined) yield { symbol: 'HEADER_WEB_SERVER', detail: account }
  const script = header.value('x-php-originating-script') ?? header.value('x-php-script')
  if (script !== undefined) yield { symbol: 'HEADER_WEB_SCRIPT', detail: script.slice(0, 60) }
}
