/**
 * What is wrong with a configuration: one `Problem` for each fault, with its exact position, what stands there, what is
 * allowed, and a guess at what was meant. All problems of a file are gathered before anyone is told.
 */

export interface Position {
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** 1-based, in UTF-16 units, as editors count. */
  readonly column: number
}

export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly position: Position
  /** `tenants.bakery.routes.main.tls`; empty for a fault of the file as a whole. */
  readonly setting: string
  /** One sentence without a full stop; quotes the offending key or value. */
  readonly message: string
  readonly allowed?: string
  readonly hint?: string
  /** Other places that belong to it, as the first of two equal names. */
  readonly related?: readonly { readonly position: Position; readonly text: string }[]
}

export type Detail = Pick<Problem, 'allowed' | 'hint' | 'related'>

/** Beyond this nobody reads on, and a file that is wrong in one way 50,000 times must not fill the memory. */
export const PROBLEMS_MAX = 1000
/** Values are shown up to this length. */
const SHOWN_CHARS_MAX = 60

/** Gathers problems; those beyond `PROBLEMS_MAX` are only counted. */
export class ProblemList {
  readonly #kept: Problem[] = []
  #left = 0
  #errors = 0

  add(problem: Problem): void {
    if (problem.severity === 'error') this.#errors++
    if (this.#kept.length < PROBLEMS_MAX) this.#kept.push(problem)
    else this.#left++
  }

  get hasErrors(): boolean {
    return this.#errors > 0
  }

  /** In the order of the file; the last one says how many are not shown. */
  sorted(): Problem[] {
    const sorted = this.#kept.toSorted((a, b) => compare(a.position, b.position))
    const last = sorted.at(-1)
    if (this.#left === 0 || last === undefined) return sorted
    const severity = this.hasErrors ? 'error' : 'warning'
    return [...sorted, { severity, position: last.position, setting: '', message: `and ${this.#left} more problems` }]
  }
}

function compare(a: Position, b: Position): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}

/** A value as messages show it: quoted, bounded, control characters escaped. */
export function shown(value: string): string {
  return JSON.stringify(value.length > SHOWN_CHARS_MAX ? `${value.slice(0, SHOWN_CHARS_MAX)}…` : value)
}

export const positionText = (at: Position): string => `${at.file}:${at.line}:${at.column}`

function parts(problem: Problem): { first: string; rest: string[] } {
  const { position, severity, setting, message, allowed, hint, related = [] } = problem
  const rest = related.map((one) => `${one.text}: ${positionText(one.position)}`)
  if (hint !== undefined) rest.unshift(hint)
  if (allowed !== undefined) rest.unshift(`allowed: ${allowed}`)
  return { first: `${positionText(position)}: ${severity}: ${setting && `${setting}: `}${message}`, rest }
}

/** As a compiler prints it; several lines. */
export function problemText(problem: Problem): string {
  const { first, rest } = parts(problem)
  return [first, ...rest.map((line) => `    ${line}`)].join('\n')
}

/** On one line, for the log. */
export function problemLine(problem: Problem): string {
  const { first, rest } = parts(problem)
  return [first, ...rest].join('; ')
}
