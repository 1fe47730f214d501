/** The directory client against OpenLDAP's slapd: pages, prefixes, TLS, a wrong password, an outage. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LdapSource } from '#config/config.ts'
import { Secret } from '#config/secret.ts'
import { fetchKeys } from '#recipients/ldap-directory.ts'
import { waitFor } from '../harness/wait-for.ts'
import { BASE, BIND_DN, PASSWORD, type Slapd, startSlapd, withoutSlapd } from './slapd.ts'

const skip = withoutSlapd()

const sourceOf = (slapd: Slapd, changes: Partial<LdapSource> = {}): LdapSource => ({
  urls: [slapd.url],
  tls: 'starttls',
  caFile: slapd.certificateFile,
  bindDn: BIND_DN,
  base: BASE,
  attributes: ['mail', 'proxyAddresses'],
  pageSize: 500,
  intervalMs: 60_000,
  timeMsMax: 10_000,
  ...changes,
})

async function fetched(source: LdapSource, password = PASSWORD) {
  const keys: string[] = []
  const unreadable: string[] = []
  let pages = 0
  for await (const page of fetchKeys(source, new Secret(password), 'dest.test')) {
    keys.push(...page.keys)
    unreadable.push(...page.unreadable)
    pages++
  }
  return { keys: keys.sort(), unreadable, pages }
}

test('2,500 entries come in pages, over StartTLS, more than the directory gives at once', { skip }, async () => {
  const people = Array.from({ length: 2500 }, (_, i) => ({ uid: `u${i}`, mail: [`U${i}@Dest.Test`] }))
  await using slapd = await startSlapd(people)
  const { keys, pages } = await fetched(sourceOf(slapd))
  assert.equal(new Set(keys).size, 2500)
  assert.equal(pages, 5)
  assert.ok(keys.includes('u2499@dest.test'))
  assert.ok(slapd.log().some((line) => /STARTTLS/.test(line)))
})

test('addresses with smtp: count, those of other kinds and other domains do not', { skip }, async () => {
  const proxyAddresses = [
    'SMTP:anna@dest.test',
    'smtp:a.baker@dest.test',
    'x500:/o=bakery/cn=anna',
    'sip:anna@dest.test',
  ]
  await using slapd = await startSlapd([
    { uid: 'anna', mail: ['anna@dest.test'], proxyAddresses },
    { uid: 'bert', mail: ['bert@other.test'], proxyAddresses: ['smtp:bert@dest.test', 'smtp:b ert@dest.test'] },
  ])
  const { keys, unreadable } = await fetched(sourceOf(slapd))
  assert.deepEqual([...new Set(keys)], ['a.baker@dest.test', 'anna@dest.test', 'bert@dest.test'])
  assert.deepEqual(unreadable, ['smtp:b ert@dest.test'])
  assert.deepEqual((await fetched(sourceOf(slapd, { filter: '(uid=bert)', attributes: ['mail'] }))).keys, [])
})

test('each fault says what it is', { skip }, async () => {
  await using slapd = await startSlapd([{ uid: 'anna', mail: ['anna@dest.test'] }])
  await assert.rejects(fetched(sourceOf(slapd), 'wrong'), /ldap:.*49/)
  const away = 'ldap://127.0.0.1:1'
  // The log comes a little later than the answers.
  const logged = (pattern: RegExp) => slapd.log().filter((line) => pattern.test(line)).length
  await waitFor('the first refusal in the log', () => logged(/ err=49 /) === 1)
  await assert.rejects(fetched(sourceOf(slapd, { urls: [slapd.url, slapd.url] }), 'wrong'))
  await assert.rejects(fetched(sourceOf(slapd, { base: 'dc=elsewhere' })), /32/)
  await waitFor('the later fault in the log', () => logged(/ err=32 /) > 0)
  assert.equal(logged(/ err=49 /), 2, 'a wrong password is tried once')
  const { caFile: _, ...system } = sourceOf(slapd)
  await assert.rejects(fetched(system), /self-signed certificate/)
  await assert.rejects(fetched(sourceOf(slapd, { filter: '(uid=' })), /ldap:/)
  await assert.rejects(fetched(sourceOf(slapd, { urls: [away] })), /ECONNREFUSED/)
  assert.deepEqual((await fetched(sourceOf(slapd, { urls: [away, slapd.url] }))).keys, ['anna@dest.test'])
  await slapd.stop()
  await assert.rejects(fetched(sourceOf(slapd)), /ECONNREFUSED/)
  await slapd.start()
  assert.deepEqual((await fetched(sourceOf(slapd))).keys, ['anna@dest.test'])
})

test('a directory that goes away between two pages has not answered', { skip }, async () => {
  const people = Array.from({ length: 50 }, (_, i) => ({ uid: `u${i}`, mail: [`u${i}@dest.test`] }))
  await using slapd = await startSlapd(people)
  const pages = fetchKeys(sourceOf(slapd, { pageSize: 10 }), new Secret(PASSWORD), 'dest.test')
  assert.equal((await pages.next()).value?.keys.length, 10)
  await slapd.stop()
  await slapd.start()
  await assert.rejects(pages.next(), /closed the connection|ECONNRESET|reset/)
  const anonymous = slapd.log().filter((line) => /SRCH/.test(line)).length
  assert.ok(anonymous <= 2, 'nobody asks again without a bind')
})
