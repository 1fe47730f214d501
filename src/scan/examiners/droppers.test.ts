/** Droppers, in harmless pieces: what they are told by, and what only looks alike. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createBudget, UNPACK_LIMITS } from '../unpack/budget.ts'
import { droppers } from './droppers.ts'

const budget = createBudget(UNPACK_LIMITS, () => 0)
const symbols = (octets: string | Buffer, ...names: string[]) => {
  const object = { where: 'file', names, octets: Buffer.from(octets as string, 'latin1'), depth: 0 }
  return [...droppers.examine(object, budget)].map((fact) => fact.kind === 'suspicious' && fact.symbol)
}
const RUNNER = 'CreateObject("WScript.Shell")'
const FETCHER = 'CreateObject("MSXML2.XMLHTTP")'
const VBA = 'Attribute VB_Name = "Module1"\r\n'
const LONG = 'QUJD'.repeat(300)
const RUNS = 300

describe('droppers', () => {
  it('in scripts: two kinds of words must meet, in what is a script', () => {
    assert.deepEqual(symbols(`${RUNNER}\n${FETCHER}`, 'a.vbs'), ['script-dropper'])
    assert.deepEqual(symbols(Buffer.from(`${RUNNER}\n${FETCHER}`, 'utf16le'), 'a.js'), ['script-dropper'])
    assert.deepEqual(symbols(`<html><hta:application>${RUNNER} ${FETCHER}`), ['script-dropper'])
    assert.deepEqual(symbols(`${RUNNER}\n${FETCHER}`), [], 'a message that quotes it')
    assert.deepEqual(symbols(RUNNER, 'a.vbs'), [])
    const job = `<?xml version="1.0"?><job>${RUNNER} ${FETCHER}`
    assert.deepEqual([symbols(job, 'a.wsf'), symbols(job, 'a.xml')], [['script-dropper'], []])
    assert.deepEqual(symbols(`${job}<script>x</script>`, 'a.xml'), ['script-dropper'])
    assert.deepEqual(symbols(`powershell -w hidden -enc ${'QUJD'.repeat(20)}`, 'a.bat'), ['encoded-powershell'])
    assert.deepEqual(symbols('powershell -File update.ps1', 'a.bat'), [])
  })

  it('in macros', () => {
    assert.deepEqual(symbols(`${VBA}Sub x()\r\n${RUNNER}\r\n${FETCHER}`), ['macro-dropper'])
    assert.deepEqual(symbols(`${VBA}Sub AutoOpen()\r\nShell "calc"`), ['macro-dropper'])
    assert.deepEqual(symbols(`${VBA}Sub AutoOpen()\r\nMsgBox "hello"`), [])
    assert.deepEqual(symbols(`${VBA}Sub x()\r\nShell "calc"`), [])
  })

  it('in shortcuts', () => {
    const shortcut = (command: string) =>
      Buffer.concat([Buffer.from('4c0000000114020000000000', 'hex'), Buffer.from(command, 'utf16le')])
    assert.deepEqual(symbols(shortcut('C:\\Windows\\System32\\cmd.exe /c x')), ['shortcut-command'])
    assert.deepEqual(symbols(shortcut('C:\\letters\\may.doc')), [])
  })

  it('in pages that make a file', () => {
    const page = (script: string) => `<html><script>${script}</script>`
    const smuggled = `a.download='x.zip';new Blob([atob("${LONG}")])`
    assert.deepEqual(symbols(page(smuggled)), ['html-smuggling'])
    assert.deepEqual(symbols(page(smuggled.replace(LONG, 'QUJD'))), [])
    assert.deepEqual(symbols(page(smuggled.replace('.download', '.title'))), [])
    assert.deepEqual(symbols(`<html><img src="data:image/png;base64,${LONG}"><a download="x">`), [])
    assert.deepEqual(symbols(smuggled), [])
  })

  it('takes any octets', () => {
    const pieces = ['powershell ', '-e ', 'QUJD'.repeat(20), '<script', 'new Blob(', 'atob', VBA, '\0', RUNNER, '\n']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (all) => {
        symbols(all.join(''), 'a.js')
      }),
      { numRuns: RUNS },
    )
  })
})
