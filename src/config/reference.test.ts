import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { configDocs, DOCS_FOLDER } from '../cli/config-docs.ts'
import { parseConfig } from './parse.ts'
import { problemText } from './problem.ts'
import { configJsonSchema } from './reference.ts'

type Json = { readonly [key: string]: unknown }

test('the published manual and JSON schema say what the schema says; if not: node src/cli/config-docs.ts', async () => {
  for (const [name, text] of configDocs()) assert.equal(await readFile(join(DOCS_FOLDER, name), 'utf8'), text, name)
})

function undescribed(json: Json, path: string): string[] {
  const found: string[] = []
  for (const [key, value] of Object.entries(json)) {
    if (typeof value !== 'object' || value === null) continue
    if (key === 'properties') {
      for (const [name, setting] of Object.entries(value)) {
        const described = /\.$/.test(String((setting as Json)['description']))
        // The two forms of `recipients` are described in one place.
        if (!described && !['listed', 'file'].includes(name)) found.push(`${path}.${name}`)
      }
    }
    found.push(...undescribed(value as Json, `${path}.${key}`))
  }
  return found
}

test('every setting has a description', () => {
  assert.deepEqual(undescribed(configJsonSchema(), ''), [])
})

test('our own marks are not published', () => {
  assert.doesNotMatch(JSON.stringify(configJsonSchema()), /"x-/)
})

test('the JSON schema knows what must stand, what is closed, and that one value needs no list', () => {
  const schema = configJsonSchema() as unknown as {
    required: string[]
    additionalProperties: boolean
    properties: { listeners: { anyOf: [{ required: string[] }, { type: string }] } }
  }
  assert.deepEqual(schema.required, ['hostname', 'tenants'])
  assert.equal(schema.additionalProperties, false)
  const [one, list] = schema.properties.listeners.anyOf
  assert.deepEqual(one.required, ['name', 'addresses'])
  assert.equal(list.type, 'array')
})

test('the examples that we publish are sound', async () => {
  const run = await readFile(join(DOCS_FOLDER, 'run-for-real.md'), 'utf8')
  const manual = await readFile(join(DOCS_FOLDER, 'configuration.md'), 'utf8')
  const examples = [...`${run}${manual}`.matchAll(/```yaml\n(hostname[\s\S]*?)```/g)].map((match) => match[1] ?? '')
  assert.equal(examples.length, 2)
  examples.push(await readFile(join(DOCS_FOLDER, '../packaging/vorposten.yaml'), 'utf8'))
  for (const text of examples) {
    const result = parseConfig(text, 'example')
    const told = result.ok ? result.warnings : result.problems
    const others = told.filter((problem) => !problem.message.includes('self-signed')).map(problemText)
    assert.deepEqual(others, [])
  }
})
