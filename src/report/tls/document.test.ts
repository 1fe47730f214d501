import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppliedPolicy, CountedTlsResult, TlsFailureType } from '#mail/tls-result.ts'
import { ALL_FAILURES_TOLD_MAX, buildReport, FAILURES_TOLD_MAX, POLICIES_TOLD_MAX } from './document.ts'

const REPORTER = { organization: 'Relay', contact: 'tls@relay.example', submitter: 'relay.example' }
const NONE: AppliedPolicy = { type: 'no-policy-found', domain: 'far.example', strings: [] }
const DANE: AppliedPolicy = { type: 'tlsa', domain: 'mx.far.example', strings: ['3 1 1 ab'] }
const seen = (policy: AppliedPolicy, count: number, type?: TlsFailureType, reason = 'x'): CountedTlsResult => ({
  domain: 'far.example',
  policy,
  count,
  ...(type && { failure: { type, mxHost: 'mx.far.example', receivingIp: '192.0.2.1', reason } }),
})

test('a day, as RFC 8460 §4 writes it', () => {
  const results = [
    seen(NONE, 3),
    seen(NONE, 2, 'starttls-not-supported'),
    seen(DANE, 5),
    seen(DANE, 1, 'validation-failure', 'no\r\nmatch\u2028here'),
    seen(DANE, 4, 'certificate-expired'),
  ]
  const report = buildReport(REPORTER, 'far.example', 20_000, results)
  assert.deepEqual(report.json, {
    'organization-name': 'Relay',
    'date-range': { 'start-datetime': '2024-10-04T00:00:00Z', 'end-datetime': '2024-10-04T23:59:59Z' },
    'contact-info': 'tls@relay.example',
    'report-id': '2024-10-04.far.example@relay.example',
    policies: [
      {
        policy: { 'policy-type': 'tlsa', 'policy-string': ['3 1 1 ab'], 'policy-domain': 'mx.far.example' },
        summary: { 'total-successful-session-count': 5, 'total-failure-session-count': 5 },
        'failure-details': [
          {
            'result-type': 'certificate-expired',
            'receiving-mx-hostname': 'mx.far.example',
            'receiving-ip': '192.0.2.1',
            'failed-session-count': 4,
            'failure-reason-code': 'x',
          },
          {
            'result-type': 'validation-failure',
            'receiving-mx-hostname': 'mx.far.example',
            'receiving-ip': '192.0.2.1',
            'failed-session-count': 1,
            'failure-reason-code': 'no match here',
          },
        ],
      },
      {
        policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'far.example' },
        summary: { 'total-successful-session-count': 3, 'total-failure-session-count': 2 },
        'failure-details': [
          {
            'result-type': 'starttls-not-supported',
            'receiving-mx-hostname': 'mx.far.example',
            'receiving-ip': '192.0.2.1',
            'failed-session-count': 2,
            'failure-reason-code': 'x',
          },
        ],
      },
    ],
  })
  assert.equal(report.fileName, 'relay.example!far.example!1728000000!1728086399.json.gz')
})

test('what is not told one by one is in the sums', () => {
  const results = Array.from({ length: FAILURES_TOLD_MAX + 9 }, (_, i) => seen(NONE, 1, 'validation-failure', `${i}`))
  const { json } = buildReport(REPORTER, 'far.example', 1, results)
  assert.equal(JSON.stringify(json).split('"result-type"').length - 1, FAILURES_TOLD_MAX)
  assert.match(JSON.stringify(json), new RegExp(`"total-failure-session-count":${FAILURES_TOLD_MAX + 9}}`))
})

test('a domain that shows another policy each time does not make the report endless', () => {
  const results = Array.from({ length: POLICIES_TOLD_MAX * 2 }, (_, i) => [
    ...Array.from({ length: 40 }, (_, j) => seen({ ...DANE, strings: [`${i}`] }, i + 1, 'validation-failure', `${j}`)),
  ]).flat()
  const { policies } = buildReport(REPORTER, 'far.example', 1, results).json as { policies: Told[] }
  assert.equal(policies.length, POLICIES_TOLD_MAX)
  assert.deepEqual(policies[0]!.policy['policy-string'], [`${POLICIES_TOLD_MAX * 2 - 1}`])
  const told = policies.flatMap((policy) => policy['failure-details'])
  assert.equal(told.length, ALL_FAILURES_TOLD_MAX)
})

interface Told {
  readonly policy: { readonly 'policy-string': readonly string[] }
  readonly 'failure-details': readonly object[]
}
