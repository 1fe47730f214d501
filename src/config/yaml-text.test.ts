import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemList, problemText } from './problem.ts'
import { YamlText } from './yaml-text.ts'

function read(text: string, environment = {}): { yaml: YamlText; problems: string[] } {
  const list = new ProblemList()
  const yaml = new YamlText(text, 'f.yaml', environment, list)
  return { yaml, problems: list.sorted().map(problemText) }
}
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('values are what stands there: only plain whole numbers are numbers', () => {
  const { yaml, problems } = read(
    'a: 25\nb: 0815\nc: no\nd: 1e3\ne: "25"\nf: null\ng:\nh: 1.0\ni: true\nj: 0x10\nk: ~\nl: [1, x]',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(plain(yaml.value), {
    a: 25,
    b: '0815',
    c: 'no',
    d: '1e3',
    e: '25',
    f: 'null',
    g: null,
    h: '1.0',
    i: 'true',
    j: '0x10',
    k: null,
    l: [1, 'x'],
  })
})

test('every value and key can say where it stands', () => {
  const { yaml } = read('hostname: mx\ntenants:\n  bakery:\n    hosts: [a, b]\n    one: x\n')
  const at = (path: (string | number)[], what?: 'key') => {
    const { line, column } = yaml.locate(path, what)
    return `${line}:${column}`
  }
  assert.equal(at(['hostname']), '1:11')
  assert.equal(at(['hostname'], 'key'), '1:1')
  assert.equal(at(['tenants', 'bakery', 'hosts', 1]), '4:16')
  assert.equal(at(['tenants', 'bakery', 'one', 0]), '5:10', 'one value stands for a list of one')
  assert.equal(at(['tenants', 'bakery', 'absent', 'deeper']), '3:3', 'the nearest thing that is there')
  assert.equal(at(['absent']), '1:1')
})

test('a key that stands twice is an error that names both places', () => {
  const { problems } = read('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n')
  assert.deepEqual(problems, [
    'f.yaml:4:3: error: b.c: "c" stands here twice\n    the first one: f.yaml:3:3',
    'f.yaml:5:1: error: a: "a" stands here twice\n    the first one: f.yaml:1:1',
  ])
})

test('aliases are refused, and so are alias bombs', () => {
  const { problems } = read('a: &x [1, 2]\nb: *x\n')
  assert.match(problems[0] ?? '', /^f\.yaml:2:4: error: b: aliases \(\*x\) are not allowed/)
  let bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n'
  for (let i = 1; i < 30; i++) bomb += `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}*a${i - 1}]\n`
  assert.equal(read(bomb).problems.length, 290)
})

test('tags, second documents and lists as keys are refused', () => {
  assert.match(read('a: !!binary eA==').problems[0] ?? '', /^f\.yaml:1:4: error: tags \(words with !\) are not allowed/)
  assert.match(read('a: !js x').problems[0] ?? '', /tags/)
  assert.match(read('a: 1\n---\nb: 2').problems[0] ?? '', /more than one document/)
  assert.match(read('? [a]\n: 1').problems[0] ?? '', /^f\.yaml:1:3: error: this is not YAML/)
})

test('deep nesting is refused without exhausting anything', () => {
  assert.match(read(`a: ${'['.repeat(30)}${']'.repeat(30)}`).problems[0] ?? '', /more than 20 levels deep/)
  for (const hole of ['[', '{a: ', '- ']) assert.ok(read(hole.repeat(20_000)).problems.length > 0)
})

test('the two slips that YAML answers with riddles get a hint', () => {
  assert.match(read('addresses: [::]:25\n').problems.join(), /must stand in quotes: "\[::\]:25"/)
  assert.match(read('domains:\n  *.bakery.example: 1\n').problems.join(), /must stand in quotes: "\*\.bakery\.example"/)
  assert.match(read('a:\n\tb: 1\n').problems.join(), /indent with spaces/)
})

test('a key may have any name, also those that JavaScript gives a meaning', () => {
  const { yaml } = read('__proto__: 1\nconstructor: 2\n')
  assert.deepEqual(Object.keys(yaml.value as object), ['__proto__', 'constructor'])
})

test('variables are replaced in values, and not where values are shown', () => {
  const text = `a: "\${ENV:X}-\${ENV:X}"\nb: \${ENV:NO}\n`
  const { yaml, problems } = read(text, { X: 'secret' })
  assert.equal((yaml.value as { a: string }).a, 'secret-secret')
  assert.equal(yaml.source(['a']), `\${ENV:X}-\${ENV:X}`)
  assert.deepEqual(plain(yaml.written()), { a: `\${ENV:X}-\${ENV:X}`, b: `\${ENV:NO}` })
  assert.deepEqual(problems, ['f.yaml:2:4: error: b: the environment variable NO is not set'])
})
