/**
 * The parameters of MAIL and RCPT (RFC 5321 §4.1.1.11), as a table: SIZE (RFC 1870 §3), BODY (RFC 6152 §2, RFC 3030 §3),
 * SMTPUTF8 (RFC 6531 §3.4), RET and ENVID (RFC 3461 §4.3, §4.4), AUTH (RFC 4954 §5), REQUIRETLS (RFC 8689 §2), NOTIFY and
 * ORCPT (RFC 3461 §4.1, §4.2).
 *
 * Faults are values: `unknown` for a keyword that was not announced (555), `syntax` for a value that its standard does
 * not allow, or a keyword given twice (501). Nothing of a faulty command is kept.
 */
import type { NotifyOn, Recipient } from '#mail/envelope.ts'
import type { EnvelopeDraft } from '#mail/session.ts'
import { decodeUtf8Address, decodeXtext } from './xtext.ts'

/** RFC 3461 §4.4 and §4.2. */
const ENVID_CHARS_MAX = 100
const ORCPT_CHARS_MAX = 500

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
export type MailDraft = Mutable<EnvelopeDraft>
export type RcptDraft = Mutable<Recipient>

export type ParameterFault = { readonly kind: 'unknown' | 'syntax'; readonly keyword: string }

/** Reads one value into the draft; false: the value is not allowed. An absent value is the empty string. */
type Read<T> = (value: string, draft: T, unicode: boolean) => boolean

const MAIL_PARAMETERS: ReadonlyMap<string, Read<MailDraft>> = new Map([
  ['SIZE', readSize],
  ['BODY', readBody],
  ['SMTPUTF8', readSmtpUtf8],
  ['RET', readRet],
  ['ENVID', readEnvid],
])
const AUTH = ['AUTH', readAuth] as const
const REQUIRE_TLS = ['REQUIRETLS', readRequireTls] as const
const WITH_AUTH: typeof MAIL_PARAMETERS = new Map([...MAIL_PARAMETERS, AUTH])
const WITH_TLS: typeof MAIL_PARAMETERS = new Map([...MAIL_PARAMETERS, REQUIRE_TLS])
const WITH_BOTH: typeof MAIL_PARAMETERS = new Map([...WITH_AUTH, REQUIRE_TLS])
const RCPT_PARAMETERS: ReadonlyMap<string, Read<RcptDraft>> = new Map([
  ['NOTIFY', readNotify],
  ['ORCPT', readOrcpt],
])

/** What was announced beside what always is. */
export interface Announced {
  readonly auth?: boolean
  readonly requireTls?: boolean
}

/** Reads what stands behind the reverse-path. */
export const readMailParameters = (
  text: string,
  draft: MailDraft,
  announced: Announced = {},
): ParameterFault | undefined => readParameters(text, mailParameters(announced), draft, true)

function mailParameters({ auth, requireTls }: Announced): typeof MAIL_PARAMETERS {
  if (auth) return requireTls ? WITH_BOTH : WITH_AUTH
  return requireTls ? WITH_TLS : MAIL_PARAMETERS
}

/** Reads what stands behind the forward-path; `unicode`: the transaction has SMTPUTF8. */
export const readRcptParameters = (text: string, draft: RcptDraft, unicode: boolean): ParameterFault | undefined =>
  readParameters(text, RCPT_PARAMETERS, draft, unicode)

function readParameters<T>(text: string, table: ReadonlyMap<string, Read<T>>, draft: T, unicode: boolean) {
  if (text === '') return undefined
  if (text[0] !== ' ') return syntax('')
  const seen: string[] = []
  for (const parameter of text.split(' ')) {
    if (parameter === '') continue
    const equals = parameter.indexOf('=')
    const keyword = (equals < 0 ? parameter : parameter.slice(0, equals)).toUpperCase()
    const read = table.get(keyword)
    if (read === undefined) return { kind: 'unknown', keyword } as const
    if (seen.includes(keyword)) return syntax(keyword)
    seen.push(keyword)
    if (!read(equals < 0 ? '' : parameter.slice(equals + 1), draft, unicode)) return syntax(keyword)
  }
  return undefined
}

const syntax = (keyword: string): ParameterFault => ({ kind: 'syntax', keyword })

function readSize(value: string, draft: MailDraft): boolean {
  if (!/^\d{1,20}$/.test(value)) return false
  // Beyond 2^53 the number is not exact; it is far over any limit then, which is all that matters.
  draft.declaredOctets = Number(value)
  return true
}

const BODIES = { '7BIT': '7bit', '8BITMIME': '8bitmime', BINARYMIME: 'binarymime' } as const

function readBody(value: string, draft: MailDraft): boolean {
  const body = value.toUpperCase()
  if (!Object.hasOwn(BODIES, body)) return false
  draft.body = BODIES[body as keyof typeof BODIES]
  return true
}

function readSmtpUtf8(value: string, draft: MailDraft): boolean {
  draft.smtputf8 = true
  return value === ''
}

function readRet(value: string, draft: MailDraft): boolean {
  const ret = value.toLowerCase()
  if (ret !== 'full' && ret !== 'hdrs') return false
  draft.ret = ret
  return true
}

function readEnvid(value: string, draft: MailDraft): boolean {
  if (value === '' || value.length > ENVID_CHARS_MAX || decodeXtext(value) === undefined) return false
  draft.envid = value
  return true
}

// RFC 4954 §5: who another server says has submitted it. Nobody's word is taken for that here, so it is read and forgotten.
function readAuth(value: string): boolean {
  return value === '<>' || (value !== '' && decodeXtext(value) !== undefined)
}

function readRequireTls(value: string, draft: MailDraft): boolean {
  draft.requireTls = true
  return value === ''
}

const NOTIFY_ON: ReadonlySet<string> = new Set<NotifyOn>(['success', 'failure', 'delay'])

function readNotify(value: string, draft: RcptDraft): boolean {
  const wanted = value.toLowerCase()
  if (wanted === 'never') {
    draft.notify = 'never'
    return true
  }
  // NEVER stands alone (RFC 3461 §4.1); the set does not hold it.
  const on = wanted.split(',')
  if (!on.every((item) => NOTIFY_ON.has(item))) return false
  draft.notify = [...new Set(on)] as NotifyOn[]
  return true
}

function readOrcpt(value: string, draft: RcptDraft, unicode: boolean): boolean {
  const semicolon = value.indexOf(';')
  const type = value.slice(0, Math.max(semicolon, 0))
  const address = value.slice(semicolon + 1)
  if (!/^[A-Za-z0-9-]+$/.test(type) || address === '' || value.length > ORCPT_CHARS_MAX) return false
  const decoded = type.toLowerCase() === 'utf-8' ? decodeUtf8Address(address, unicode) : decodeXtext(address)
  if (decoded === undefined) return false
  draft.orcpt = value
  return true
}
