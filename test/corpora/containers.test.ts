/**
 * All unpacking and examining against files that were made to break unpackers, and against ordinary documents and archives
 * of many programs. Categories come from the names of the files; where a name promises what the file does not hold, it is
 * listed with its reason, and every other file must be said to be what its category says. The files are larger than the
 * project carries: beside the checkout, or where MAIL_CORPORA says.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { before, describe, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Found, lookInto } from '#scan/unpack/testing.ts'
import { EXAMINERS } from '#scan/workmen.ts'
import { readArchive } from './archive.ts'
import { CATEGORIES, isSaid, NOT_SAID } from './containers-oracle.ts'

const folder = process.env['MAIL_CORPORA']
const CORPORA = folder ? pathToFileURL(`${folder}/`) : new URL('../../../shared/data/', import.meta.url)
const CONTAINERS = new URL('containers/', CORPORA)
const SOURCES = ['commons-compress', 'libarchive', 'mimekit-tnef', 'oletools', 'poi', 'tika']

/** Of the processor: the machine may have more to do. */
const CPU_MS_MAX = 30_000
const MEMORY_OCTETS_MAX = 512 * 1024 * 1024
interface Looked {
  readonly file: string
  readonly categories: readonly string[]
  readonly found: Found
  readonly cpuMs: number
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
    const slow = looked.filter(({ cpuMs }) => cpuMs > CPU_MS_MAX)
    assert.deepEqual(
      slow.map(({ file }) => file),
      [],
    )
    const slowest = looked.toSorted((one, other) => other.cpuMs - one.cpuMs).slice(0, 3)
    t.diagnostic(`slowest: ${slowest.map(({ file, cpuMs }) => `${file} ${Math.round(cpuMs)} ms`).join(', ')}`)
    t.diagnostic(`memory at most ${Math.round(memoryOctets / 1024 / 1024)} MB`)
    assert.ok(memoryOctets < MEMORY_OCTETS_MAX, `${memoryOctets} octets`)
  })

  for (const category of CATEGORIES)
    test(`those called ${category} are said to be, but for those listed`, (t) => {
      if (isAbsent(t)) return
      const those = looked.filter(({ categories }) => categories.includes(category))
      const missed = those.filter(({ found }) => !isSaid(category, found)).map(({ file }) => file)
      t.diagnostic(`${those.length - missed.length} of ${those.length}; the others are listed with reasons`)
      const listed = Object.keys(NOT_SAID[category]).filter((file) => those.some((one) => one.file === file))
      assert.deepEqual(missed.sort(), listed.sort())
    })

  test('no bomb is without a fact, but for those that are none', (t) => {
    if (isAbsent(t)) return
    const bombs = looked.filter(({ categories }) => categories.includes('bomb-or-resource'))
    const silent = bombs.filter(({ found }) => found.facts.every(({ kind }) => kind === 'file'))
    assert.deepEqual(silent.map(({ file }) => file).sort(), [
      'libarchive/test_read_format_zip_zip64a.zip.uu',
      'libarchive/test_read_format_zip_zip64b.zip.uu',
    ])
  })
})

function isAbsent(t: TestContext): boolean {
  if (looked.length === 0) t.diagnostic('NOT RUN: the corpus of containers is not here')
  return looked.length === 0
}

async function lookAt(path: string, packed: Buffer, categories: readonly string[]): Promise<Looked> {
  const octets = path.endsWith('.uu') ? uudecoded(packed) : packed
  const from = process.cpuUsage()
  const name = path.replace(/\.uu$/, '').split('/').at(-1)!
  const found = await lookInto(octets, { name, examiners: EXAMINERS })
  const { user, system } = process.cpuUsage(from)
  const cpuMs = (user + system) / 1000
  memoryOctets = Math.max(memoryOctets, process.memoryUsage().rss)
  const objects = found.objects.map((object) => ({ ...object, octets: Buffer.alloc(0) }))
  return { file: path, categories, found: { ...found, objects }, cpuMs }
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
