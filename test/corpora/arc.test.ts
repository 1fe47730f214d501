/** ARC against the suite of Valimail: every validation test gives the chain status that it wants. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { authenticate } from '#auth/verify/authenticate.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { systemClock } from '#sys/clock.ts'
import { AUTH, has, textZone, zoneDns } from './email-auth.ts'

interface Suite {
  readonly tests: Readonly<Record<string, { readonly message: string; readonly cv: string | null }>>
  readonly 'txt-records': Readonly<Record<string, string>>
}

const TESTS = 171
/** The suite is older than RFC 8617 and names no status where a seal says cv=fail; §5.2 does: the chain has failed. */
const SEALED_AS_FAILED = ['cv_fail_i1_as_cv_fail', 'cv_fail_i2_as2_fail', 'cv_fail_i2_as1_fail']
const FILE = 'arc/arc-draft-validation-tests.yml'

test('the ARC suite', async (t) => {
  if (!has(t, FILE)) return
  const documents = parseAllDocuments(readFileSync(new URL(FILE, AUTH), 'utf8'))
  const wrong: string[] = []
  let count = 0
  for (const document of documents as Exclude<typeof documents, { empty: true }>) {
    const suite = document.toJS() as Suite | null
    if (suite === null) continue
    const dns = zoneDns(textZone(suite['txt-records']))
    for (const [name, { message, cv }] of Object.entries(suite.tests)) {
      count++
      const octets = content([Buffer.from(message.replaceAll('\n', '\r\n'), 'latin1')])
      const session = { clientAddress: '192.0.2.1', greetingName: 'mx.example', sender: undefined }
      const question = { session, content: octets, header: readHeaderSection(octets) }
      const { arc } = await authenticate(question, { clock: systemClock, dns })
      const expected = SEALED_AS_FAILED.includes(name) ? 'fail' : String(cv).trim().toLowerCase()
      if (arc.result !== expected) wrong.push(`${name}: ${arc.result} (${arc.reason}), expected ${expected}`)
    }
  }
  t.diagnostic(`${count - wrong.length} of ${count} right`)
  assert.deepEqual(wrong, [])
  assert.equal(count, TESTS)
})
