/**
 * Lists of recipients: in the configuration file, or in a file of its own with one address on a line, where `#` begins
 * a comment at the start of a line or behind white space. Plain local parts belong to the domain; full addresses must
 * be of it.
 */
import { type AddressFault, mailboxKey, parseMailbox } from '#mail/address.ts'
import { type Position, type ProblemList, shown } from './problem.ts'
import { addressFaultText } from './schema-tenant.ts'

/** Octets of one list; a million addresses take about 30 MB. */
export const RECIPIENTS_OCTETS_MAX = 256 * 1024 * 1024
/** After so many faults it is some other file. */
export const RECIPIENT_FAULTS_MAX = 100

export type KeyRead = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly message: string }

const ADDRESS_FAULT = (text: string, kind: AddressFault): KeyRead => ({
  ok: false,
  message: `${shown(text)} is not a local part or an address: ${addressFaultText(kind)}`,
})

/** The key of one entry. `domain` is in A-labels; with `*.bakery.example` the entry must name the subdomain. */
export function recipientKey(text: string, domain: string): KeyRead {
  const wildcard = domain.startsWith('*.')
  // A quoted local part may hold an @; then the entry ends with a quote.
  const plain = !text.includes('@') || (text.startsWith('"') && text.endsWith('"'))
  if (plain && wildcard) return { ok: false, message: `${shown(text)} needs its domain, since ${domain} is many` }
  const parsed = parseMailbox(plain ? `${text}@${domain}` : text)
  if (!parsed.ok) return ADDRESS_FAULT(text, parsed.fault)
  const { domain: own } = parsed.value
  const belongs = own.kind === 'name' && (wildcard ? own.ascii.endsWith(domain.slice(1)) : own.ascii === domain)
  if (!belongs) return { ok: false, message: `${shown(text)} is not an address of ${domain}` }
  return { ok: true, key: mailboxKey(parsed.value) }
}

/** postmaster exists in every domain (RFC 5321 §4.5.1). */
export function newKeys(domain: string): Set<string> {
  return new Set(domain.startsWith('*.') ? [] : [`postmaster@${domain}`])
}

export interface RecipientFile {
  readonly path: string
  /** A-labels; may begin with `*.`. */
  readonly domain: string
  /** Where the configuration names the file. */
  readonly position: Position
  readonly setting: string
  /** To be filled. */
  readonly keys: Set<string>
}

/** Lines between two pauses: about 20 ms of work, so that sessions beside it go on. */
const LINES_PER_PAUSE = 20_000

/**
 * Reads a list into `into.keys`; faults go to `problems` with the line. Pauses now and then by `pause`, so that a
 * million lines do not stop everything else.
 */
export async function readRecipientList(
  text: string,
  into: RecipientFile,
  problems: ProblemList,
  pause: () => Promise<void>,
): Promise<void> {
  let faults = 0
  let line = 1
  for (let start = 0; start < text.length && faults < RECIPIENT_FAULTS_MAX; line++) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const entry = withoutComment(text.slice(start, end))
    if (entry !== '') {
      const read = recipientKey(entry, into.domain)
      if (read.ok) into.keys.add(read.key)
      else {
        faults++
        const column = text.slice(start, end).indexOf(entry) + 1
        const position = { file: into.path, line, column }
        problems.add({ severity: 'error', position, setting: into.setting, message: read.message })
      }
    }
    start = end + 1
    if (line % LINES_PER_PAUSE === 0) await pause()
  }
}

// A # inside a word is a legal character of a local part (RFC 5321 §4.1.2, atext).
function withoutComment(line: string): string {
  if (!line.includes('#')) return line.trim()
  return line.replace(/(?:^|\s)#[\s\S]*$/, '').trim()
}
