/**
 * The embedded engine alone with the files of `clamav-testfiles`: it names what stands in a container that it opens, and the
 * default policy refuses the rest, but for one package of a phone that nobody has any more.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { judgeScan } from '#policy/virus.ts'
import { look } from '#scan/look.ts'
import { DEFAULT_VIRUS_POLICY } from '#tenant/virus-policy.ts'
import { clamavTestFiles, withoutClamd } from './clamd.ts'

/** A program that unpacks itself is refused as a program; what it holds is not looked at. */
const PACKED_PROGRAM = 'file'
const NOT_NAMED: Readonly<Record<string, string | undefined>> = {
  'clam-aspack.exe': PACKED_PROGRAM,
  'clam-fsg.exe': PACKED_PROGRAM,
  'clam-mew.exe': PACKED_PROGRAM,
  'clam-pespin.exe': PACKED_PROGRAM,
  'clam-petite.exe': PACKED_PROGRAM,
  'clam-upack.exe': PACKED_PROGRAM,
  'clam-upx.exe': PACKED_PROGRAM,
  'clam-wwpack.exe': PACKED_PROGRAM,
  'clam-yc.exe': PACKED_PROGRAM,
  // AutoIt and InstallShield.
  'clam.ea05.exe': PACKED_PROGRAM,
  'clam.ea06.exe': PACKED_PROGRAM,
  'clam_IScab_ext.exe': PACKED_PROGRAM,
  'clam_IScab_int.exe': PACKED_PROGRAM,
  'clam_ISmsi_ext.exe': PACKED_PROGRAM,
  'clam_ISmsi_int.exe': PACKED_PROGRAM,
  // Deeper than anybody nests.
  'clam_cache_emax.tgz': 'over-limit',
  // A package of Symbian: not read, and not refused.
  'clam.sis': undefined,
}

test('the embedded engine names every test file of ClamAV in a container that it opens', {
  skip: withoutClamd(),
}, async (t) => {
  let named = 0
  for (const path of clamavTestFiles()) {
    const name = basename(path)
    const lines = readFileSync(path).toString('base64').replace(/.{76}/g, '$&\r\n')
    const head = `MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name="${name}"\r\n`
    const mail = Buffer.from(`${head}Content-Transfer-Encoding: base64\r\n\r\n${lines}\r\n`)
    const facts = await look(mail, () => performance.now())
    const { decision, because } = judgeScan({ facts, cleanBy: [], durationMs: 0 }, DEFAULT_VIRUS_POLICY)
    const expected = Object.hasOwn(NOT_NAMED, name) ? NOT_NAMED[name] : 'malware'
    assert.equal(decision === 'reject' ? because[0]?.kind : undefined, expected, name)
    if (expected === 'malware') named++
  }
  t.diagnostic(`${named} of ${clamavTestFiles().length} named`)
  assert.equal(named, 27)
})
