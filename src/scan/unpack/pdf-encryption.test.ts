/** Encrypted PDF, as qpdf wrote it: read where the password is empty, and said to be encrypted where there is one. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { pdfActions } from '../examiners/pdf-actions.ts'
import { kindsOf, lookInto, textsOf } from './testing.ts'

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/pdf/${name}.pdf`, import.meta.url))
const TEXT = 'harmless text, again and again'

describe('an encrypted PDF', () => {
  for (const name of ['rc4-40', 'rc4-128', 'aes-128', 'aes-256', 'aes-256-long-hash', 'aes-256-revision-5'])
    it(`that anybody can open is opened: ${name}`, async () => {
      const found = await lookInto(fixture(name))
      assert.deepEqual(textsOf(found), [TEXT])
      assert.deepEqual(found.facts, [])
    })

  for (const name of ['aes-128-with-password', 'aes-256-with-password'])
    it(`that has a password stays closed: ${name}`, async () => {
      const found = await lookInto(fixture(name))
      assert.deepEqual(kindsOf(found), ['encrypted'])
      assert.deepEqual(textsOf(found), [])
    })

  it('gives the objects in its streams', async () => {
    for (const name of ['object-streams', 'aes-128-object-streams']) {
      const found = await lookInto(fixture(name), { examiners: [pdfActions] })
      assert.ok(textsOf(found).includes(TEXT))
      assert.deepEqual(
        found.facts.map((fact) => fact.kind === 'suspicious' && [fact.symbol, fact.where]),
        [['pdf-script-at-opening', 'file › objects']],
        name,
      )
    }
  })

  it('by a handler that we do not know is encrypted', async () => {
    const other = Buffer.from(fixture('aes-128').toString('latin1').replace('/Standard', '/Adobe.Pk'), 'latin1')
    assert.deepEqual(kindsOf(await lookInto(other)), ['encrypted'])
  })
})
