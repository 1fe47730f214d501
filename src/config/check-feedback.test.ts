import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

function parsed(feedback: string, outbound = '') {
  const text = `hostname: mx1.relay.example
listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}
feedback: ${feedback}
tenants:
  bakery:
    postmaster: boss@bakery.example
    routes: {out: {hosts: a.example}}
    domains: {bakery.example: {route: out}, "*.shop.example": {route: out}}
    outbound: {from-networks: 10.0.0.1, route: out${outbound}}
`
  return parseConfig(text, 'v', { machine: [] })
}
const problems = (feedback: string): string[] => {
  const result = parsed(feedback)
  return (result.ok ? result.warnings : result.problems).map(problemLine).filter((line) => line.includes('feedback'))
}

test('feedback is read as it is written, and a tenant may do without the lists', () => {
  const result = parsed(
    '{addresses: [fbl@Bakery.example, x@a.shop.example], from-networks: 192.0.2.0/24, from-domains: Far.example}',
  )
  assert.ok(result.ok)
  const { feedback } = result.config
  assert.deepEqual([feedback?.fromNetworks, feedback?.fromDomains], [['192.0.2.0/24'], ['far.example']])
  assert.deepEqual(
    feedback?.addresses.map(({ localPart }) => localPart),
    ['fbl', 'x'],
  )
  assert.equal(result.config.tenants[0]?.outbound?.sendsToComplained, undefined)
  const off = parsed(
    '{addresses: fbl@bakery.example, from-networks: 192.0.2.1}',
    ', suppress-complaints: false, suppress-unknown-recipients: false',
  )
  assert.ok(off.ok)
  const { sendsToComplained, sendsToBounced } = off.config.tenants[0]!.outbound!
  assert.deepEqual([sendsToComplained, sendsToBounced], [true, true])
})

test('an address that no report comes to is an error, and belief in nobody a warning', () => {
  assert.deepEqual(problems('{addresses: fbl@bakery.example, from-domains: far.example}'), [])
  assert.match(
    problems('{addresses: fbl@elsewhere.example, from-domains: far.example}').join(),
    /error: feedback\.addresses\S*: its domain is not served here, so no report comes by/,
  )
  assert.match(problems('{addresses: fbl@bakery.example}').join(), /warning: feedback: no report will be believed/)
  assert.match(problems('{addresses: fbl, from-domains: "*.far.example"}').join('\n'), /addresses[\s\S]*from-domains/)
})
