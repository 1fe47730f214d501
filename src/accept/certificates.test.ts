import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { CertificateFault, Certificates, selfSignedFiles } from './certificates.ts'

const KEYS = Buffer.alloc(48)
const NOW_MS = Date.now()
let folder = ''
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'certificates-'))))
after(() => rm(folder, { recursive: true }))

async function pair(...names: string[]) {
  const { keyPem, certificatePem } = selfSignedCertificate({ names, fromMs: NOW_MS, days: 1 })
  const base = join(folder, names[0]!.replace('*', 'wildcard'))
  await writeFile(`${base}.key`, keyPem)
  await writeFile(`${base}.crt`, certificatePem)
  return { certificateFile: `${base}.crt`, keyFile: `${base}.key` }
}
const wildcardPair = async () => {
  const { keyPem, certificatePem } = selfSignedCertificate({ names: ['w', '*.b.example'], fromMs: NOW_MS, days: 1 })
  const file = join(folder, 'both.pem')
  await writeFile(file, certificatePem + keyPem)
  return { certificateFile: file, keyFile: file }
}

test('the context follows the name; a wildcard covers one label; the first is the default', async () => {
  const certificates = await Certificates.load(
    [await pair('mx.a.example', 'mx2.a.example'), await wildcardPair()],
    KEYS,
  )
  const { byName } = certificates
  assert.equal(byName('MX.A.example'), certificates.default)
  assert.equal(byName('mx2.a.example'), certificates.default)
  const wildcard = byName('x.b.example')
  assert.ok(wildcard && wildcard !== certificates.default)
  for (const name of ['b.example', 'x.y.b.example', 'a.example', '', 'example'])
    assert.equal(byName(name), undefined, name)
})

test('a file that is missing, of the wrong kind, or of another pair: one line that names it', async () => {
  const a = await pair('a.example')
  const b = await pair('b.example')
  const missing = { certificateFile: join(folder, 'none.crt'), keyFile: a.keyFile }
  await assert.rejects(Certificates.load([missing], KEYS), (error: CertificateFault) => {
    assert.ok(error instanceof CertificateFault)
    assert.equal(error.message, `certificate file ${missing.certificateFile} does not exist`)
    assert.match(error.advice, /path/)
    return true
  })
  for (const wrong of [
    { certificateFile: a.certificateFile, keyFile: b.keyFile },
    { certificateFile: a.keyFile, keyFile: a.keyFile },
    { certificateFile: folder, keyFile: a.keyFile },
  ]) {
    await assert.rejects(Certificates.load([wrong], KEYS), { name: 'CertificateFault', message: /^[^\n]+$/ })
  }
})

test('a self-signed certificate is made once, even by several workers at the same time, and renewed when it has expired', async () => {
  const home = join(folder, 'tls')
  const made = await Promise.all([1, 2, 3].map(() => selfSignedFiles(home, 'mx.example.net', NOW_MS)))
  assert.equal(made.filter((files) => files.made).length, 1)
  const [{ certificateFile }] = made as [(typeof made)[0]]
  assert.equal((await stat(certificateFile)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(home), ['self-signed.pem'])
  const first = await readFile(certificateFile)
  await Certificates.load(made, KEYS)

  assert.equal((await selfSignedFiles(home, 'mx.example.net', NOW_MS + 1)).made, false)
  assert.deepEqual(await readFile(certificateFile), first)
  assert.equal((await selfSignedFiles(home, 'mx.example.net', NOW_MS + 3651 * 86_400_000)).made, true)
  assert.notDeepEqual(await readFile(certificateFile), first)
  await writeFile(certificateFile, 'torn')
  assert.equal((await selfSignedFiles(home, 'mx.example.net', NOW_MS)).made, true)
})
