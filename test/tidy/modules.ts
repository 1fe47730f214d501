/**
 * Who imports whom. Type-only imports count: a type is knowledge too. Found are static and dynamic imports, re-exports,
 * `import('…')` types, and strings that name a source file (workers and child processes are started by such a name).
 */
import { posix } from 'node:path'
import { type Token, tokens } from './tokens.ts'

export interface SourceFile {
  /** From the root of the checkout, with slashes. */
  readonly path: string
  readonly text: string
}

export interface Import {
  /** A path from the root of the checkout, or the name of a package. */
  readonly target: string
  readonly line: number
  /** Only named in a string: it makes a file reachable, but is no import. */
  readonly named: boolean
}

export function importsOf(file: SourceFile): Import[] {
  const found = tokens(file.text).filter((token) => token.kind !== 'comment')
  const imports: Import[] = []
  const specifiers = new Set<Token>()
  found.forEach((token, i) => {
    const specifier = isKeyword(found, i) ? specifierAfter(found, i) : undefined
    if (specifier) {
      specifiers.add(specifier)
      imports.push(resolved(file, specifier, false))
    } else if (token.kind === 'string' && NAMES_A_SOURCE.test(token.text) && !specifiers.has(token)) {
      imports.push(resolved(file, token, true))
    }
  })
  return imports
}

const NAMES_A_SOURCE = /^['"](?:#|\.\.?\/).*\.ts['"]$/

// `import` and `export` as words of the language, not as a property's name.
function isKeyword(found: readonly Token[], i: number): boolean {
  const token = found[i]
  return token?.kind === 'word' && /^(?:import|export)$/.test(token.text) && found[i - 1]?.text !== '.'
}

function specifierAfter(found: readonly Token[], start: number): Token | undefined {
  const next = found[start + 1]
  if (found[start]?.text === 'import') {
    if (next?.kind === 'string') return next
    if (next?.text === '(') return found[start + 2]?.kind === 'string' ? found[start + 2] : undefined
  } else if (next?.text !== '{' && next?.text !== '*' && !(next?.text === 'type' && found[start + 2]?.text === '{')) {
    return undefined
  }
  // Between the keyword and `from` stand only names, commas, braces and a star.
  for (let i = start + 1; i < found.length; i++) {
    const token = found[i]
    if (token?.text === 'from' && found[i + 1]?.kind === 'string') return found[i + 1]
    if (token?.kind !== 'word' && !/^[{},*]$/.test(token?.text ?? '')) return undefined
  }
  return undefined
}

function resolved(file: SourceFile, specifier: Token, named: boolean): Import {
  const name = specifier.text.slice(1, -1)
  const line = lineOf(file.text, specifier.at)
  if (name.startsWith('#')) return { target: `src/${name.slice(1)}`, line, named }
  if (name.startsWith('.')) return { target: posix.join(posix.dirname(file.path), name), line, named }
  return { target: name, line, named }
}

export function lineOf(text: string, at: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line++
  return line
}
