/**
 * Each tidy rule, held against planted violations: a rule that cannot fail guards nothing. Beside each violation stands
 * its innocent twin, which the rule must leave alone.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functionsOf } from './functions.ts'
import { importsOf, type SourceFile } from './modules.ts'
import { citedIn, indexFaults, standards, unknownCitations } from './rules-rfc.ts'
import {
  deadFiles,
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  fileLengths,
  functionLengths,
  importDirection,
  portalApart,
} from './rules-structure.ts'
import { emptyNames, kebabCase, leftovers, machinePaths, makers, openings, pureEngines } from './rules-text.ts'
import { tokens } from './tokens.ts'

const file = (path: string, text: string): SourceFile => ({ path, text })
const found = (text: string, named: boolean) => importsOf(file('src/queue/x.ts', text)).filter((i) => i.named === named)
const targets = (text: string) => found(text, false).map((i) => i.target)
const namedOnly = (text: string) => found(text, true).map((i) => i.target)
const count = (findings: readonly string[], expected: number) =>
  assert.equal(findings.length, expected, findings.join())

test('the lexer tells code from strings, comments, templates and regular expressions', () => {
  const kinds = (source: string) => tokens(source).map((t) => `${t.kind}:${t.text}`)
  assert.deepEqual(kinds("a = '//' // b"), ['word:a', 'punctuation:=', "string:'//'", 'comment:// b'])
  assert.deepEqual(kinds('x / y / z').length, 5)
  assert.deepEqual(kinds('= /[/"]+/g;'), ['punctuation:=', 'regex:/[/"]+/g', 'punctuation:;'])
  const nested = kinds('`a$'.concat('{ {b: `c$', '{d}`} }e`'))
  assert.deepEqual(nested[0], 'template:`a$'.concat('{'))
  assert.deepEqual(nested.at(-1), 'template:}e`')
  assert.ok(nested.includes('word:d'))
})

test('the scanner finds every form of import, and no other word', () => {
  assert.deepEqual(targets(`import type { A } from '#mail/a.ts'`), ['src/mail/a.ts'])
  assert.deepEqual(targets(`import a, { type B,\n c as d } from './b.ts'`), ['src/queue/b.ts'])
  assert.deepEqual(targets(`import * as a from "../spool/c.ts"; export * from './d.ts'`), [
    'src/spool/c.ts',
    'src/queue/d.ts',
  ])
  assert.deepEqual(targets(`export type { A } from './e.ts'; import './f.ts'`), ['src/queue/e.ts', 'src/queue/f.ts'])
  assert.deepEqual(targets(`let a: import('#mail/g.ts').G; await import('./h.ts')`), [
    'src/mail/g.ts',
    'src/queue/h.ts',
  ])
  assert.deepEqual(namedOnly(`new URL('./worker.ts', import.meta.url)`), ['src/queue/worker.ts'])
  assert.deepEqual(
    targets(`// import a from './no.ts'\nconst a = "import b from '#no.ts'"\nexport const from = 'x'`),
    [],
  )
})

test('imports: upwards, sideways between stages, out of src, in circles', () => {
  const check = (path: string, ...lines: string[]) => importDirection([file(path, lines.join('\n'))])
  count(check('src/smtp/a.ts', `import type { B } from '#spool/b.ts'`), 1)
  count(check('src/queue/a.ts', `import { b } from '#spool/b.ts'`), 1)
  count(check('src/queue/a.ts', `import { b } from '../deliver/b.ts'`), 1)
  count(check('src/queue/a.ts', `import { b } from '../../sim/b.ts'`), 1)
  count(check('src/queue/a.ts', `import { b } from './b.test.ts'`), 1)
  count(check('src/elsewhere/a.ts', ''), 1)
  count(check('src/queue/a.ts', `import { b } from '#mail/b.ts'`, `import { c } from './c.ts'`, `import 'zod'`), 0)
  count(check('src/relay.ts', `import { b } from '#spool/b.ts'`), 0)
  count(check('src/queue/a.test.ts', `import { b } from '#spool/b.ts'`), 0)
  const sideways = file('src/config/a.ts', `import { b } from '#tenant/b.ts'`)
  count(importDirection([sideways]), 0)
  count(importDirection([sideways, file('src/tenant/b.ts', `import type { A } from '#config/a.ts'`)]), 2)
})

test('the portal may not import the product', () => {
  count(portalApart([file('portal/a.ts', `import { b } from '../src/mail/b.ts'`)]), 1)
  count(portalApart([file('portal/a.ts', `import { b } from './b.ts'`)]), 0)
})

test('functions of every form are measured, other braces are not', () => {
  const text = `function one(a: { b: string }): { c: number } {\n}
const two = async (a: string) => {\n}
class C {\n  three(): void {\n    if (a) {\n    }\n  }\n  #four = (x: () => { y: string }) => {\n  }\n  get five() {\n  }\n}
const o = { six: (a) => {\n}, seven() {\n} }
describe('a group', () => {\n})
test('eight', () => {\n})
items.map(x => {\n})`
  const names = functionsOf(file('src/a.ts', text)).map((f) => f.name)
  const expected = ['one', 'two', 'three', '#four', 'five', 'six', 'seven', 'anonymous', 'anonymous']
  assert.deepEqual(names, expected)
})

test('a long function is found; the list of the forgiven may only shrink', () => {
  const long = (lines: number) => [file('src/a.ts', `function a() {\n${'b()\n'.repeat(lines - 2)}}\n`)]
  count(functionLengths(long(FUNCTION_LINES_MAX), {}), 0)
  count(functionLengths(long(FUNCTION_LINES_MAX + 1), {}), 1)
  count(functionLengths(long(70), { 'src/a.ts a': 70 }), 0)
  count(functionLengths(long(71), { 'src/a.ts a': 70 }), 1)
  count(functionLengths(long(69), { 'src/a.ts a': 70 }), 1)
  count(functionLengths(long(20), { 'src/a.ts a': 70 }), 1)
})

test('a long file is found', () => {
  count(fileLengths([file('src/a.ts', 'a\n'.repeat(FILE_LINES_MAX))]), 0)
  count(fileLengths([file('src/a.ts', 'a\n'.repeat(FILE_LINES_MAX + 1))]), 1)
})

test('a dead file is found, also when only its test or a tool uses it', () => {
  const files = [
    file('src/main.ts', `import './used.ts'; new URL('./worker.ts', import.meta.url)`),
    file('src/used.ts', ''),
    file('src/worker.ts', ''),
    file('src/only-tested.ts', ''),
    file('src/only-tested.test.ts', `import './only-tested.ts'; import './testing.ts'`),
    file('src/testing.ts', ''),
    file('sim/world.ts', ''),
    file('sim/nobody.ts', ''),
    file('sim/run.ts', `import './world.ts'`),
  ]
  const dead = deadFiles(files, ['src/main.ts', 'sim/run.ts'])
  assert.deepEqual(
    dead.map((line) => line.split(':')[0]),
    ['src/only-tested.ts', 'sim/nobody.ts'],
  )
})

test('receipts and return paths are made in their places only, and talk about them is free', () => {
  const check = (path: string, text: string) => makers([file(path, text)])
  count(check('src/queue/a.ts', 'SpoolReceipt.afterSync(id)'), 1)
  count(check('src/spool/a.ts', 'SpoolReceipt.afterSync(id)'), 0)
  count(check('src/relay/a.ts', 'QuarantineReceipt.afterSync(id)'), 1)
  count(check('src/quarantine/a.ts', 'QuarantineReceipt.afterSync(id)'), 0)
  count(check('src/relay.ts', 'NextHopReceipt\n  .afterPositiveReply(id)'), 1)
  count(check('src/deliver/a.ts', 'NextHopReceipt.afterPositiveReply(id)'), 0)
  count(check('src/report/a.ts', 'VerifiedReturnPath.from(path, proof)'), 1)
  count(check('src/queue/a.ts', '// SpoolReceipt.afterSync(id)\n"SpoolReceipt.afterSync"'), 0)
  count(check('src/queue/a.test.ts', 'SpoolReceipt.afterSync(id)'), 0)
})

test('an engine that looks at the world is found', () => {
  const check = (text: string, path = 'src/smtp/server/a.ts') => pureEngines([file(path, text)])
  count(check(`import { connect } from 'node:tls'`), 1)
  count(check(`import { readFile } from 'node:fs/promises'`), 1)
  count(check('const now = Date.now()\nsetTimeout(f, 1)'), 2)
  count(check(`import { isIPv4 } from 'node:net'\n// Date.now`), 0)
  count(check('Date.now()', 'src/sys/clock.ts'), 0)
})

test('unfinished marks and checks switched off are found', () => {
  const check = (text: string) => leftovers([file('src/a.ts', text)])
  for (const mark of ['// TODO later', '/* FIXME */', 'test.only(f)', 't.skip()', 'a as any', '// @ts-ignore']) {
    count(check(mark), 1)
  }
  count(check('// biome-ignore lint: x'), 1)
  count(check('function f(a: any) {}'), 1)
  count(check('// any: any as any\nreader.skip(3)'), 0)
  count(check(`const a = 'TODO as any'; test('x', { skip: false })`), 0)
})

test('names that say nothing, or break the form, are found', () => {
  for (const path of ['src/utils/a.ts', 'src/mail/helpers.ts', 'src/common/x.ts', 'src/queue-manager.ts']) {
    count(emptyNames([path]), 1)
  }
  count(emptyNames(['src/mail/commonplace.ts', 'src/utility-bill.ts', 'docs/manage.md']), 0)
  count(kebabCase(['src/camelCase.ts', 'src/snake_case.ts']), 2)
  count(kebabCase(['src/kebab-case.test.ts', 'README.md']), 0)
})

test('paths of one machine are found, also in strings and prose', () => {
  count(machinePaths([file('a.md', `see ${'/wo'}rk/main/src, ${'/ro'}ot/.ssh and ${'/ho'}me/me/x`)]), 3)
  count(machinePaths([file('a.md', 'src/work/x, https://x.test/work/y, ./root/z and ~/work/z')]), 0)
})

test('a file without an opening docstring is found', () => {
  count(openings([file('src/a.ts', 'export const a = 1')]), 1)
  count(openings([file('src/a.ts', '/** A. */'), file('src/main.ts', '#!/usr/bin/env node\n/** B. */')]), 0)
})

test('citations are read in all their forms', () => {
  const numbers = (text: string) => citedIn(file('a.ts', text)).map((c) => c.number)
  assert.deepEqual(numbers('RFC 5321 §4.5.3, RFC2034'), [5321, 2034])
  assert.deepEqual(numbers('RFC 3461/3464 and RFC 3030, 1870; RFC 6152 and 6531'), [3461, 3464, 3030, 1870, 6152, 6531])
  assert.deepEqual(numbers('RFC 5321, 250 and 4.5 s'), [5321])
})

test('the index and the code are held against each other', () => {
  const row = (number: number, status: string, place: string) =>
    `| ${number} | Title | ${status} | Position | ${place} |`
  const code = [file('src/mail/a.ts', '// RFC 5321 §1')]
  const check = (...rows: string[]) => indexFaults(standards(rows.join('\n')), code)
  count(check('| RFC | x |', '|---|---|', row(5321, 'done', '`src/mail/a.ts`'), row(5322, 'planned', '')), 0)
  count(check(row(5321, 'done', '`src/mail/`')), 0)
  count(check(row(5321, 'nearly', '')), 1)
  count(check(row(5321, 'done', '')), 1)
  count(check(row(5321, 'done', '`src/mail/gone.ts`')), 1)
  count(check(row(5322, 'partial', '`src/mail/a.ts`')), 1)
  count(check(row(5322, 'planned', ''), row(5321, 'planned', '')), 1)
  count(check(row(5322, 'planned', ''), 'Another table', row(5321, 'planned', '')), 0)
  count(check(row(5322, 'planned', ''), row(5322, 'planned', '')), 1)
  count(check('| 5321 | | planned | |'), 1)
  count(unknownCitations(code, []), 1)
  count(unknownCitations(code, standards(row(5321, 'planned', ''))), 0)
})
