/**
 * Functions and their lengths, from the line of the parameter list to the closing brace. Types are stripped before, so
 * that a brace in a type cannot be taken for a body; positions stay.
 */
import { stripTypeScriptTypes } from 'node:module'
import { lineOf, type SourceFile } from './modules.ts'
import { type Token, tokens } from './tokens.ts'

export interface FunctionFound {
  /** Its name, or `anonymous`. */
  readonly name: string
  readonly line: number
  readonly lines: number
}

/** What has parentheses and braces and is no function. */
const NOT_A_NAME = new Set(['if', 'for', 'while', 'switch', 'catch', 'with'])
/** Callbacks that only group tests. */
const GROUPS = new Set(['describe', 'suite'])

export function functionsOf(file: SourceFile): FunctionFound[] {
  const source = stripTypeScriptTypes(file.text)
  const found = tokens(source).filter((token) => token.kind !== 'comment')
  const functions: FunctionFound[] = []
  const opened: number[] = []
  found.forEach((token, i) => {
    if (isBrace(token, '{')) opened.push(i)
    if (!isBrace(token, '}')) return
    const open = opened.pop() ?? 0
    const head = headBefore(found, open)
    if (!head) return
    const line = lineOf(source, head.at)
    functions.push({ name: head.name, line, lines: lineOf(source, token.at) - line + 1 })
  })
  return functions
}

// Template pieces that end in `${` or begin with `}` are no braces of code.
const isBrace = (token: Token, brace: '{' | '}'): boolean => token.kind === 'punctuation' && token.text === brace

/** If the brace at `open` begins a function's body: the function's name and where it begins. */
function headBefore(found: readonly Token[], open: number): { name: string; at: number } | undefined {
  let before = open - 1
  const arrow = found[before]?.text === '=>'
  if (arrow) before--
  if (arrow && found[before]?.kind === 'word') return named(found, before)
  if (found[before]?.text !== ')') return undefined
  const start = openingOf(found, before)
  const name = found[start - 1]
  if (arrow) return named(found, start)
  if (!name || NOT_A_NAME.has(name.text)) return undefined
  // `function (`, `function* (`, `name(`, `'name'(`, `[name](`
  const isFunction = name.kind === 'word' || name.kind === 'string' || name.text === ']' || name.text === '*'
  if (!isFunction || found[start - 2]?.text === 'new') return undefined
  return { name: name.text === 'function' ? 'anonymous' : name.text, at: name.at }
}

// `const name = (…) =>`, `name: (…) =>`, `name = async (…) =>`; a test is named by its title.
function named(found: readonly Token[], start: number): { name: string; at: number } | undefined {
  const at = found[start]?.at ?? 0
  let i = start - 1
  if (found[i]?.text === 'async') i--
  const assigned = found[i]?.text === '=' || found[i]?.text === ':'
  if (assigned && found[i - 1]?.kind === 'word') return { name: found[i - 1]?.text ?? '', at }
  if (found[i]?.text === ',' && found[i - 1]?.kind === 'string' && GROUPS.has(found[i - 3]?.text ?? ''))
    return undefined
  return { name: 'anonymous', at }
}

function openingOf(found: readonly Token[], close: number): number {
  let depth = 0
  for (let i = close; i >= 0; i--) {
    const token = found[i]
    if (token?.kind !== 'punctuation') continue
    if (token.text === ')') depth++
    if (token.text === '(' && --depth === 0) return i
  }
  return 0
}
