/**
 * What we sign is good for OpenDKIM too: a second receiver, in another language, by other people. It runs as a program that
 * reads files and a list of public keys; no daemon, no DNS.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { inPieces, RECORDS, signed, someMessage } from '#auth/dkim/testing.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { testSeed } from '../seed.ts'

const OPENDKIM = new URL('../../.cache/peers/opendkim/usr/sbin/opendkim', import.meta.url).pathname
const missing = !process.env['CI'] && !existsSync(OPENDKIM) && "needs Debian's opendkim: run test/peers/install as root"
const GENERATED = 150
const OUTPUT_OCTETS_MAX = 16 * 1024 * 1024

function* fixtures(): Generator<string> {
  for (const folder of ['messages', 'automatic', 'notices']) {
    const at = new URL(`../../fixtures/${folder}/`, import.meta.url)
    for (const name of readdirSync(at).filter((file) => file.endsWith('.eml'))) {
      yield readFileSync(new URL(name, at), 'latin1').replace(/\r?\n/g, '\r\n')
    }
  }
}

test('OpenDKIM verifies both signatures of every message', { skip: missing }, async () => {
  const folder = tempFolder('opendkim')
  try {
    const seed = testSeed()
    const generated = fc.sample(someMessage, { numRuns: GENERATED, ...(seed !== undefined && { seed }) })
    const files: string[] = []
    for (const text of [...fixtures(), ...generated]) {
      // As DATA hands it over; opendkim's reader of files makes something else of a last line without an end.
      const message = await signed(inPieces(text.endsWith('\r\n') ? text : `${text}\r\n`, 1000))
      if (message === undefined) continue
      files.push(`${folder.path}/${files.length}.eml`)
      writeFileSync(files.at(-1)!, Buffer.concat(message.chunks))
    }
    assert.ok(files.length > GENERATED)
    const keys = `${folder.path}/keys`
    writeFileSync(keys, [...RECORDS].map(([name, text]) => `${name} ${text}\n`).join(''))
    const config = `${folder.path}/opendkim.conf`
    writeFileSync(config, `Mode v\nTestPublicKeys ${keys}\nSyslog no\nAlwaysAddARHeader yes\n`)
    const options = { maxBuffer: OUTPUT_OCTETS_MAX }
    const { stdout } = await promisify(execFile)(OPENDKIM, ['-x', config, '-vv', '-t', files.join()], options)
    const results = stdout.split('### INSHEADER').slice(1)
    assert.equal(results.length, files.length)
    for (const [i, result] of results.entries()) {
      // Messages may have old signatures of others too.
      if (/bad message/.test(result)) {
        // To OpenDKIM, not to us: an author without an address.
        assert.match(readFileSync(files[i]!, 'latin1'), /^From: MAILER-DAEMON <>\r$/m)
        continue
      }
      const own = result.matchAll(/dkim=(\w+)[^;]*header\.d=bakery\.test[^;]*header\.a=(\S+)/g)
      const verdicts = [...own].map(([, verdict, by]) => `${by} ${verdict}`)
      assert.deepEqual(verdicts, ['rsa-sha256 pass', 'ed25519-sha256 pass'], readFileSync(files[i]!, 'latin1'))
    }
  } finally {
    folder.remove()
  }
})
