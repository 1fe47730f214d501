/**
 * Just enough of a TypeScript lexer for the tidy rules: it tells code from comments, strings, templates and regular
 * expressions, so that a rule sees a word only where it means something. It builds no tree.
 *
 * Limit: whether a slash begins a regular expression is decided by the token before it; behind `)`, `]` and `}` it is
 * read as division, so a statement must not begin with a regular expression.
 */
export type TokenKind = 'word' | 'punctuation' | 'string' | 'template' | 'regex' | 'comment'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** Index of its first character. */
  readonly at: number
}

/** A template's parts are tokens of their own: the text pieces are `template`, what stands in `${}` is code. */
export function tokens(source: string): Token[] {
  const found: Token[] = []
  // One entry per open `${`: how many braces are open inside it.
  const braces: number[] = []
  let at = 0
  const take = (kind: TokenKind, end: number) => {
    found.push({ kind, text: source.slice(at, end), at })
    at = end
  }
  const takeTemplate = () => {
    const end = templateEnd(source, at + 1)
    if (source.startsWith('${', end - 2)) braces.push(0)
    take('template', end)
  }
  while (at < source.length) {
    const c = source.charAt(at)
    const open = braces.length - 1
    if (/\s/.test(c)) at++
    else if (source.startsWith('//', at)) take('comment', lineEnd(source, at))
    else if (source.startsWith('/*', at)) take('comment', behind(source, '*/', at + 2))
    else if (c === "'" || c === '"') take('string', stringEnd(source, at))
    else if (c === '`') takeTemplate()
    else if (c === '}' && braces[open] === 0) {
      braces.pop()
      takeTemplate()
    } else if (c === '/' && regexMayFollow(found)) take('regex', regexEnd(source, at))
    else if (WORD.test(c)) take('word', wordEnd(source, at))
    else {
      if (open >= 0 && c === '{') braces[open] = (braces[open] ?? 0) + 1
      if (open >= 0 && c === '}') braces[open] = (braces[open] ?? 0) - 1
      take('punctuation', at + (source.startsWith('=>', at) ? 2 : 1))
    }
  }
  return found
}

const WORD = /[\w$#\u0080-\uffff]/

function wordEnd(source: string, start: number): number {
  let end = start + 1
  while (end < source.length && WORD.test(source.charAt(end))) end++
  return end
}

function lineEnd(source: string, start: number): number {
  const end = source.indexOf('\n', start)
  return end < 0 ? source.length : end
}

function behind(source: string, what: string, start: number): number {
  const found = source.indexOf(what, start)
  return found < 0 ? source.length : found + what.length
}

function stringEnd(source: string, start: number): number {
  const quote = source.charAt(start)
  for (let i = start + 1; i < source.length; i++) {
    if (source.charAt(i) === '\\') i++
    else if (source.charAt(i) === quote || source.charAt(i) === '\n') return i + 1
  }
  return source.length
}

// Behind the closing backtick, or behind the next `${`.
function templateEnd(source: string, start: number): number {
  for (let i = start; i < source.length; i++) {
    if (source.charAt(i) === '\\') i++
    else if (source.charAt(i) === '`') return i + 1
    else if (source.startsWith('${', i)) return i + 2
  }
  return source.length
}

function regexEnd(source: string, start: number): number {
  let inClass = false
  for (let i = start + 1; i < source.length; i++) {
    const c = source.charAt(i)
    if (c === '\\') i++
    else if (c === '[') inClass = true
    else if (c === ']') inClass = false
    else if (c === '\n') return i
    else if (c === '/' && !inClass) return WORD.test(source.charAt(i + 1)) ? wordEnd(source, i + 1) : i + 1
  }
  return source.length
}

const REGEX_AFTER_WORDS = new Set(['return', 'typeof', 'case', 'in', 'of', 'await', 'yield', 'void', 'delete', 'throw'])

function regexMayFollow(found: readonly Token[]): boolean {
  const before = found.findLast((token) => token.kind !== 'comment')
  if (!before) return true
  if (before.kind === 'word') return REGEX_AFTER_WORDS.has(before.text)
  return before.kind === 'punctuation' && !/^[)\]}]$/.test(before.text)
}

/** The source with all tokens of these kinds blanked out; every index and line stays where it was. */
export function without(source: string, found: readonly Token[], ...kinds: readonly TokenKind[]): string {
  let text = ''
  let end = 0
  for (const token of found) {
    if (!kinds.includes(token.kind)) continue
    text += source.slice(end, token.at) + token.text.replace(/[^\n]/g, ' ')
    end = token.at + token.text.length
  }
  return text + source.slice(end)
}
