/** Policies of the spam filter as they are written: levels, thresholds, and what `check-config` says of their order. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

const HEAD = 'hostname: mx1.relay.example\nlisteners: {name: mx, addresses: 192.0.2.1:25, tls: none}\n'
const TENANT = 'tenants: {bakery: {postmaster: p@bakery.example, domains: {bakery.example: {deliver-to: 192.0.2.9'

function read(spam: string, domain = '') {
  return parseConfig(`${HEAD}spam: ${spam}\n${TENANT}${domain}}}}}\n`, 'v')
}
function problems(spam: string, domain = ''): string {
  const result = read(spam, domain)
  return (result.ok ? result.warnings : result.problems).map(problemLine).join('\n')
}

test('level on level, and each knows who said it', () => {
  const by = 'spam-by-recipient: [{recipients: [Jobs, hr*], reject-at: off}]'
  const result = read('{policy: {tag-at: 6, bulk: tag}}', `, spam: {tag-at: 3.5, engine-silent: defer}, ${by}`)
  assert.ok(result.ok, problems('{}'))
  const [bakery] = result.config.domains
  assert.equal(result.config.spam.filter, true)
  assert.deepEqual([bakery?.spam?.tagAt, bakery?.spam?.bulk, bakery?.spam?.rejectAt], [3.5, 'tag', 12])
  const jobs = bakery?.spamByRecipient?.exact.get('jobs')
  assert.deepEqual([jobs?.tagAt, jobs?.rejectAt, jobs?.engineSilent], [3.5, 'off', 'defer'])
  assert.equal(bakery?.spamByRecipient?.beginnings.get('hr')?.id, jobs?.id)
  assert.deepEqual(jobs?.from, {
    tagAt: 'tenants.bakery.domains."bakery.example".spam',
    bulk: 'spam.policy',
    engineSilent: 'tenants.bakery.domains."bakery.example".spam',
    rejectAt: 'tenants.bakery.domains."bakery.example".spam-by-recipient.0',
  })
  assert.notEqual(jobs?.id, bakery?.spam?.id, 'they do not share a transaction')
  const plain = read('{}')
  assert.ok(plain.ok && plain.config.domains[0]?.spam === undefined)
  const off = read('{filter: false}')
  assert.ok(off.ok && !off.config.spam.filter)
})

test('lists of senders: addresses, domains and networks, each in one spelling', () => {
  const result = read(
    '{policy: {allow: [Anna@Shop.example, .shop.example, 192.0.2.0/24, "2001:DB8::/32"], block: none}}',
  )
  assert.ok(result.ok, problems('{policy: {block: none}}'))
  const { spam } = result.config.domains[0]!
  assert.deepEqual(spam?.allow, ['anna@shop.example', '*.shop.example', '192.0.2.0/24', '2001:db8::/32'])
  assert.deepEqual(spam?.block, [])
  for (const wrong of ['"a@"', '"*"', '192.0.2.0/99', '"a b"'])
    assert.match(problems(`{policy: {block: ${wrong}}}`), /is not allowed here/, wrong)
})

test('people whose names others may play', () => {
  const written = (people: string) => {
    const result = parseConfig(`${HEAD}${TENANT.replace('postmaster:', `people: ${people}, postmaster:`)}}}}}\n`, 'v')
    return result.ok ? result.config.tenants[0]?.people : result.problems.map(problemLine).join('\n')
  }
  assert.deepEqual(written('[Anna Beck, " Ärzte-Team "]'), ['Anna Beck', 'Ärzte-Team'])
  assert.match(String(written('[anna@bakery.example]')), /the name alone/)
  assert.match(String(written('[ab]')), /a name as it stands in From/)
})

test('scores, and what is none', () => {
  for (const sound of ['5', '7.25', '-3', '"off"']) assert.equal(problems(`{policy: {tag-at: ${sound}}}`), '', sound)
  for (const wrong of ['101', '-51', '5.123', 'five', '1e1', '5%', '0x5'])
    assert.match(problems(`{policy: {tag-at: ${wrong}}}`), /is not allowed here/, wrong)
})

test('a threshold that never happens is an error where both stand together', () => {
  assert.match(problems('{policy: {tag-at: 8, reject-at: 7}}'), /spam\.policy\.reject-at: is not above tag-at/)
  assert.match(problems('{policy: {phishing-tag-at: 8, phishing-reject-at: 8}}'), /is not above phishing-tag-at/)
  assert.match(problems('{}', ', spam: {greylist-at: 5, tag-at: 4}'), /domains.*spam\.tag-at: is not above greylist-at/)
  assert.equal(problems('{policy: {tag-at: 8, quarantine-at: off, reject-at: 9}}', ', spam: {reject-at: 7}'), '')
  const twice = ', spam-by-recipient: [{recipients: a, tag-at: 1}, {recipients: [b, A], tag-at: 2}]'
  assert.match(problems('{}', twice), /spam-by-recipient\.1\.recipients: a has a policy already/)
})
