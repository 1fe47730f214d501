/**
 * Whatever the file holds, it is judged: nothing throws, and each problem has a place inside the file. Seeds are printed
 * by fast-check when a run fails.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { parseConfig } from './parse.ts'
import { problemLine, problemText } from './problem.ts'

const RUNS = 400

function judged(text: string): void {
  const result = parseConfig(text, 'fuzz.yaml')
  const lines = text.split(/\r?\n/)
  for (const problem of result.ok ? result.warnings : result.problems) {
    const { file, line, column } = problem.position
    assert.equal(file, 'fuzz.yaml')
    assert.ok(Number.isInteger(line) && line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`)
    assert.ok(Number.isInteger(column) && column >= 1, `column ${column}`)
    assert.ok(problemText(problem).length > 0 && !problemLine(problem).includes('\n'))
  }
  if (!result.ok) assert.ok(result.problems.some((problem) => problem.severity === 'error'))
}

test('any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), judged), { numRuns: RUNS })
})

const marks = [
  ': ',
  '- ',
  '\n',
  '  ',
  '[',
  ']',
  '{',
  '}',
  '*a',
  '&a ',
  '"',
  "'",
  '#',
  '|',
  '>',
  '!',
  '?',
  '---\n',
  'a',
  '25',
]
test('text of the marks that YAML is made of', () => {
  const text = fc.array(fc.constantFrom(...marks), { maxLength: 60 }).map((parts) => parts.join(''))
  fc.assert(fc.property(text, judged), { numRuns: RUNS })
})

// Keys that exist, in places where they may or may not belong, with values of every kind.
const keys = fc.constantFrom(
  ...['hostname', 'workers', 'log', 'http', 'listeners', 'limits', 'spool', 'tenants', 'bakery', 'routes', 'domains'],
  ...['main', 'hosts', 'host', 'preference', 'tls', 'retry', 'first', 'bakery.example', '*.bakery.example', 'route'],
  ...['deliver-to', 'recipients', 'listed', 'file', 'name', 'addresses', 'certificates', 'names', 'key', '__proto__'],
)
const singles = fc.oneof(
  fc.constantFrom(
    'mx.example',
    'mail.example:25',
    '10.0.0.0/8',
    '5m',
    '25MB',
    'live',
    'starttls',
    'lmtp',
    'main',
    null,
  ),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.string({ maxLength: 10 }),
)
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    singles,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(keys, tie('tree'), { maxKeys: 5, noNullPrototype: true }),
  ),
}))

test('any tree of known keys', () => {
  fc.assert(
    fc.property(fc.dictionary(keys, tree, { maxKeys: 8, noNullPrototype: true }), (value) => judged(stringify(value))),
    { numRuns: RUNS },
  )
})

const SOUND = `hostname: mx1.relay.example
listeners: [{name: mx, addresses: ["0.0.0.0:25"], proxy-from: 10.0.0.0/8, limits: {recipients-max: 100}}]
limits: {content-size-max: 25MB}
tenants:
  bakery:
    postmaster: postmaster@bakery.example
    routes: {main: {hosts: [{host: a.example, preference: 20}], retry: {first: 5m}}}
    domains:
      bakery.example: {route: main, recipients: {listed: [anna, "0815"]}}
      "*.bakery.example": {deliver-to: b.example, recipients: accept-all}
`

test('a sound file with one piece replaced by anything', () => {
  const piece = fc.tuple(
    fc.nat(SOUND.length),
    fc.nat(30),
    fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom(...marks)),
  )
  const edited = piece.map(([at, length, text]) => SOUND.slice(0, at) + text + SOUND.slice(at + length))
  fc.assert(fc.property(edited, judged), { numRuns: RUNS })
})
