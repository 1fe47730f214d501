import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

const TENANTS = `tenants:
  bakery:
    postmaster: a@bakery.example
    routes: {out: {use-mx: true}, in: {hosts: mail.bakery.example}}
    domains: {bakery.example: {route: in}, "*.shops.example": {route: in}}
    outbound: {from-networks: 10.0.0.0/8, route: out}
  smith:
    postmaster: a@smith.example
    domains: {smith.example: {deliver-to: mail.smith.example}}
  provider:
    postmaster: a@bakery.example
    routes: {spare: {hosts: 192.0.2.9}}
    domains: {relay.example: {deliver-to: mail.relay.example}}\n`

function problems(contact: string, more = '', hostname = 'mx1.relay.example'): string {
  const head = `hostname: ${hostname}
listeners: [{name: mx, addresses: 192.0.2.1:25, tls: none}, {name: out, addresses: 192.0.2.1:26, tls: none, service: outbound}]
tls-reports: {organization: Relay, contact: "${contact}"${more}}\n`
  const result = parseConfig(head + TENANTS, 'v', { machine: ['192.0.2.1'] })
  return (result.ok ? result.warnings : result.problems)
    .map(problemLine)
    .filter((line) => !line.includes('spare'))
    .join('\n')
}

test('the contact is at a domain that sends through us, or at our own', () => {
  for (const good of ['tls@bakery.example', 'tls@north.shops.example']) assert.equal(problems(good), '')
  const spare = ', route: provider/spare'
  for (const good of ['tls@relay.example', 'tls@mx1.relay.example']) assert.doesNotMatch(problems(good, spare), /error/)
  assert.match(problems('tls@far.example'), /error: tls-reports\.contact: far\.example is not served here/)
  assert.match(problems('tls@smith.example'), /error: .*is smith’s, who does not send through us.*tenant with outbound/)
  assert.match(problems('tls@example', '', 'mx1.example'), /error: tls-reports\.contact: example is not served/)
  assert.match(problems('tls@[192.0.2.1]'), /error: tls-reports\.contact: has no domain/)
  assert.match(problems('täglich@bakery.example'), /error: tls-reports\.contact: is not ASCII/)
})

test('reports by mail want a key and a way out, or a warning says so', () => {
  assert.match(problems('tls@mx1.relay.example'), /warning: .*mx1\.relay\.example, so no key can sign/)
  assert.match(problems('tls@relay.example'), /warning: .*provider does not send through us.*tls-reports\.route/)
  assert.equal(problems('tls@relay.example', ', route: provider/spare'), '')
  assert.match(problems('tls@bakery.example', ', route: bakery/aut'), /error: tls-reports\.route: .*did you mean/)
})

test('a route that only reports use is in use', () => {
  const unused = (more: string) => {
    const head = `hostname: mx1.relay.example\nlisteners: {name: mx, addresses: 192.0.2.1:25, tls: none}\n${more}\n`
    const result = parseConfig(head + TENANTS, 'v', {})
    return (result.ok ? result.warnings : result.problems).map(problemLine).filter((line) => line.includes('spare'))
  }
  assert.match(unused('').join(), /nothing uses this route/)
  const reports = 'tls-reports: {organization: Relay, contact: tls@relay.example, route: provider/spare}'
  for (const used of [reports, 'notices: {route: provider/spare}']) assert.deepEqual(unused(used), [])
})
