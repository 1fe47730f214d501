/** What `check-config` says of policies of the virus wall. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

const LISTENER = 'listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}'

function problems(tenants: string): string[] {
  const result = parseConfig(`hostname: mx1.relay.example\n${LISTENER}\ntenants:\n${tenants}`, 'v')
  const found = result.ok ? result.warnings : result.problems
  return found.map(problemLine).filter((line) => !line.includes('has no postmaster'))
}

test('a recipient has one policy of the virus wall, whatever it is written like', () => {
  const domain = (policies: string) =>
    problems(
      `  bakery: {domains: {bakery.example: {deliver-to: 192.0.2.9, virus-by-recipient: [${policies}]}}}\n`,
    ).join('\n')
  assert.equal(domain(`{recipients: [jobs, jobs*, '"a b"'], macros: reject}, {recipients: 0815}`), '')
  assert.match(
    domain('{recipients: jobs, macros: reject},\n    {recipients: [anna, JOBS], macros: tag}'),
    /^v:5:\d+: error: .*virus-by-recipient\.1\.recipients: jobs has a policy already; the first one: v:4:/,
  )
  for (const wrong of ['*', 'a*b', 'a**', 'a..b', '*x'])
    assert.match(domain(`{recipients: "${wrong}"}`), /is not allowed/)
  assert.match(domain('{recipients: jobs@bakery.example}'), /without the @ and the domain/)
  assert.match(domain('{macros: reject}'), /recipients: is missing/)
})
