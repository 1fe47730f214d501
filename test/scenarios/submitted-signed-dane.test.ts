/**
 * The whole way of a user's message, with no part of our own beside the relay: swaks logs in and submits, the mail leaves
 * signed (DKIM) over TLS that DANE verifies (unbound, signed zones), Postfix takes it, and the recipient has it.
 */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { existsSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'
import { startUnbound, withoutUnbound, type ZoneSource } from '../peers/unbound.ts'

const SWAKS = '/usr/bin/swaks'
const withoutSwaks =
  existsSync(SWAKS) || process.env['CI'] ? false : "needs Debian's swaks: run test/peers/install as root"
const skip = withoutUnbound() || without('postfix') || withoutSwaks

const ANNA = 'anna@dest.test'
const PASSWORD = 'correct horse battery'
const SELECTOR = 'summer'

/** SHA-256 of the public key of a certificate: a TLSA record's data for 3 1 1 (RFC 6698 §2.1). */
const publicKeyDigest = (certificatePem: string): string => {
  const key = new X509Certificate(certificatePem).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(key).digest('hex')
}

test('from swaks with a password to a mailbox of Postfix: signed, DANE-verified, there', { skip }, async () => {
  const [users, port] = [await freePort(), await freePort()]
  const tls = selfSignedCertificate({ names: ['mx.shop.test'], fromMs: Date.now() - 60_000, days: 1 })
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  await using unbound = await startUnbound(zones(port, tls.certificatePem, publicKey))
  const accept = { domain: 'shop.test', users: ['bob@shop.test'] }
  await using postfix = await startPostfix({ port, address: '127.0.1.1', tls, accept })
  await using relay = await startVorposten({ config: configuration(users, port, unbound.endpoint.port) })
  const added = await relay.commandWithInput(`${PASSWORD}\n`, 'credentials', 'add', 'bakery', ANNA, '--password-stdin')
  assert.equal(added.code, 0, added.text)
  const pem = `${relay.folder}/key.pem`
  writeFileSync(pem, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const key = ['--domain', 'dest.test', '--selector', SELECTOR]
  assert.equal((await relay.command('dkim', 'import', pem, ...key)).code, 0)
  const checked = await relay.command('dkim', 'check', 'dest.test')
  assert.match(checked.text, /signs; its record is there/)

  const swaks = startChild(SWAKS, [
    ...['--server', '127.0.0.1', '--port', String(users), '--tls', '--auth', 'PLAIN'],
    ...['--auth-user', ANNA, '--auth-password', PASSWORD, '--from', ANNA, '--to', 'bob@shop.test'],
    ...['--header', 'Subject: bread'],
  ])
  assert.equal((await swaks.ended).code, 0, swaks.lines.join('\n'))
  const id = /queued as (\w+)/.exec(swaks.lines.join('\n'))?.[1] ?? assert.fail(swaks.lines.join('\n'))

  const [mail] = await waitFor('the mail in the mailbox', () => {
    const found = postfix.mail('bob')
    return found.length > 0 && found
  })
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${unbound.endpoint.port}`])
  // A Maildir holds bare line feeds.
  const sent = mail!.toString('latin1').replaceAll('\n', '\r\n')
  const { results } = await dkimVerify(Buffer.from(sent, 'latin1'), {
    resolver: (name: string, type: string) => resolver.resolve(name, type),
  } as never)
  assert.deepEqual(
    results.map(({ signingDomain, selector, status }) => [signingDomain, selector, status.result, status.aligned]),
    [['dest.test', SELECTOR, 'pass', 'dest.test']],
  )
  assert.match(sent, /^Subject: bread\r$/m)
  assert.match(sent, /^Received: .*\r\n\tby relay\.test .* with ESMTPSA id/m)
  assert.match((await relay.command('trace', id)).text, /with TLS, DANE-verified/)
  await postfix.logged(/postfix\/virtual.* to=<bob@shop\.test>.* status=sent/)
})

function zones(port: number, certificatePem: string, publicKey: KeyObject): ZoneSource[] {
  // RFC 8463 §4: the key alone, without what says of which kind it is.
  const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
  const tlsa = `_${port}._tcp.mx IN TLSA 3 1 1 ${publicKeyDigest(certificatePem)}`
  return [
    { name: 'shop.test', signed: true, records: ['@ IN MX 10 mx', 'mx IN A 127.0.1.1', tlsa] },
    {
      name: 'dest.test',
      signed: true,
      records: [`${SELECTOR}._domainkey IN TXT "v=DKIM1; k=ed25519; p=${key}"`],
    },
  ]
}

const configuration = (users: number, port: number, dns: number) => ({
  hostname: 'relay.test',
  'name-servers': `127.0.0.1:${dns}`,
  destinations: { 'allow-networks': ['127.0.1.0/24'] },
  listeners: [
    { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`] },
    { name: 'users', addresses: [`127.0.0.1:${users}`], service: 'submission', tls: 'starttls' },
  ],
  tenants: {
    bakery: {
      routes: { internet: { 'use-mx': true, 'mx-port': port }, shop: { hosts: ['127.0.1.9'] } },
      domains: { 'dest.test': { route: 'shop', recipients: 'accept-all' } },
      outbound: { 'from-networks': ['192.0.2.1'], route: 'internet' },
    },
  },
})
