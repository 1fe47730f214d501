import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { type CheckConfigOptions, checkConfigCommand } from './check-config.ts'
import { EXIT } from './exit.ts'

async function run(t: TestContext, text: string, options: CheckConfigOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'vorposten-check-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'v.yaml')
  await writeFile(path, text)
  let out = ''
  const code = await checkConfigCommand(path, { ...options, write: (piece) => void (out += piece) })
  return { code, out: out.replaceAll(folder, '') }
}

const SOUND = `hostname: mx1.relay.example
listeners: {name: mx, addresses: ["127.0.0.1:2525", "[::1]:2525"], tls: none, line-ends: refuse}
tenants:
  bakery:
    postmaster: chef@bakery.example
    routes:
      main: {hosts: [a.example, b.example, {host: c.example, preference: 20}], tls: verified}
      store: {hosts: "[2001:db8::1]:24", protocol: lmtp}
    domains:
      bakery.example: {deliver-to: mail.bakery.example}
      bäckerei.example: {route: main, recipients: {listed: [anna, info]}, commit: spool}
      "*.bakery.example": {route: store, recipients: accept-all}
`

test('what a sound file means can be read aloud', async (t) => {
  const { code, out } = await run(t, SOUND)
  assert.equal(code, 0)
  assert.equal(
    out,
    `/v.yaml:12:54: warning: tenants.bakery.domains."*.bakery.example".recipients: mail to any address is taken. The tenant’s server must do so too, and never answer with bounces (R1)

/v.yaml is sound, with 1 warning.

mx1.relay.example takes mail at 127.0.0.1:2525 and [::1]:2525 without encryption (mx)
bakery: mail for bakery.example goes to mail.bakery.example:25 (cut-through), recipients asked live
bakery: mail for bäckerei.example goes to a.example:25 or b.example:25, then c.example:25 with TLS verified (spool), 3 recipients listed
bakery: mail for *.bakery.example goes to [2001:db8::1]:24 by LMTP (cut-through), every recipient accepted
`,
  )
})

test('a tenant of users alone needs no servers', async (t) => {
  const users = '  - {name: users, addresses: 127.0.0.1:587, service: submission}'
  const text = SOUND.replace(/listeners: (\{.*\})/, `listeners:\n  - $1\n${users}`)
  const { code, out } = await run(t, text.replace('    domains:', '    outbound: {route: main}\n    domains:'))
  assert.equal(code, 0, out)
  assert.match(out, /^bakery: users with a login send to anyone through a\.example:25 or b\.example:25/m)
})

const FAULTY = SOUND.replace('verified', 'verifed').replace('store:', 'stor:')

test('a faulty file is judged as a compiler does, with the exit code that systemd does not retry', async (t) => {
  const { code, out } = await run(t, FAULTY)
  assert.equal(code, EXIT.config)
  assert.match(out, /^\/v\.yaml:7:85: error: tenants\.bakery\.routes\.main\.tls: "verifed" is not allowed here$/m)
  assert.match(out, /^ {4}did you mean verified\?$/m)
  assert.match(out, /\n\n\/v\.yaml cannot be used: 2 errors\n$/)
})

test('as JSON: the same problems, for programs', async (t) => {
  const faulty = await run(t, FAULTY, { json: true })
  const report = JSON.parse(faulty.out)
  assert.deepEqual([faulty.code, report.ok, report.problems.length], [EXIT.config, false, 4])
  assert.deepEqual(report.problems[0].position, { file: '/v.yaml', line: 7, column: 85 })
  const sound = JSON.parse((await run(t, SOUND, { json: true, diff: true })).out)
  assert.deepEqual([sound.ok, sound.tenants, sound.domains, sound.routes], [true, 1, 3, 3])
  assert.equal(sound.differs.hostname, 'mx1.relay.example')
})

test('what differs from the defaults is a file that says the same', async (t) => {
  const { code, out } = await run(t, SOUND, { diff: true })
  assert.equal(code, 0)
  assert.equal(parse(out).listeners['line-ends'], undefined)
  const again = await run(t, out, { diff: true })
  assert.equal(again.out, out)
})

test('of many domains the summary gives the number', async (t) => {
  const domains = Array.from({ length: 60 }, (_, i) => `d${i}.example: {deliver-to: m.example}`).join(', ')
  const { out } = await run(t, `hostname: mx.example\ntenants: {t: {domains: {${domains}}}}\n`)
  assert.match(out, /\nand 10 more domains\n$/)
})

test('a file that is not there is one line', async () => {
  let out = ''
  const code = await checkConfigCommand('/nonexistent/v.yaml', { write: (piece) => void (out += piece) })
  assert.equal(code, EXIT.config)
  assert.match(out, /^\/nonexistent\/v\.yaml:1:1: error: the file does not exist$/m)
})

test('faults of a list are told with its line, and are no reason to refuse the configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vorposten-list-'))
  t.after(() => rm(folder, { recursive: true }))
  const list = join(folder, 'list')
  const text = SOUND.replace('{deliver-to: mail', `{recipients: {file: ${list}}, deliver-to: mail`)
  const told = async (content: string) => {
    await writeFile(list, content)
    const { code, out } = await run(t, text)
    assert.equal(code, 0)
    return out.replaceAll(folder, '')
  }
  const faulty = await told('anna\n  x@other.example\nb c\n')
  assert.match(
    faulty,
    /^\/list:2:3: warning: tenants\..*\.file: "x@other\.example" is not an address of bakery\.example$/m,
  )
  assert.match(faulty, /^\/list:3:1: warning: .*"b c" is not/m)
  assert.match(faulty, /the last good list stays in force/)
  assert.match(faulty, /sound, with 3 warnings/)
  assert.match(await told(''), /^\/v\.yaml:10:.*warning: .*\/list is empty$/m)
  assert.match(await told('anna\n'), /sound, with 1 warning\./)
  await rm(list)
  assert.match((await run(t, text)).out, /warning: .*\/list does not exist/)
})
