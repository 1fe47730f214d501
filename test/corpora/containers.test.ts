/**
 * All unpacking against files that were made to break unpackers, and against ordinary documents and archives of many
 * programs. Categories come from the names of the files, so agreement has a floor instead of being whole. The files are
 * larger than the project carries: beside the checkout, or where MAIL_CORPORA says.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { before, describe, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { ScanFact } from '#mail/scan.ts'
import { type Found, lookInto } from '#scan/unpack/testing.ts'
import { EXAMINERS } from '#scan/workmen.ts'
import { readArchive } from './archive.ts'

const folder = process.env['MAIL_CORPORA']
const CORPORA = folder ? pathToFileURL(`${folder}/`) : new URL('../../../shared/data/', import.meta.url)
const CONTAINERS = new URL('containers/', CORPORA)
const SOURCES = ['commons-compress', 'libarchive', 'mimekit-tnef', 'oletools', 'poi', 'tika']

const DURATION_MS_MAX = 30_000
const MEMORY_OCTETS_MAX = 512 * 1024 * 1024
/** Of the files of each category, those about which the fact is said. The rest is explained in ADR 0018. */
const AGREEMENT_MIN: Readonly<Record<string, number>> = {
  encrypted: 0.78,
  malformed: 0.7,
  'bomb-or-resource': 0.64,
  'embedded-or-split': 0.76,
  'macro-or-dde': 0.5,
}

interface Looked {
  readonly file: string
  readonly categories: readonly string[]
  readonly found: Found
  readonly durationMs: number
}

const looked: Looked[] = []
let memoryOctets = 0

describe('files that were made for unpackers', () => {
  before(async () => {
    if (!existsSync(new URL('index.tsv', CONTAINERS))) return
    const categories = readCategories()
    for (const source of SOURCES)
      for (const { path, octets } of readArchive(new URL(`${source}.tar.gz`, CONTAINERS))) {
        const known = categories.get(path)
        if (known) looked.push(await lookAt(path, octets, known))
      }
  })

  test('each is looked at in time and in little memory', (t) => {
    if (isAbsent(t)) return
    assert.equal(looked.length, 591)
    const slow = looked.filter(({ durationMs }) => durationMs > DURATION_MS_MAX)
    assert.deepEqual(
      slow.map(({ file }) => file),
      [],
    )
    const slowest = looked.toSorted((one, other) => other.durationMs - one.durationMs).slice(0, 3)
    t.diagnostic(`slowest: ${slowest.map(({ file, durationMs }) => `${file} ${Math.round(durationMs)} ms`).join(', ')}`)
    t.diagnostic(`memory at most ${Math.round(memoryOctets / 1024 / 1024)} MB`)
    assert.ok(memoryOctets < MEMORY_OCTETS_MAX, `${memoryOctets} octets`)
  })

  for (const category of Object.keys(AGREEMENT_MIN))
    test(`most of those called ${category} are said to be`, (t) => {
      if (isAbsent(t)) return
      const those = looked.filter(({ categories }) => categories.includes(category))
      const missed = those.filter(({ found }) => !isSaid(category, found))
      const share = 1 - missed.length / those.length
      const names = missed.map(({ file }) => file).join(', ')
      t.diagnostic(`${those.length - missed.length} of ${those.length}; not: ${names}`)
      assert.ok(share >= AGREEMENT_MIN[category]!, `${share}: ${names}`)
    })
})

function isAbsent(t: TestContext): boolean {
  if (looked.length === 0) t.diagnostic('NOT RUN: the corpus of containers is not here')
  return looked.length === 0
}

function isSaid(category: string, { facts, objects }: Found): boolean {
  const has = (...kinds: ScanFact['kind'][]) => facts.some(({ kind }) => kinds.includes(kind))
  switch (category) {
    case 'encrypted':
      return has('encrypted')
    case 'malformed':
      return has('broken')
    case 'bomb-or-resource':
      return has('broken', 'over-limit')
    case 'macro-or-dde':
      return has('macro')
    default:
      return objects.length > 1
  }
}

async function lookAt(path: string, packed: Buffer, categories: readonly string[]): Promise<Looked> {
  const octets = path.endsWith('.uu') ? uudecoded(packed) : packed
  const from = performance.now()
  const name = path.replace(/\.uu$/, '').split('/').at(-1)!
  const found = await lookInto(octets, { name, examiners: EXAMINERS })
  const durationMs = performance.now() - from
  memoryOctets = Math.max(memoryOctets, process.memoryUsage().rss)
  const objects = found.objects.map((object) => ({ ...object, octets: Buffer.alloc(0) }))
  return { file: path, categories, found: { ...found, objects }, durationMs }
}

function readCategories(): Map<string, string[]> {
  const rows = readFileSync(new URL('index.tsv', CONTAINERS), 'utf8').trim().split('\n').slice(1)
  return new Map(
    rows.map((row) => {
      const [file = '', , categories = ''] = row.split('\t')
      return [file, categories.split(',')]
    }),
  )
}

/** As POSIX has it: a length and four characters for each three octets. */
function uudecoded(text: Buffer): Buffer {
  const lines = text.toString('latin1').split(/\r?\n/)
  const from = lines.findIndex((line) => line.startsWith('begin '))
  const parts: Buffer[] = []
  for (const line of lines.slice(from + 1)) {
    const length = (line.charCodeAt(0) - 32) & 63
    if (line === 'end' || !length) break
    const sixes = [...line.slice(1)].map((character) => (character.charCodeAt(0) - 32) & 63)
    const octets = Buffer.alloc(Math.ceil(sixes.length / 4) * 3)
    for (let at = 0; at * 4 < sixes.length; at++) {
      const [a = 0, b = 0, c = 0, d = 0] = sixes.slice(at * 4, at * 4 + 4)
      octets.writeUIntBE((a << 18) | (b << 12) | (c << 6) | d, at * 3, 3)
    }
    parts.push(octets.subarray(0, length))
  }
  return Buffer.concat(parts)
}
