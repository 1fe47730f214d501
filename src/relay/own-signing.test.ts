import assert from 'node:assert/strict'
import { it } from 'node:test'
import { key } from '#auth/dkim/testing.ts'
import { content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import { HandClock, route } from '#queue/testing.ts'
import { declaredDirectory } from '#tenant/declared.ts'
import type { Tenant } from '#tenant/directory.ts'
import { ownSigning } from './own-signing.ts'
import type { KeysAnswer } from './signing.ts'
import { served } from './testing.ts'

const UNAVAILABLE: KeysAnswer = { kind: 'unavailable', text: 'no master key' }
const keysAt = (domain: string): KeysAnswer => ({ kind: 'keys', keys: [key('rsa-sha256', { domain })] })

function bench(keys: Readonly<Record<string, KeysAnswer>>) {
  const tenant: Tenant = { name: 'provider', language: 'en' }
  const smith: Tenant = { name: 'smith', language: 'en' }
  const directory = declaredDirectory({
    tenants: [tenant, smith],
    routes: [route('bakery/main')],
    domains: [served({ name: 'relay.test', tenant }), served({ name: 'smith.relay.test', tenant: smith })],
  })
  const events: PathEvent[] = []
  const sign = ownSigning({
    clock: new HandClock(),
    directory: () => directory,
    keysOf: (of, domain) => keys[`${of} ${domain}`] ?? { kind: 'none' },
    report: (event) => void events.push(event),
  })
  const signed = async (from: string) => {
    const text = `${from}Subject: report\r\n\r\nx\r\n`
    const sent = Buffer.concat((await sign(content([Buffer.from(text)]))).chunks).toString()
    assert.ok(sent.endsWith(text))
    const domain = /^DKIM-Signature: .*\r\n?.*d=([^;]+);/.exec(sent)?.[1] ?? (sent === text ? 'as it is' : sent)
    const counts = events.splice(0).flatMap((one) => (one.kind === 'governed' ? [`${one.tenant} ${one.decision}`] : []))
    return [domain, ...counts].join(', ')
  }
  return signed
}

it('is by the keys of the domain in From, or of one above it that is the same tenant’s', async () => {
  const signed = bench({ 'provider relay.test': keysAt('relay.test') })
  assert.equal(await signed('From: postmaster@relay.test\r\n'), 'relay.test, provider signed')
  assert.equal(await signed('From: Mail <x@mx1.relay.test>\r\n'), 'relay.test, provider signed')
  assert.equal(await signed('From: x@smith.relay.test\r\n'), 'as it is')
  assert.equal(await signed('From: x@far.test\r\n'), 'as it is')
  assert.equal(await signed(''), 'as it is')
})

it('is left out where it cannot be made, and counted', async () => {
  const signed = bench({ 'provider relay.test': UNAVAILABLE })
  assert.equal(await signed('From: x@relay.test\r\n'), 'as it is, provider unavailable')
  const twice = bench({ 'provider relay.test': keysAt('relay.test') })
  assert.equal(await twice('From: x@relay.test\r\nFrom: y@relay.test\r\n'), 'as it is, provider malformed')
})
