import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { mailbox } from '#mail/testing.ts'
import { composedBytes } from '#mime/compose.ts'
import { buildReport } from './document.ts'
import { packReport, reportMessage } from './message.ts'

const PYTHON = `
import sys, json, gzip, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = list(m.iter_parts())
print(json.dumps({'headers': dict(m.items()), 'type': m.get_content_type(), 'kind': m.get_param('report-type'),
  'types': [p.get_content_type() for p in parts], 'text': parts[0].get_content(), 'encoding': parts[1]['content-transfer-encoding'],
  'name': parts[1].get_filename(), 'disposition': parts[1].get_content_disposition(),
  'report': json.loads(gzip.decompress(parts[1].get_content())), 'defects': [str(d) for p in m.walk() for d in p.defects]}))`
const noPython = !process.env['CI'] && spawnSync('python3', ['--version']).error !== undefined

const reporter = { organization: 'Bäcker & Söhne', contact: 'tls@relay.example', submitter: 'relay.example' }

async function made(domain = 'far.example') {
  const policy = { type: 'no-policy-found', domain, strings: [] } as const
  const report = buildReport(reporter, domain, 20_000, [{ domain, policy, count: 3 }])
  const octets = await packReport(report)
  const [from, to] = [mailbox('tls@relay.example'), mailbox('tls-in@far.example')]
  const message = reportMessage({ report, octets, reporter, from, to, messageId: 'x@relay.example', wallMs: 0 })
  return { report, message }
}

test('the message of RFC 8460 §5.3, as Python reads it', { skip: noPython }, async () => {
  const { report, message } = await made()
  assert.deepEqual([message.body, message.smtputf8], ['7bit', false])
  const run = spawnSync('python3', ['-c', PYTHON], { input: composedBytes(message), encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  const read = JSON.parse(run.stdout)
  assert.deepEqual([read.type, read.kind, read.defects], ['multipart/report', 'tlsrpt', []])
  assert.deepEqual(read.types, ['text/plain', 'application/tlsrpt+gzip'])
  assert.deepEqual([read.encoding, read.disposition], ['base64', 'attachment'])
  assert.equal(read.name, 'relay.example!far.example!1728000000!1728086399.json.gz')
  assert.deepEqual(read.report, report.json)
  assert.match(read.text, /mail servers of far\.example,\r?\nas Bäcker & Söhne met them on 2024-10-04/)
  const { headers } = read
  assert.equal(
    headers.Subject,
    'Report Domain: far.example Submitter: relay.example Report-ID: <2024-10-04.far.example@relay.example>',
  )
  assert.deepEqual(
    [headers['TLS-Report-Domain'], headers['TLS-Report-Submitter'], headers['TLS-Required'], headers['Auto-Submitted']],
    ['far.example', 'relay.example', 'No', 'auto-generated'],
  )
  assert.deepEqual([headers.From, headers.To], ['Bäcker & Söhne <tls@relay.example>', 'tls-in@far.example'])
})

test('lines fit, however long the domain is', async () => {
  const { message } = await made(`${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.example`)
  for (const line of composedBytes(message).toString('latin1').split('\r\n')) assert.ok(line.length <= 998, line)
})
