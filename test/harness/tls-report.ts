/**
 * A TLS report held against RFC 8460 §4.4, field by field: nothing is missing, nothing stands there that the standard does not
 * know, and each value has the form and the range that it must have. Written from the standard, not from our own writer.
 */
import assert from 'node:assert/strict'
import { isIP } from 'node:net'

export interface Expected {
  readonly organization: string
  readonly contact: string
  readonly domain: string
  /** Days since 1970, UTC. */
  readonly day: number
}

/** What a policy of the report says, shortened. Failures: `result-type host address`. */
export interface PolicyTold {
  readonly type: string
  readonly domain: string
  readonly strings: readonly string[]
  readonly mxHosts?: readonly string[]
  readonly succeeded: number
  readonly failed: number
  readonly failures: readonly string[]
}

/** RFC 8460 §4.3. */
const RESULT_TYPES: readonly string[] = [
  ...['starttls-not-supported', 'certificate-host-mismatch', 'certificate-expired', 'certificate-not-trusted'],
  ...['validation-failure', 'tlsa-invalid', 'dnssec-invalid', 'dane-required'],
  ...['sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid'],
]
const POLICY_TYPES: readonly string[] = ['tlsa', 'sts', 'no-policy-found']
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown, must: readonly string[], may: readonly string[] = []): Fields {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), JSON.stringify(value))
  const keys = Object.keys(value)
  for (const key of must) assert.ok(keys.includes(key), `${key} is missing in ${JSON.stringify(value)}`)
  for (const key of keys) assert.ok(must.includes(key) || may.includes(key), `${key} is no field of RFC 8460`)
  return value as Fields
}

function strings(value: unknown): readonly string[] {
  assert.ok(Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string'))
  return value as string[]
}

const matching = (value: unknown, pattern: RegExp): string => {
  assert.ok(typeof value === 'string' && pattern.test(value), `${JSON.stringify(value)} is not ${pattern}`)
  return value
}

const counted = (value: unknown): number => {
  assert.ok(Number.isSafeInteger(value) && (value as number) >= 0, `${value} is no count`)
  return value as number
}

export function validReport(report: unknown, { organization, contact, domain, day }: Expected): PolicyTold[] {
  const must = ['organization-name', 'date-range', 'contact-info', 'report-id', 'policies']
  const fields = fieldsOf(report, must)
  assert.equal(fields['organization-name'], organization)
  assert.equal(fields['contact-info'], contact)
  // RFC 5322 §3.6.4: it stands in the subject as a msg-id.
  assert.ok(matching(fields['report-id'], /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9.-]+$/).includes(domain))
  const range = fieldsOf(fields['date-range'], ['start-datetime', 'end-datetime'])
  const begin = Date.parse(matching(range['start-datetime'], DATE_TIME))
  const end = Date.parse(matching(range['end-datetime'], DATE_TIME))
  assert.deepEqual([begin / 86_400_000, end - begin], [day, 86_399_000])
  assert.ok(Array.isArray(fields['policies']) && fields['policies'].length > 0)
  return (fields['policies'] as unknown[]).map(policyOf)
}

function policyOf(value: unknown): PolicyTold {
  const {
    policy,
    summary,
    'failure-details': details = [],
  } = fieldsOf(value, ['policy', 'summary'], ['failure-details'])
  const told = fieldsOf(policy, ['policy-type', 'policy-domain'], ['policy-string', 'mx-host'])
  const type = matching(told['policy-type'], /./)
  assert.ok(POLICY_TYPES.includes(type), type)
  assert.ok(type === 'sts' || told['mx-host'] === undefined, 'mx-host is a field of MTA-STS')
  const sums = fieldsOf(summary, ['total-successful-session-count', 'total-failure-session-count'])
  const failed = counted(sums['total-failure-session-count'])
  assert.ok(
    Array.isArray(details) && (details.length > 0 || value === undefined || !('failure-details' in (value as object))),
  )
  const failures = (details as unknown[]).map(failureOf)
  assert.ok(failures.reduce((sum, { count }) => sum + count, 0) <= failed)
  return {
    type,
    domain: matching(told['policy-domain'], HOST),
    strings: told['policy-string'] === undefined ? [] : strings(told['policy-string']),
    ...(told['mx-host'] !== undefined && { mxHosts: strings(told['mx-host']) }),
    succeeded: counted(sums['total-successful-session-count']),
    failed,
    failures: failures.map(({ text }) => text),
  }
}

function failureOf(value: unknown): { readonly text: string; readonly count: number } {
  const may = ['sending-mta-ip', 'receiving-mx-helo', 'receiving-ip', 'additional-information', 'failure-reason-code']
  const fields = fieldsOf(value, ['result-type', 'receiving-mx-hostname', 'failed-session-count'], may)
  const type = matching(fields['result-type'], /./)
  assert.ok(RESULT_TYPES.includes(type), type)
  const host = matching(fields['receiving-mx-hostname'], HOST)
  for (const name of ['sending-mta-ip', 'receiving-ip']) {
    const address = fields[name]
    assert.ok(address === undefined || isIP(String(address)) !== 0, `${name}: ${address}`)
  }
  const reason = fields['failure-reason-code']
  if (reason !== undefined) matching(reason, /^[^\p{Cc}]{1,300}$/u)
  const count = counted(fields['failed-session-count'])
  assert.ok(count > 0)
  return { text: `${type} ${host} ${fields['receiving-ip']}`, count }
}
