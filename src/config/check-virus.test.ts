import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

/** Of one engine. */
function told(engine: string): string {
  const text = `hostname: mx1.relay.example
listeners: {name: mx, addresses: "192.0.2.1:25", tls: none}
virus: {engines: {av: {${engine}}}}
tenants: {bakery: {postmaster: p@bakery.example, domains: {bakery.example: {deliver-to: a.example}}}}
`
  const result = parseConfig(text, 'v', { machine: [] })
  return (result.ok ? result.warnings : result.problems).map(problemLine).join()
}

test('what an engine speaks and what its servers speak is the same', () => {
  assert.equal(told('kind: icap, servers: "icap://192.0.2.7/avscan?mode=simple"'), '')
  assert.equal(told('servers: ["192.0.2.7:3310", /run/clamd.ctl]'), '')
  assert.match(told('servers: "icap://192.0.2.7:1344/avscan"'), /a server speaks ICAP.*kind: icap/)
  assert.match(told('kind: icap, servers: "192.0.2.7:1344"'), /has servers icap:\/\//)
  assert.match(told('kind: icap, servers: "icap://av.example/avscan"'), /an address, not a name/)
  assert.match(told('kind: icap, servers: "icaps://192.0.2.7/avscan"'), /without TLS/)
})
