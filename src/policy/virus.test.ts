/** The verdict of the virus wall, for each kind of fact and each action. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScanFact } from '#mail/scan.ts'
import { type VirusPolicyLayer, virusPolicy } from '#tenant/virus-policy.ts'
import { judgeScan, refusalText } from './virus.ts'

const where = 'part 2'
const MALWARE: ScanFact = { kind: 'malware', engine: 'clamd', name: 'Eicar', where }
const SILENT: ScanFact = { kind: 'not-looked', engine: 'clamd', why: 'down', text: 'nobody there' }
const ENCRYPTED: ScanFact = { kind: 'encrypted', container: 'zip', where }
const file = (name: string, type: Extract<ScanFact, { kind: 'file' }>['class'] = 'other'): ScanFact => ({
  kind: 'file',
  names: ['harmless.txt', name],
  type: 'application/octet-stream',
  class: type,
  where,
})

const judge = (facts: readonly ScanFact[], layer: VirusPolicyLayer = {}, cleanBy: readonly string[] = []) =>
  judgeScan({ facts, cleanBy, durationMs: 1 }, virusPolicy(layer))
const decision = (...args: Parameters<typeof judge>) => judge(...args).decision

test('nothing found is clean; what is found and bad is refused, whoever is silent beside it', () => {
  assert.equal(decision([]), 'clean')
  assert.equal(decision([MALWARE]), 'reject')
  assert.deepEqual(judge([SILENT, ENCRYPTED, MALWARE]), { decision: 'reject', because: [MALWARE] })
  assert.equal(decision([MALWARE], { malware: 'tag' }), 'tag')
})

test('a silent engine defers, unless the tenant says otherwise', () => {
  assert.equal(decision([SILENT]), 'defer')
  assert.equal(decision([SILENT], {}, ['embedded']), 'defer')
  assert.equal(decision([SILENT], { engineSilent: 'other-engines' }, ['embedded']), 'clean')
  assert.equal(decision([SILENT], { engineSilent: 'other-engines' }), 'defer')
  assert.equal(decision([SILENT], { engineSilent: 'tag' }), 'tag')
  assert.equal(decision([SILENT, ENCRYPTED], { engineSilent: 'tag', encrypted: 'reject' }), 'reject')
})

test('quarantine is graver than a tag; what a silent engine may yet say is waited for, and a refusal is heard', () => {
  const kept = { malware: 'quarantine', encrypted: 'tag', suspicious: 'reject' } as const
  assert.deepEqual(judge([ENCRYPTED, MALWARE], kept), { decision: 'quarantine', because: [MALWARE] })
  assert.equal(decision([MALWARE, SILENT], kept), 'defer')
  assert.equal(decision([MALWARE, SILENT], { ...kept, engineSilent: 'quarantine' }), 'quarantine')
  assert.equal(decision([SILENT], { engineSilent: 'quarantine' }, ['embedded']), 'quarantine')
  const suspicious: ScanFact = { kind: 'suspicious', symbol: 'x', where, text: 'x' }
  assert.deepEqual(judge([MALWARE, suspicious], kept), { decision: 'reject', because: [suspicious] })
})

test('strip is graver than a tag; quarantine, a silent engine and a refusal are graver than strip', () => {
  const policy = { malware: 'strip', encrypted: 'tag' } as const
  assert.deepEqual(judge([ENCRYPTED, MALWARE], policy), { decision: 'strip', because: [MALWARE] })
  for (const encrypted of ['quarantine', 'reject'] as const)
    assert.equal(decision([ENCRYPTED, MALWARE], { ...policy, encrypted }), encrypted)
  assert.equal(decision([MALWARE, SILENT], policy), 'defer')
})

test('each kind of fact has its action', () => {
  const facts: readonly (readonly [ScanFact, keyof VirusPolicyLayer, string])[] = [
    [ENCRYPTED, 'encrypted', 'tag'],
    [{ kind: 'broken', container: 'zip', where, text: 'x' }, 'broken', 'tag'],
    [{ kind: 'over-limit', limit: 'depth', where, text: 'x' }, 'overLimit', 'reject'],
    [{ kind: 'cannot-tell', symbol: 'two-types', where, text: 'x' }, 'cannotTell', 'reject'],
    [{ kind: 'suspicious', symbol: 'x', where, text: 'x' }, 'suspicious', 'tag'],
    [{ kind: 'macro', dialect: 'vba', autoRun: false, where }, 'macros', 'clean'],
    [{ kind: 'macro', dialect: 'vba', autoRun: true, where }, 'autoRunMacros', 'tag'],
  ]
  for (const [fact, setting, byDefault] of facts) {
    assert.equal(decision([fact]), byDefault, setting)
    for (const action of ['reject', 'quarantine', 'strip', 'tag', 'pass'] as const) {
      if (action === 'strip' && setting === 'cannotTell') continue
      assert.equal(decision([fact], { [setting]: action }), action === 'pass' ? 'clean' : action, setting)
    }
    assert.notEqual(refusalText(judge([fact], { [setting]: 'reject' })), 'it could not be checked')
  }
})

test('files are refused by what they are, or by the end of any of their names', () => {
  assert.equal(decision([file('letter.pdf', 'pdf')]), 'clean')
  assert.equal(decision([file('letter.pdf', 'executable')]), 'reject')
  for (const name of ['a.exe', 'A.EXE', 'a.pdf.scr', 'a.js. . ', 'a.lnk.'])
    assert.equal(decision([file(name)]), 'reject')
  for (const name of ['exe', 'a.exe.txt', 'a.json']) assert.equal(decision([file(name)]), 'clean')
  assert.equal(decision([file('a.exe', 'executable')], { fileNames: [], fileTypes: [] }), 'clean')
  for (const files of ['quarantine', 'strip', 'tag'] as const)
    assert.equal(decision([file('a.exe', 'executable')], { files }), files)
  assert.equal(decision([file('a.iso', 'disk-image')], { fileTypes: ['disk-image'] }), 'reject')
})

test('equal policies are one, others have ids of their own', () => {
  assert.equal(virusPolicy({}).id, '')
  assert.equal(virusPolicy({ malware: 'reject' }).id, '')
  const ids = [{ malware: 'tag' }, { encrypted: 'reject' }, { malware: 'tag', encrypted: 'reject' }] as const
  assert.equal(new Set(ids.map((layer) => virusPolicy(layer).id)).size, 3)
  assert.equal(virusPolicy({ malware: 'tag' }, {}).id, virusPolicy({ malware: 'tag' }).id)
})
