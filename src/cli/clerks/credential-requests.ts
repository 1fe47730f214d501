/** What operators may ask about credentials, checked and brought into the one form that is stored. Faults are UserErrors. */
import { z } from 'zod'
import { foldLogin } from '#auth/login-name.ts'
import { preparePassword } from '#auth/prepare-password.ts'
import { EXIT, UserError } from '#cli/exit.ts'
import { networkMeant, readFullDomain, readNetwork } from '#config/units.ts'
import { mailboxKey, parseMailbox } from '#mail/address.ts'
import { RESTRICTIONS_MAX } from '#store/credentials.ts'
import { ownLimits } from './credential-limits.ts'

/** Characters of a password that a person makes up: NIST SP 800-63B wants 8 at least, guessing wants more. */
export const PASSWORD_CHARACTERS_MIN = 12

const login = z.string().max(400)
const label = z.string().max(64)
/** Absent: one is made. */
const password = z.string().max(4096).optional()
const restrictions = z.array(z.string().max(400)).max(RESTRICTIONS_MAX)

export const requests = {
  add: z.strictObject({
    tenant: z.string().max(64),
    login,
    password,
    networks: restrictions,
    senders: restrictions,
    limits: ownLimits.optional(),
  }),
  list: z.strictObject({ tenant: z.string().max(64).optional(), after: z.string().max(400) }),
  one: z.strictObject({ login }),
  passwd: z.strictObject({ login, password }),
  try: z.strictObject({ login, password: z.string().max(4096) }),
  /** What is absent stays. */
  restrict: z.strictObject({ login, networks: restrictions.optional(), senders: restrictions.optional() }),
  limit: z.strictObject({ login, limits: ownLimits }),
  labelled: z.strictObject({ login, label }),
  lock: z.strictObject({ login, reason: z.string().max(200) }),
}

export function asked<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw notUnderstood(z.prettifyError(parsed.error).replace(/\s+/g, ' '))
}

export const notUnderstood = (what: string): UserError =>
  new UserError(
    `the request was not understood: ${what}`,
    'Use the command line of the same release as the running program.',
    EXIT.unavailable,
  )

export function loginOf(typed: string): string {
  const folded = foldLogin(typed)
  if (folded !== undefined) return folded
  const advice = 'Use an address, or a name of letters and digits without spaces.'
  throw new UserError(`${JSON.stringify(typed)} is no login`, advice, EXIT.data)
}

/** Prepared. */
export function passwordOf(typed: string, login: string): string {
  const prepared = preparePassword(typed)
  if (!prepared.ok) throw new UserError(`the password cannot be used: ${prepared.why}`, 'Choose another.', EXIT.data)
  const characters = [...prepared.password].length
  const advice = `At least ${PASSWORD_CHARACTERS_MIN}, please: three words are easy to keep. Or let one be made: --generate.`
  if (characters < PASSWORD_CHARACTERS_MIN) {
    throw new UserError(`the password has ${characters} characters only`, advice, EXIT.data)
  }
  if (prepared.password.toLowerCase() === login) {
    throw new UserError('the password is the login', 'Choose another, or let one be made: --generate.', EXIT.data)
  }
  return prepared.password
}

export function networksOf(texts: readonly string[]): string[] {
  return texts.map((text) => {
    const network = readNetwork(text)
    if (network !== undefined) return network
    const meant = networkMeant(text)
    const advice = meant === undefined ? 'Write 192.0.2.0/24, 2001:db8::/32 or one address.' : `Did you mean ${meant}?`
    throw new UserError(`${text} is no network`, advice, EXIT.data)
  })
}

/** `anna@bakery.example` or `@bakery.example`. */
export function sendersOf(texts: readonly string[]): string[] {
  return texts.map((text) => {
    const sender = text.startsWith('@') ? domainSender(text.slice(1)) : mailboxSender(text)
    if (sender !== undefined) return sender
    const advice = 'Write anna@bakery.example, or @bakery.example for all of a domain.'
    throw new UserError(`${text} is no sender`, advice, EXIT.data)
  })
}

export const senderDomain = (sender: string): string => sender.slice(sender.lastIndexOf('@') + 1)

function domainSender(text: string): string | undefined {
  const ascii = readFullDomain(text)
  return ascii && `@${ascii}`
}

function mailboxSender(text: string): string | undefined {
  const parsed = parseMailbox(text)
  return parsed.ok && parsed.value.domain.kind === 'name' ? mailboxKey(parsed.value) : undefined
}

export function labelOf(typed: string): string {
  const label = typed.trim().normalize('NFC')
  if (label !== '' && !/[\p{C}\p{Zl}\p{Zp}]/u.test(label)) return label
  throw new UserError(`${JSON.stringify(typed)} is no label`, 'Name the device or program: phone.', EXIT.data)
}

export function reasonOf(typed: string): string {
  const reason = typed.trim().replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
  if (reason !== '') return reason
  throw new UserError('a lock needs a reason', 'Say why: its owner reads it. --reason "it sent spam".', EXIT.data)
}
