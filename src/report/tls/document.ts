/**
 * The report of one day to one domain (RFC 8460 §4): JSON, and the name of its file (§5.1). Pure.
 *
 * What servers and certificates said is quoted: one line, cut. Limits: failures told one by one; those beyond are in the
 * sums, and policies beyond theirs are left out.
 */
import type { AppliedPolicy, CountedTlsResult, TlsFailure } from '#mail/tls-result.ts'

/** Of one policy, the most frequent first. */
export const FAILURES_TOLD_MAX = 200
/** Of one report: with what strangers may write into them some 600 KB. */
export const ALL_FAILURES_TOLD_MAX = 1000
/** The most frequent first. Who changes his policy more often is told of the others no more. */
export const POLICIES_TOLD_MAX = 50
const REASON_CHARACTERS_MAX = 300
const DAY_MS = 86_400_000

/** Who reports. */
export interface Reporter {
  readonly organization: string
  /** RFC 8460 §4.4: how to reach us; an address. */
  readonly contact: string
  /** Our domain: that of the contact. */
  readonly submitter: string
}

export interface TlsReport {
  readonly domain: string
  readonly id: string
  /** Wall clock, ms: the day is that of UTC (RFC 8460 §4.1), and ends a second before the next one. */
  readonly beginMs: number
  readonly endMs: number
  readonly fileName: string
  readonly json: object
}

/** `results`: of this domain and day; at least one. */
export function buildReport(
  { organization, contact, submitter }: Reporter,
  domain: string,
  day: number,
  results: readonly CountedTlsResult[],
): TlsReport {
  const [beginMs, endMs] = [day * DAY_MS, (day + 1) * DAY_MS - 1000]
  const id = `${new Date(beginMs).toISOString().slice(0, 10)}.${domain}@${submitter}`
  const policies = [...Map.groupBy(results, ({ policy }) => JSON.stringify(policy)).values()]
  const told = policies.sort((one, two) => sum(two) - sum(one)).slice(0, POLICIES_TOLD_MAX)
  const failuresMax = Math.min(FAILURES_TOLD_MAX, Math.floor(ALL_FAILURES_TOLD_MAX / told.length))
  const json = {
    'organization-name': organization,
    'date-range': { 'start-datetime': instant(beginMs), 'end-datetime': instant(endMs) },
    'contact-info': contact,
    'report-id': id,
    policies: told.map((counted) => policyOf(counted[0]!.policy, counted, failuresMax)),
  }
  const fileName = `${submitter}!${domain}!${beginMs / 1000}!${endMs / 1000}.json.gz`
  return { domain, id, beginMs, endMs, fileName, json }
}

const instant = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

function policyOf(
  { type, domain, strings, mxHosts }: AppliedPolicy,
  counted: readonly CountedTlsResult[],
  failuresMax: number,
): object {
  const failed = counted.filter(({ failure }) => failure !== undefined).sort((one, two) => two.count - one.count)
  const told = failed.slice(0, failuresMax).map(({ failure, count }) => failureOf(failure!, count))
  const all = sum(counted)
  return {
    policy: {
      'policy-type': type,
      ...(strings.length > 0 && { 'policy-string': strings }),
      'policy-domain': domain,
      ...(mxHosts && mxHosts.length > 0 && { 'mx-host': mxHosts }),
    },
    summary: {
      'total-successful-session-count': all - sum(failed),
      'total-failure-session-count': sum(failed),
    },
    ...(told.length > 0 && { 'failure-details': told }),
  }
}

const sum = (counted: readonly CountedTlsResult[]): number => counted.reduce((total, { count }) => total + count, 0)

const failureOf = ({ type, mxHost, sendingIp, receivingIp, reason }: TlsFailure, count: number): object => ({
  'result-type': type,
  ...(sendingIp !== undefined && { 'sending-mta-ip': sendingIp }),
  'receiving-mx-hostname': mxHost,
  ...(receivingIp !== undefined && { 'receiving-ip': receivingIp }),
  'failed-session-count': count,
  ...(reason !== undefined && { 'failure-reason-code': oneLine(reason) }),
})

const oneLine = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, REASON_CHARACTERS_MAX)
