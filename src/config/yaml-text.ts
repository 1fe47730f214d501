/**
 * One YAML 1.2 file as plain values, each of which can say where it stands (file:line:column).
 *
 * Stricter than YAML: keys are text and stand once; no aliases (so no alias bombs, and a value is where it is used), no
 * tags, one document. Nothing is guessed: a plain whole number is a number, every other value is the text that stands
 * there, so `0815`, `no` and `1e3` reach their setting unharmed.
 * Limits: `YAML_OCTETS_MAX`, `DEPTH_MAX`. Faults go to the `ProblemList`; nothing throws.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { type Detail, type Position, type Problem, type ProblemList, shown } from './problem.ts'
import { type Environment, expandEnvironment } from './secret.ts'

/** Octets. 50,000 domains need about 5 MB; ten times as much is some other file. */
export const YAML_OCTETS_MAX = 64 * 1024 * 1024
/** The deepest setting is at 7. */
export const DEPTH_MAX = 20

export type Written = string | number | null | readonly Written[] | WrittenSection
export interface WrittenSection {
  readonly [key: string]: Written
}
export type SettingPath = readonly (string | number)[]

/** `tenants.bakery.domains."bakery.example".route`; a key with a dot is quoted. */
export const settingText = (path: SettingPath): string =>
  path.map((step) => (typeof step === 'string' && step.includes('.') ? `"${step}"` : step)).join('.')

const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,14})$/

export class YamlText {
  readonly file: string
  readonly value: Written
  readonly #problems: ProblemList
  readonly #lines = new LineCounter()
  readonly #root: unknown
  readonly #environment: Environment
  readonly #keys = new WeakMap<YAMLMap, Map<string, Pair>>()

  constructor(text: string, file: string, environment: Environment, problems: ProblemList) {
    this.file = file
    this.#problems = problems
    this.#environment = environment
    // The library compares each key with all others of its map; with 10,000 tenants that takes seconds.
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      uniqueKeys: false,
      stringKeys: true,
      resolveKnownTags: false,
      prettyErrors: false,
      logLevel: 'error',
    })
    this.#root = document.contents
    const faults = [...document.errors, ...document.warnings]
    for (const fault of faults) this.#report(fault.pos[0], '', syntaxText(fault), syntaxHint(text, fault))
    this.value = faults.length > 0 ? null : this.#plain(document.contents, [])
  }

  /** Where a setting stands; of one that is absent, the nearest thing around it that is there. */
  locate(path: SettingPath, what: 'key' | 'value' = 'value'): Position {
    let node = this.#root
    let offset = offsetOf(node, 0)
    for (const [i, step] of path.entries()) {
      if (isMap(node) && typeof step === 'string') {
        const pair = this.#index(node).get(step)
        if (pair === undefined) break
        node = pair.value
        const last = i === path.length - 1
        offset = last && what === 'value' ? offsetOf(node, offsetOf(pair.key, offset)) : offsetOf(pair.key, offset)
      } else if (typeof step === 'number') {
        node = itemOf(node, step)
        offset = offsetOf(node, offset)
      } else break
    }
    return this.#position(offset)
  }

  /** The text of a single value as it stands in the file, variables not replaced; undefined for anything else. */
  source(path: SettingPath): string | undefined {
    let node = this.#root
    for (const step of path) {
      if (typeof step === 'number') node = itemOf(node, step)
      else node = isMap(node) ? this.#index(node).get(step)?.value : undefined
    }
    return isScalar(node) ? (node.source ?? '') : undefined
  }

  /** The values with their variables not replaced: fit to be shown. Only for a file without faults. */
  written(): Written {
    return asWritten(this.#root)
  }

  report(severity: Problem['severity'], path: SettingPath, message: string, detail: Detail = {}, what?: 'key'): void {
    const position = this.locate(path, what)
    this.#problems.add({ severity, position, setting: settingText(path), message, ...detail })
  }

  #report(offset: number, setting: string, message: string, detail: Detail = {}): void {
    this.#problems.add({ severity: 'error', position: this.#position(offset), setting, message, ...detail })
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset)
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }

  #index(map: YAMLMap): Map<string, Pair> {
    let index = this.#keys.get(map)
    if (index === undefined) {
      index = new Map()
      for (const pair of map.items) {
        const key = keyText(pair)
        if (!index.has(key)) index.set(key, pair)
      }
      this.#keys.set(map, index)
    }
    return index
  }

  #plain(node: unknown, path: (string | number)[]): Written {
    if (path.length > DEPTH_MAX) {
      this.#report(offsetOf(node, 0), settingText(path), `is nested more than ${DEPTH_MAX} levels deep`)
      return null
    }
    if (isMap(node)) return this.#section(node, path)
    if (isSeq(node)) return node.items.map((item, i) => this.#plain(item, [...path, i]))
    if (isAlias(node)) {
      const hint = 'write the value out; a name that begins with * must stand in quotes'
      this.#report(offsetOf(node, 0), settingText(path), `aliases (*${node.source}) are not allowed`, { hint })
      return null
    }
    return isScalar(node) ? this.#single(node, path) : null
  }

  #section(map: YAMLMap, path: readonly (string | number)[]): WrittenSection {
    // Without a prototype, so that a key such as `__proto__` is a key.
    const section: Record<string, Written> = Object.create(null)
    const index = this.#index(map)
    for (const pair of map.items) {
      const key = keyText(pair)
      const here = [...path, key]
      const first = index.get(key)
      if (first === pair) section[key] = this.#plain(pair.value, here)
      else {
        const related = [{ position: this.#position(offsetOf(first?.key, 0)), text: 'the first one' }]
        this.#report(offsetOf(pair.key, 0), settingText(here), `${shown(key)} stands here twice`, { related })
      }
    }
    return section
  }

  #single(node: Scalar, path: SettingPath): Written {
    const value = singleValue(node)
    if (typeof value !== 'string') return value
    const expanded = expandEnvironment(value, this.#environment)
    if (expanded.ok) return expanded.text
    this.#report(offsetOf(node, 0), settingText(path), expanded.fault)
    return value
  }
}

const keyText = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value) : '')

/** One value alone, where a list may stand, is its own first item. */
const itemOf = (node: unknown, index: number): unknown => (isSeq(node) ? node.items[index] : node)

function asWritten(node: unknown): Written {
  if (isMap(node)) {
    const section: Record<string, Written> = Object.create(null)
    for (const pair of node.items) section[keyText(pair)] = asWritten(pair.value)
    return section
  }
  if (isSeq(node)) return node.items.map(asWritten)
  return isScalar(node) ? singleValue(node) : null
}

/** Null for nothing, a number for plain digits without a leading zero, else the text. */
function singleValue({ source = '', type }: Scalar): Written {
  if (type !== 'PLAIN') return source
  if (source === '' || source === '~') return null
  return WHOLE_NUMBER.test(source) ? Number(source) : source
}

function offsetOf(node: unknown, otherwise: number): number {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range
  return range?.[0] ?? otherwise
}

function syntaxText(fault: YAMLError): string {
  if (fault.code === 'RESOURCE_EXHAUSTION') return 'this is nested too deep to be read'
  if (fault.code === 'TAG_RESOLVE_FAILED') return 'tags (words with !) are not allowed'
  if (fault.code === 'MULTIPLE_DOCS') return 'the file holds more than one document (---)'
  return `this is not YAML: ${fault.message}`
}

// The two slips that YAML punishes with riddles.
function syntaxHint(text: string, fault: YAMLError): Detail {
  const lineStart = text.lastIndexOf('\n', fault.pos[0] - 1) + 1
  const lineEnd = text.indexOf('\n', lineStart)
  const line = text.slice(lineStart, Math.min(lineEnd < 0 ? text.length : lineEnd, lineStart + 200))
  if (/\[[0-9a-fA-F:.]*\]:\d/.test(line)) return { hint: 'an IPv6 address must stand in quotes: "[::]:25"' }
  if (/^\s*(?:- )?\*/.test(line)) return { hint: 'a name that begins with * must stand in quotes: "*.bakery.example"' }
  return fault.code === 'TAB_AS_INDENT' ? { hint: 'indent with spaces' } : {}
}
