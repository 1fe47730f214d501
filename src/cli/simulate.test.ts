/** What a simulation says of mail that leaves: as whom, known by what, looked at by whom, and by which ways. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseConfig } from '#config/parse.ts'
import { content } from '#mail/content.ts'
import { type Known, simulate } from './simulate.ts'

const KEY = 'ab'.repeat(32)
const MAIL = content([Buffer.from('From: anna@bakery.example\r\nSubject: bread\r\n\r\nToday.\r\n')])

function configOf(more = '') {
  const parsed = parseConfig(
    `hostname: mx1.relay.example
listeners: {name: out, addresses: 192.0.2.25:587, service: outbound}
${more}
tenants:
  bakery:
    routes:
      internet: {use-mx: true}
      smarthost: {hosts: [one.provider.example, two.provider.example]}
      ndrs: {use-mx: true}
    outbound:
      route: internet
      domain-routes: {partner.example: smarthost}
      null-path-route: ndrs
      from-client-keys: ${KEY}
      sender-domains: shop.example
    domains: {bakery.example: {deliver-to: mail.bakery.example}}
`,
    'v.yaml',
  )
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.config
}

async function said(given: { from?: string; to?: string[]; clientKey?: string }, known?: Known, config = configOf()) {
  const options = { client: '203.0.113.9', helo: 'x.example', assume: 'known', primary: 'down' } as const
  const { from = 'anna@bakery.example', to = ['b@far.example'], clientKey = KEY } = given
  const steps = await simulate(config, { ...options, from, to, clientKey }, MAIL, known)
  return steps.map(({ step, verdict, text }) => `${verdict} ${step}: ${text}`)
}

it('who shows the key of a tenant is that tenant, wherever he is', async () => {
  assert.match((await said({}))[0]!, /^accept RCPT .*bakery may send to anyone/)
  assert.match((await said({ clientKey: 'cd'.repeat(32) }))[0]!, /^reject MAIL .*550 5\.7\.1/)
})

it('a sender domain may be used when the store says that it is verified', async () => {
  const from = 'info@shop.example'
  const verified = (tenant: string, domain: string) => tenant === 'bakery' && domain === 'shop.example'
  assert.match((await said({ from }, { verified }))[0]!, /^accept RCPT/)
  assert.match((await said({ from }))[0]!, /^reject MAIL .*publish the TXT record _vorposten\.shop\.example/)
})

it('says by which way each recipient goes', async () => {
  const to = ['b@far.example', 'c@partner.example', 'd@far.example']
  const commits = (await said({ to })).filter((line) => line.includes('commit'))
  assert.deepEqual(commits, [
    'info commit for bakery: <b@far.example>, <d@far.example>: kept on disk, then 250; goes by bakery/internet/far.example to the MX hosts of far.example',
    'info commit for bakery: <c@partner.example>: kept on disk, then 250; goes by bakery/smarthost to one.provider.example:25, two.provider.example:25',
  ])
  assert.match((await said({ from: '' })).at(-1)!, /goes by bakery\/ndrs\/far\.example/)
})

it('says that the virus wall would look, where there is one and the tenant wants it', async () => {
  const scans = async (config?: ReturnType<typeof configOf>) =>
    (await said({}, undefined, config)).filter((line) => line.startsWith('info virus wall'))
  assert.deepEqual(await scans(), [])
  assert.match((await scans(configOf('virus: {embedded: true}'))).join(), /looked at by embedded; the rest by default/)
})
