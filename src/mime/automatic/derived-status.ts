/**
 * A status for a failure that names none, or only says "something": read out of the SMTP reply (RFC 5321 §4.2, RFC 3463) or
 * out of phrases that servers use. What is derived is marked as such, because it is an opinion.
 *
 * Linear: every pattern is bounded, and lines are cut before they are searched.
 */
import type { Status } from '#mail/status.ts'
import type { DsnAction } from './automatic-mail.ts'

/** Of a diagnostic that is searched, in characters. */
export const DIAGNOSTIC_CHARACTERS_MAX = 8000

export interface DerivedStatus {
  readonly status: Status
  readonly source: 'diagnostic' | 'phrase' | 'action'
  readonly replyCode?: number
}

/** `5.0.0` says no more than "it failed"; a better one is looked for (RFC 3463 §3.1). */
export const isVague = (status: Status): boolean => /^[45]\.0\.0$/.test(status)

/** Reads status and reply code out of what was said about one recipient. */
export function deriveStatus(diagnostic: string, action: DsnAction): DerivedStatus {
  const text = diagnostic.slice(0, DIAGNOSTIC_CHARACTERS_MAX)
  const replyCode = replyCodeIn(text)
  const code = replyCode === undefined ? {} : { replyCode }
  const explicit = explicitStatus(text)
  // Even a vague one: a phrase is an opinion, and whoever wrote 5.0.0 knew more than we do.
  if (explicit !== undefined) return { status: explicit, source: 'diagnostic', ...code }
  const phrase = phraseStatus(text)
  const severity = severityOf(action, replyCode)
  if (phrase !== undefined) return { status: `${severity}.${phrase}` as Status, source: 'phrase', ...code }
  const byCode = replyCode === undefined ? undefined : CODES[replyCode]
  if (byCode !== undefined) return { status: `${severity}.${byCode}` as Status, source: 'diagnostic', ...code }
  if (replyCode !== undefined) return { status: `${severity}.0.0`, source: 'diagnostic', ...code }
  return { status: STATUS_OF[action], source: 'action' }
}

// What the action alone says (RFC 3464 §2.3.3, RFC 3463 §3.1).
const STATUS_OF: Readonly<Record<DsnAction, Status>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
  expanded: '2.0.0',
}

function severityOf(action: DsnAction, replyCode: number | undefined): 4 | 5 {
  if (action === 'delayed') return 4
  if (replyCode !== undefined) return replyCode < 500 ? 4 : 5
  return 5
}

// Not part of an address, a version or a longer number.
const STATUS = /(?<![\d.\w-])([245])\.(\d{1,2})\.(\d{1,3})(?![\d\w-]|\.\d)/g

// Directly behind its reply code: what the remote server itself said (RFC 2034 §4).
const REPLY_STATUS = /(?<![\d.])([245])\d\d[\s-]{1,3}'?(?:\(?#)?(\1\.\d{1,2}\.\d{1,3})(?![\d\w]|\.\d)/g

/** The enhanced status that a remote server gave with its reply. */
export function remoteStatus(text: string): Status | undefined {
  for (const match of text.slice(0, DIAGNOSTIC_CHARACTERS_MAX).matchAll(REPLY_STATUS)) {
    const status = match[2] as Status
    if (!isVague(status) && match[1] !== '2') return status
  }
  return undefined
}

/** The enhanced status that is written in a text: a remote server's, else the first that says something. */
export function explicitStatus(text: string): Status | undefined {
  const remote = remoteStatus(text)
  if (remote !== undefined) return remote
  let vague: Status | undefined
  for (const match of text.matchAll(STATUS)) {
    if (Number(match[2]) > 7 || match[1] === '2') continue
    const status = match[0] as Status
    if (!isVague(status)) return status
    vague ??= status
  }
  return vague
}

const REPLY = /(?:^|[\s:;,("'[<])([45]\d\d)(?=[\s:;-])/gm

function replyCodeIn(text: string): number | undefined {
  for (const match of text.matchAll(REPLY)) {
    const code = Number(match[1])
    if (code < 420 || (code > 459 && code < 500) || code > 579) continue
    return code
  }
  return undefined
}

// Only the codes that mean one thing (RFC 7504, RFC 4954); 450, 451, 550 and 554 say that it failed, not why.
const CODES: Readonly<Record<number, string>> = { 521: '3.2', 525: '7.13', 535: '7.8', 556: '1.10' }

/** What phrases mean: subject and detail of RFC 3463. The first that fits counts, so the specific ones stand first. */
const PHRASES: readonly (readonly [string, RegExp])[] = [
  ['7.25', /\bPTR\b|reverse[- ]?dns|reverse (?:lookup|hostname|domain)|no rdns|can'?t find your (?:ip|hostname)|rDNS/i],
  ['7.26', /unauthenticated (?:email|sender)|\bDMARC\b|authentication information/i],
  ['7.23', /\bSPF\b/],
  [
    '7.1',
    /(?:relay|sending|hourly|daily|message) quota|rate limit|frequency limited|too many (?:connections|messages|recipients)|cannot send e-?mail to yourself|insecure mail relay|has been blacklisted|reputation|suspicious|badrcptto|auth(?:entication )?required/i,
  ],
  [
    '4.3',
    /(?:not found|name ?service error)[^\n]{0,80}\n?[^\n]{0,40}try again|temporary (?:dns|name)|dns (?:server|time ?out)/i,
  ],
  [
    '4.6',
    /mail(?:er)? loop|too many hops|hop count|loops back to|message loop|routing loop|forwarding loop|mail forwarding loop/i,
  ],
  [
    '3.4',
    /\b(?:message|mail|e-?mail|content|size)\b[^.\n]{0,40}(?:too (?:large|big)|size (?:limit|exceed)|exceeds?[^.\n]{0,30}(?:size|limit|maximum|length))|size limit exceeded|exceeds? (?:the )?(?:fixed )?(?:size|maximum (?:message )?size)|nachricht (?:ist )?zu gro/i,
  ],
  [
    '2.2',
    /quota|(?:mail ?box|mailfolder|inbox|user'?s? mail|account|disk)[^.\n]{0,60}(?:full|exceed|over|space)|(?:over|not enough|insufficient)[^.\n]{0,20}(?:storage|space)|too much mail|full mailbox|postfach[^.\n]{0,40}voll|speicherplatz|bo[iî]te[^.\n]{0,40}pleine|buz[oó]n[^.\n]{0,20}lleno|casella[^.\n]{0,20}piena|skrzynka[^.\n]{0,30}(?:pe[lł]na|przepe[lł]niona)|caixa[^.\n]{0,30}cheia|メールボックス(?:が|は)?(?:一杯|満杯|いっぱい)/i,
  ],
  ['1.6', /(?:user|mailbox|recipient)[^.\n]{0,30}(?:has )?moved|moved to|no longer (?:with|at|work)/i],
  [
    '2.1',
    /(?:account|user|mail ?box|address|recipient)[^.\n]{0,60}(?:disabled|suspended|locked|inactive|deactivated|discontinued|not active|closed|blocked|no longer|expired)|disabled (?:recipient|account|user|mailbox)|inactive (?:user|account|mailbox)|no longer accepts? mail|konto[^.\n]{0,30}gesperrt/i,
  ],
  [
    '1.8',
    /(?:sender|from)[^.\n]{0,60}(?:domain|address)[^.\n]{0,60}(?:not (?:exist|found|resolve)|invalid|reject|unknown|does not)|domain of sender|sender (?:verify|verification)|unroutable sender/i,
  ],
  [
    '1.1',
    /(?:user|recipient|mail ?box|account|address(?:ee)?|alias|local ?part|userid|benutzer)[^.\n]{0,60}(?:unknown|not found|not? exist|doesn'?t exist|invalid|not listed|not recogni[sz]ed|isn'?t known|not known|unbekannt|inconnu|not have|no such)|(?:unknown|no such|invalid|bad|illegal|incorrect|nonexist\w{0,4}|non-exist\w{0,4})[^.\n]{0,25}(?:user|recipient|mail ?box|account|address|alias|local|person)|(?:does ?n[o']t|doesn't|not) have an?[^\n]{0,60}account|not listed in (?:the )?(?:public )?(?:name|domino|directory|address)|no (?:such )?(?:mail ?box|account|user)|nosuchuser|recip(?:ient)?notfound|not our (?:customer|user)|no valid recipients|not a valid (?:user|mailbox|recipient)|user[^.\n]{0,30}(?:not|isn't) (?:a )?(?:local|valid|here)|(?:does not|doesn't) (?:exist|like recipient)|email account[^.\n]{0,40}does not exist|unbekannt(?:er)? (?:empf|benutzer|nutzer|adress)|(?:empf\S{1,3}nger|adresse|postfach)[^.\n]{0,40}(?:unbekannt|nicht (?:bekannt|gefunden|vorhanden)|existiert nicht)|destinataire[^.\n]{0,20}inconnu|usuario[^.\n]{0,20}desconocido|utente[^.\n]{0,20}sconosciuto|nieznany|u[zż]ytkownik[^.\n]{0,30}nie istnieje|onbekende? (?:gebruiker|ontvanger)|destinat[aá]rio[^.\n]{0,20}desconhecido|見つかりません|存在しません|не найден|не существует/i,
  ],
  [
    '1.2',
    /host(?: or domain)?(?: name)?[^.\n]{0,40}(?:not found|unknown)|unknown (?:host|domain|mail domain)|(?:unrouteable|unroutable|illegal) (?:mail )?(?:domain|address|host)|domain[^.\n]{0,40}(?:not exist|not found|doesn'?t exist|unknown|invalid)|name ?service error|no (?:mx|mail exchanger|a record)|couldn'?t find (?:a mail exchanger|any host)|dns (?:error|lookup fail)|nxdomain|name server report|no smtp service|null mx|bad destination host|nameserver error/i,
  ],
  [
    '4.7',
    /retry time ?out|(?:time|delivery|queue|message|envelope|mail)[^.\n]{0,30}expired|expired (?:in|after)|in (?:the )?queue too long|gave? up|giving up|too long in queue|delivery failed \d{1,4} attempts|maximum delivery attempts|not (?:been )?collected|multiple retries|not (?:yet )?(?:been )?delivered (?:with)?in|retry limit|has been delayed|retried|will (?:be )?re-?tr(?:y|ied)|failing for a long time|not yet been delivered/i,
  ],
  [
    '4.1',
    /connect(?:ion)?[^.\n]{0,60}(?:time|refused|fail|dropped|lost|reset|not accept|established)|no route to|not responding|did not respond|unreachable|socket error|could not (?:connect|initiate)|host is down|(?:lost|dropped) (?:the )?connection|no answer|did not accept our requests|timed? ?out|unable to (?:contact|connect)|bad connection|network (?:error|problem)|unavailable to take|not reach/i,
  ],
  [
    '7.1',
    /relay(?:ing)?[^.\n]{0,30}(?:denied|not (?:allowed|permitted)|prohibited)|(?:unable|not|denied|cannot) to relay|insecure mail relay|not a relay|rcpthosts|not a gateway/i,
  ],
  [
    '7.1',
    /spam|junk|black ?list|block(?:ed|ing)? ?(?:list|for|by|using)?|blocked|denied|prohibited|policy|not (?:allowed|authori[sz]ed|permitted|accepting|a member)|refused|reject|banned|restricted|reputation|unsolicited|virus|infected|malware|forbidden|filter|abgelehnt|refus[ée]|rechazad|rifiutat|geweigerd|odrzucon|recusad/i,
  ],
  [
    '3.0',
    /system error|local error|service unavailable|internal error|resources? (?:temporarily )?unavailable|command died|can(?:'|no)t (?:open|create|write)|insufficient system/i,
  ],
  ['6.0', /(?:content|header|media|syntax|mime)[^.\n]{0,20}error|attachments?|embedded images/i],
  ['1.1', /recipient not found|unavailable|nicht zugestellt|undeliverable to/i],
]

// Addresses are in the way: their dots end no sentence, and a local part may be called "full".
const ADDRESS = /[^\s<>"'(),;:]{1,250}@[^\s<>"'(),;:]{1,255}/g

function phraseStatus(text: string): string | undefined {
  const words = text.replace(ADDRESS, 'x')
  return PHRASES.find(([, pattern]) => pattern.test(words))?.[0]
}
