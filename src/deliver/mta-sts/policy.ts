/**
 * MTA-STS: the record that says there is a policy (RFC 8461 §3.1), the policy itself (§3.2), and whether it names a host
 * (§4.1). Pure; whatever is read here was written by strangers.
 *
 * A policy has at most 64 KiB, as RFC 8461 §3.3 advises, and names 500 hosts; what is longer is no policy.
 */
export const POLICY_OCTETS_MAX = 64 * 1024
export const PATTERNS_MAX = 500
/** RFC 8461 §3.2: about a year; more is taken for that. */
export const MAX_AGE_S_MAX = 31_557_600

export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none'
  /** Names, lower case; `*.` in front stands for one label. */
  readonly mx: readonly string[]
  readonly maxAgeMs: number
}

export type PolicyRead =
  | { readonly kind: 'policy'; readonly policy: StsPolicy }
  | { readonly kind: 'no-policy'; readonly text: string }

const VERSION = 'STSv1'
const RECORD = /^v=STSv1[ \t]*;(.*)$/s
const RECORD_FIELD = /^[ \t]*([a-z0-9][a-z0-9_.-]{0,31})[ \t]*=[ \t]*([!-:<>-~]+)[ \t]*$/i
const ID = /^[a-z0-9]{1,32}$/i
const FIELD = /^([a-z0-9][a-z0-9_.-]{0,31})[ \t]*:[ \t]*(.*?)[ \t]*$/i
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const PATTERN = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`)
const NAME_OCTETS_MAX = 253

/** The id of the policy in force; undefined: there is none. Several records count as none (RFC 8461 §3.1). */
export function readRecordId(records: readonly string[]): string | undefined {
  const ours = records.filter((text) => RECORD.test(text))
  if (ours.length !== 1) return undefined
  for (const field of RECORD.exec(ours[0]!)![1]!.split(';')) {
    const [, name, value] = RECORD_FIELD.exec(field) ?? []
    if (name === 'id') return ID.test(value!) ? value : undefined
  }
  return undefined
}

/** `text`: the body, lines ended by LF or CRLF. */
export function readPolicy(text: string): PolicyRead {
  const no = (why: string): PolicyRead => ({ kind: 'no-policy', text: why })
  if (text.length > POLICY_OCTETS_MAX) return no(`it is longer than ${POLICY_OCTETS_MAX} octets`)
  const fields = new Map<string, string>()
  const mx = new Set<string>()
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ''] = FIELD.exec(line) ?? []
    if (name === undefined) {
      if (line.trim() !== '') return no('one of its lines is no field')
    } else if (name === 'mx') mx.add(value.toLowerCase().replace(/\.$/, ''))
    // RFC 8461 §3.2: of what may stand once, the first counts.
    else if (!fields.has(name)) fields.set(name, value)
  }
  if (fields.get('version') !== VERSION) return no(`it does not say version: ${VERSION}`)
  const mode = fields.get('mode')
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none')
    return no('its mode is none of enforce, testing, none')
  const age = fields.get('max_age') ?? ''
  if (!/^\d{1,10}$/.test(age)) return no('its max_age is no number of seconds')
  if (mx.size === 0 && mode !== 'none') return no('it names no mx')
  if (mx.size > PATTERNS_MAX) return no(`it names more than ${PATTERNS_MAX} hosts`)
  if (![...mx].every((one) => one.length <= NAME_OCTETS_MAX && PATTERN.test(one))) return no('one mx is no name')
  return { kind: 'policy', policy: { mode, mx: [...mx], maxAgeMs: Math.min(Number(age), MAX_AGE_S_MAX) * 1000 } }
}

/** The fields that count, as they are published; of equal policies they are equal. */
export const policyLines = ({ mode, mx, maxAgeMs }: StsPolicy): string[] => [
  `version: ${VERSION}`,
  `mode: ${mode}`,
  ...mx.map((pattern) => `mx: ${pattern}`),
  `max_age: ${maxAgeMs / 1000}`,
]

/** RFC 8461 §4.1: a wildcard stands for the whole first label, and for one only. `host`: A-labels, lower case. */
export function namesHost({ mx }: Pick<StsPolicy, 'mx'>, host: string): boolean {
  const dot = host.indexOf('.')
  return mx.some((one) => one === host || (dot > 0 && one.startsWith('*.') && one.slice(1) === host.slice(dot)))
}
