/** Which policy a recipient has, of those that its domain knows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseForwardPath } from '#mail/address.ts'
import type { ServedDomain } from './directory.ts'
import { domainFor } from './recipient-policies.ts'
import { layeredPolicy, virusPolicy } from './virus-policy.ts'

const policies = {
  exact: new Map([['jobs', virusPolicy({ macros: 'reject' })]]),
  beginnings: new Map([
    ['job', virusPolicy({ macros: 'tag' })],
    ['jobs-in-', virusPolicy({ encrypted: 'reject' })],
  ]),
}
const served = (more: Partial<ServedDomain> = {}) => ({ name: 'bakery.test', ...more }) as ServedDomain
const virusOf = (text: string, domain: ServedDomain) => {
  const path = parseForwardPath(`<${text}>`)
  assert.ok(path.ok, text)
  return domainFor(domain, path.value).virus
}
const list = (subaddressSeparator?: string) => ({
  recipients: {
    kind: 'directory' as const,
    otherwise: 'refuse' as const,
    ...(subaddressSeparator !== undefined && { subaddressSeparator }),
  },
})

test('the exact one comes before a beginning, a longer beginning before a shorter, all before the domain’s own', () => {
  const own = virusPolicy({ broken: 'reject' })
  const domain = served({ ...list(), virusByRecipient: policies, virus: own })
  const { exact, beginnings } = policies
  for (const address of ['jobs', 'JOBS', '"jobs"'])
    assert.equal(virusOf(`${address}@bakery.test`, domain), exact.get('jobs'), address)
  for (const address of ['job', 'jobless', 'jobs+x'])
    assert.equal(virusOf(`${address}@bakery.test`, domain), beginnings.get('job'))
  assert.equal(virusOf('jobs-in-berlin@bakery.test', domain), beginnings.get('jobs-in-'))
  assert.equal(virusOf('anna@bakery.test', domain), own)
})

test('a detail behind the separator leads around no policy', () => {
  const virusByRecipient = { ...policies, beginnings: new Map() }
  const domain = served({ ...list('+'), virusByRecipient })
  assert.equal(virusOf('jobs+x+y@bakery.test', domain), policies.exact.get('jobs'))
  assert.equal(virusOf('+jobs@bakery.test', domain), undefined)
  assert.equal(virusOf('jobs+x@bakery.test', served({ ...list(), virusByRecipient })), undefined)
})

test('<postmaster> without a domain is postmaster', () => {
  const exact = new Map([['postmaster', virusPolicy({ malware: 'tag' })]])
  const domain = served({ ...list(), virusByRecipient: { exact, beginnings: new Map() } })
  assert.equal(domainFor(domain, { kind: 'postmaster' }).virus, exact.get('postmaster'))
})

test('levels: the last one that says something decides and is named; the id is of what they say, not of who says it', () => {
  const tenant = { from: 'tenant', layer: { macros: 'reject', encrypted: 'reject' } } as const
  const policy = layeredPolicy([tenant, { from: 'domain', layer: { macros: 'tag' } }])
  assert.deepEqual([policy.macros, policy.encrypted], ['tag', 'reject'])
  assert.deepEqual(policy.from, { macros: 'domain', encrypted: 'tenant' })
  assert.equal(policy.id, layeredPolicy([{ from: 'x', layer: { macros: 'tag', encrypted: 'reject' } }]).id)
  assert.notEqual(policy.id, layeredPolicy([tenant]).id)
  const said = layeredPolicy([{ from: 'tenant', layer: { macros: 'pass' } }])
  assert.deepEqual(
    [said.id, said.from],
    ['', { macros: 'tenant' }],
    'who says the default is in a group with who says nothing',
  )
})
