/**
 * DKIM against messages and keys that others made: dkimpy's test data, the messages of Rspamd's tests, and the canonicalisation
 * vectors of flanker.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { RelaxedBodyHash } from '#auth/dkim/body-hash.ts'
import { relaxedField } from '#auth/dkim/signed-fields.ts'
import { SimpleBodyHash } from '#auth/verify/dkim/simple-body-hash.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { type ArchivedFile, readArchive } from './archive.ts'
import { AUTH, authenticated, crlf, has, rspamdZone, textZone } from './email-auth.ts'

const read = (name: string): Buffer => readFileSync(new URL(`dkim-dkimpy/${name}`, AUTH))
const record = (name: string): string => read(name).toString('latin1').trim()

async function dkimOf(octets: Buffer, zone: Parameters<typeof authenticated>[1]): Promise<string[]> {
  const { dkim } = await authenticated(crlf(octets), zone)
  return dkim.map(({ result, reason }) => (reason === undefined ? result : `${result} (${reason})`))
}

test('messages and keys of dkimpy', async (t) => {
  if (!has(t, 'dkim-dkimpy/rfc6376.signed.msg')) return
  // RFC 8463 §A.2 and §A.3
  const brisbane = 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='
  const keys = (rsa: string) => ({
    'brisbane._domainkey.football.example.com': brisbane,
    'test._domainkey.football.example.com': rsa,
  })
  const signed = read('rfc6376.signed.msg')
  assert.deepEqual(await dkimOf(signed, textZone(keys(record('test.txt')))), ['pass', 'pass'])
  assert.deepEqual(await dkimOf(signed, textZone(keys(record('test2.txt')))), ['pass', 'pass'])
  const wrong = {
    'badversion.txt': 'permerror (there is no key that can be read)',
    'badk.txt': 'permerror (the key is of another kind)',
    'test_bad.txt': 'permerror (the key cannot be read)',
    'test_tlsrpt.txt': 'permerror (the key is not for mail)',
    '1024_testkey_wo_markers.pub.txt': 'fail (the signature is not of its key and fields)',
    '2048_testkey_wo_markers.pub.rsa.txt': 'fail (the signature is not of its key and fields)',
  }
  for (const [file, expected] of Object.entries(wrong))
    assert.deepEqual(await dkimOf(signed, textZone(keys(record(file)))), ['pass', expected], file)
  assert.deepEqual(await dkimOf(read('rfc6376.signed.rsa.msg'), textZone(keys(record('test.txt')))), ['pass'])
  const exim = textZone({ 'sed._domainkey.test.ex': record('eximtest.dns') })
  assert.deepEqual(await dkimOf(read('ed25519test2.msg'), exim), ['pass'])
  const kept = textZone({})
  assert.deepEqual(await dkimOf(read('message.mbox'), kept), ['permerror (there is no key)'])
})

test('messages of Rspamd', async (t) => {
  if (!has(t, 'dmarc-rspamd-messages.tar.gz')) return
  const files = readArchive(new URL('dmarc-rspamd-messages.tar.gz', AUTH))
  const zone = rspamdZone()
  const said: Record<string, string[]> = {}
  for (const { path, octets } of files) said[path] = await dkimOf(octets, zone)
  for (const path of [
    'good_dkim_highsecure.eml',
    'good_dkim_rspamd.eml',
    'pass_none.eml',
    'onsubdomain_pass_relaxed.eml',
  ])
    assert.deepEqual(said[path], ['pass'], path)
  for (const path of ['bad_dkim_highsecure.eml', 'bad_dkim_rspamd.eml']) assert.match(said[path]![0]!, /^fail /, path)
  assert.deepEqual(said['bad_dkim1.eml'], ['permerror (the key cannot be read)'])
})

/** Made for a draft: lines of nothing but white space at the end are empty lines today (RFC 6376 §3.4.4). */
const OF_A_DRAFT = '24 relaxed'

test('canonicalisation vectors of flanker', (t) => {
  if (!has(t, 'dkim-canonicalization-flanker.tar.gz')) return
  const files = new Map(
    readArchive(new URL('dkim-canonicalization-flanker.tar.gz', AUTH)).map((file) => [file.path, file]),
  )
  const given = (name: string): Buffer | undefined => (files.get(`dkim/${name}`) as ArchivedFile | undefined)?.octets
  let count = 0
  for (const path of files.keys()) {
    const number = /^dkim\/email\.(\d\d)$/.exec(path)?.[1]
    if (number === undefined) continue
    const message = content([crlf(given(`email.${number}`)!)])
    const header = readHeaderSection(message)
    for (const form of ['relaxed', 'simple'] as const) {
      const expected = crlf(given(`${form}.expected.${number}`)!)
      const fields = header.fields.map((field) => {
        const raw = message.chunks[0]!.toString('latin1', field.start, field.end)
        return form === 'simple' ? raw : `${relaxedField(field.name, field.value)}\r\n`
      })
      const hash = form === 'relaxed' ? new RelaxedBodyHash() : new SimpleBodyHash()
      hash.update(message.chunks[0]!.subarray(header.end + 2))
      const digest = hash.digest()
      const start = Buffer.from(`${fields.join('')}\r\n`, 'latin1')
      const body = createHash('sha256').update(expected.subarray(start.length)).digest('base64')
      assert.ok(expected.subarray(0, start.length).equals(start), `${number} ${form}: header section`)
      if (`${number} ${form}` !== OF_A_DRAFT) assert.equal(digest, body, `${number} ${form}: body`)
      count++
    }
  }
  assert.equal(count, 42)
})
