/**
 * 7-Zip as a WebAssembly module, shut in: it sees one file in memory and no disk, its memory ends at `MEMORY_OCTETS_MAX`, and
 * what it writes is counted while it writes. It cannot be interrupted between two writes; the scanning thread's own limit
 * is for that. Each archive gets a fresh instance: what a damaged one did to the memory of the last is gone.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { ScanLimit } from '#mail/scan.ts'
import type { ScanBudget } from '../contract.ts'

/** Dictionaries of common archives are up to 64 MB; archives that want more are over the limit. */
const MEMORY_OCTETS_MAX = 192 * 1024 * 1024
const PAGE_OCTETS = 64 * 1024
/** Of what it prints: an entry of a listing has about 15 lines. */
const LINES_MAX = 300_000
const FOLDERS_DEEP_MAX = 64
const NO_SPACE = 51
const SECTION_MEMORY = 5

const INPUT = '/archive'
const OUTPUT = '/out'

interface FileNode {
  readonly stream_ops: { write: (...given: unknown[]) => number }
  readonly node_ops: { setattr: (node: unknown, attributes: { size?: number }) => void }
}

interface Files {
  writeFile(path: string, octets: Uint8Array): void
  readFile(path: string): Uint8Array
  readdir(path: string): string[]
  unlink(path: string): void
  lstat(path: string): { mode: number }
  isDir(mode: number): boolean
  isFile(mode: number): boolean
  lookupPath(path: string): { node: FileNode }
  ErrnoError: new (errno: number) => Error
}

interface Program {
  readonly FS: Files
  callMain(words: string[]): void
}

type Imports = Readonly<Record<string, object>>

/** As far as it is used: the types of the language have no WebAssembly, those of browsers come with too much else. */
declare const WebAssembly: {
  readonly Module: new (octets: Uint8Array) => object
  readonly Instance: new (module: object, imports: Imports) => object
  readonly RuntimeError: new () => Error
}

type Factory = (options: {
  print: (line: string) => void
  printErr: (line: string) => void
  stdin: () => null
  instantiateWasm: (imports: Imports, receive: (instance: object) => void) => object
}) => Promise<Program>

export interface Extracted {
  /** What it printed, listing and extraction. */
  readonly lines: readonly string[]
  readonly limit: ScanLimit | undefined
  /** Files that it made: the way to each, and its octets. A file is gone from its memory once given. */
  files(): Iterable<{ readonly path: string; readonly octets: Buffer }>
}

class Stop extends Error {}

let loading: Promise<{ readonly factory: Factory; readonly compiled: object }> | undefined

export async function extract(archive: Buffer, budget: ScanBudget): Promise<Extracted> {
  const { factory, compiled } = await (loading ??= load())
  const lines: string[] = []
  const limits: { reached: ScanLimit | undefined } = { reached: undefined }
  const print = (line: string) => {
    if (lines.length >= LINES_MAX) limits.reached ??= 'objects'
    if (budget.isOver()) limits.reached ??= 'time'
    if (limits.reached === 'objects' || limits.reached === 'time') throw new Stop(limits.reached)
    lines.push(line)
  }
  const program = await factory({
    print,
    printErr: print,
    stdin: () => null,
    instantiateWasm: (imports, receive) => {
      receive(new WebAssembly.Instance(compiled, imports))
      return {}
    },
  })
  program.FS.writeFile(INPUT, archive)
  countWrites(program.FS, budget, limits)
  // The empty password is one too: without it 7-Zip would ask for one.
  run(program, ['l', '-slt', '-p', INPUT], lines, limits)
  if (limits.reached === undefined) run(program, ['x', '-y', '-aou', '-p', `-o${OUTPUT}`, INPUT], lines, limits)
  return { lines, limit: limits.reached, files: () => filesIn(program.FS, OUTPUT, '', 0) }
}

async function load() {
  const require = createRequire(import.meta.url)
  const wasm = await readFile(require.resolve('7z-wasm/7zz.wasm'))
  const { default: factory } = await import('7z-wasm')
  return { factory: factory as unknown as Factory, compiled: new WebAssembly.Module(withMemoryMax(wasm)) }
}

function run(program: Program, words: string[], lines: string[], limits: { reached: ScanLimit | undefined }): void {
  const exitCode = process.exitCode
  try {
    program.callMain(words)
  } catch (error) {
    // It ends by an exit status, by us, or by a trap: out of memory, or a fault that the sandbox caught.
    // A number is an exception of its language that it did not catch.
    if (typeof error === 'number') lines.push('ERROR: 7-Zip gave up on it')
    else if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) limits.reached ??= 'memory'
    else if (!(error instanceof Stop) && (error as Error).name !== 'ExitStatus') throw error
  } finally {
    process.exitCode = exitCode
  }
}

function countWrites(files: Files, budget: ScanBudget, limits: { reached: ScanLimit | undefined }): void {
  const { node } = files.lookupPath(INPUT)
  const octetsMax = budget.octetsLeft
  const { write } = node.stream_ops
  const { setattr } = node.node_ops
  let written = 0
  const stopAt = (octets: number) => {
    if (octets > octetsMax) limits.reached ??= 'octets'
    if (budget.isOver()) limits.reached ??= 'time'
    if (limits.reached !== undefined) throw new files.ErrnoError(NO_SPACE)
  }
  node.stream_ops.write = (...given) => {
    stopAt((written += Number(given[3])))
    return write(...given)
  }
  node.node_ops.setattr = (file, attributes) => {
    if (attributes.size !== undefined) stopAt(attributes.size)
    setattr(file, attributes)
  }
}

function* filesIn(
  files: Files,
  folder: string,
  below: string,
  depth: number,
): Generator<{ path: string; octets: Buffer }> {
  if (depth === 0 && !files.readdir('/').includes(OUTPUT.slice(1))) return
  for (const name of files.readdir(folder)) {
    if (name === '.' || name === '..') continue
    const path = `${folder}/${name}`
    const { mode } = files.lstat(path)
    if (files.isDir(mode) && depth < FOLDERS_DEEP_MAX) yield* filesIn(files, path, `${below}${name}/`, depth + 1)
    if (!files.isFile(mode)) continue
    const octets = files.readFile(path)
    files.unlink(path)
    yield { path: `${below}${name}`, octets: Buffer.from(octets.buffer, octets.byteOffset, octets.length) }
  }
}

/** The module says how far its memory may grow; here it is told less. */
function withMemoryMax(wasm: Buffer): Buffer {
  for (let at = 8; at < wasm.length; ) {
    const section = wasm[at]!
    const size = numberAt(wasm, at + 1)
    if (section === SECTION_MEMORY) {
      const first = numberAt(wasm, size.end + 2)
      const body = Buffer.concat([
        Buffer.from([1, 1]),
        numberOctets(first.value),
        numberOctets(MEMORY_OCTETS_MAX / PAGE_OCTETS),
      ])
      const head = Buffer.concat([Buffer.from([SECTION_MEMORY]), numberOctets(body.length)])
      return Buffer.concat([wasm.subarray(0, at), head, body, wasm.subarray(size.end + size.value)])
    }
    at = size.end + size.value
  }
  throw new Error('7z-wasm has no memory of its own: its limit cannot be set')
}

function numberAt(octets: Buffer, at: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const octet = octets[at++]!
    value += (octet & 0x7f) * 2 ** shift
    if (octet < 0x80) return { value, end: at }
  }
}

function numberOctets(value: number): Buffer {
  const octets: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...octets, rest])
    octets.push((rest & 0x7f) | 0x80)
  }
}
