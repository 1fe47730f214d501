/**
 * A document as plain text: lines of 72 columns, two levels of indentation, tables as one record per row. Only line feeds
 * and printable characters. What must be typed is never broken.
 */
import type { Block, Document, Piece, Pieces, Table } from './document.ts'
import { harmless } from './harmless.ts'

const COLUMNS_MAX = 72
const INDENT = '  '

export function textOf({ language, subject, blocks }: Document): string {
  const marks = language === 'de' ? (['„', '“'] as const) : (['“', '”'] as const)
  const parts = [underlined(subject, '='), ...blocks.map((block) => blockLines(block, marks))]
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

type Marks = readonly [opening: string, closing: string]
/** A word never breaks; it may have spaces inside. */
type Words = readonly string[]

function blockLines(block: Block, marks: Marks): string[] {
  switch (block.kind) {
    case 'heading':
      return underlined(block.text, '-')
    case 'paragraph':
      return lines(block.pieces, marks, '', '')
    case 'list':
      return block.items.flatMap((item) => lines(item, marks, '* ', INDENT))
    case 'facts':
      return factLines(block.rows, marks, '')
    case 'commands':
      return block.rows.flatMap(([purpose, command], i) => [
        ...(i === 0 ? [] : ['']),
        ...lines([purpose], marks, '', ''),
        `${INDENT}${INDENT}${harmless(command)}`,
      ])
    case 'table':
      return tableLines(block, marks)
  }
}

function underlined(text: string, line: string): string[] {
  const title = wrapped(wordsOf([text], ['', ''])[0] ?? [], '', '')
  const columns = Math.max(...title.map((one) => one.length))
  return [...title, line.repeat(columns)]
}

function tableLines({ caption, columns, rows }: Table, marks: Marks): string[] {
  const records = rows.flatMap((cells, i) => {
    const [first, ...more] = cells
    const facts = more.map((cell, j): [string, Pieces] => [columns[j + 1] ?? '', cell])
    const number = `${i + 1}. `
    const indent = ' '.repeat(number.length)
    return ['', ...lines(first ?? [], marks, number, indent), ...factLines(facts, marks, indent)]
  })
  return [...lines([caption], marks, '', ''), ...records]
}

function factLines(rows: readonly (readonly [string, Pieces])[], marks: Marks, indent: string): string[] {
  const names = rows.map(([name]) => `${harmless(name)}:`)
  const columns = Math.max(0, ...names.map((name) => name.length)) + 1
  const hanging = indent + ' '.repeat(columns)
  return rows.flatMap(([, value], i) => lines(value, marks, indent + names[i]!.padEnd(columns), hanging))
}

function lines(pieces: Pieces, marks: Marks, first: string, others: string): string[] {
  return wordsOf(pieces, marks).flatMap((words, i) => wrapped(words, i === 0 ? first : others, others))
}

/** The words of each line that the pieces ask for. */
function wordsOf(pieces: Pieces, marks: Marks): Words[] {
  const found: string[][] = [[]]
  let glued = true
  for (const piece of pieces) {
    if (typeof piece === 'object' && 'kind' in piece) {
      found.push([])
      glued = true
      continue
    }
    const { words, before, after } = pieceWords(piece, marks)
    const line = found.at(-1)!
    words.forEach((word, i) => {
      // Pieces that touch each other are one word: a full stop behind a quotation.
      if (i === 0 && glued && !before && line.length > 0) line[line.length - 1] += word
      else line.push(word)
    })
    if (words.length > 0 || before) glued = !after
  }
  return found
}

function pieceWords(piece: Exclude<Piece, { kind: 'line' }>, [opening, closing]: Marks) {
  if (typeof piece === 'object' && 'code' in piece) {
    return { words: [harmless(piece.code)], before: false, after: false }
  }
  const plain =
    typeof piece === 'string' ? piece : 'address' in piece ? piece.address : `${opening}${piece.foreign}${closing}`
  const text = harmless(plain)
  const words = text.split(' ').filter((word) => word !== '')
  return { words, before: text.startsWith(' '), after: text.endsWith(' ') }
}

function wrapped(words: Words, first: string, others: string): string[] {
  const out: string[] = []
  let line = first
  let isEmpty = true
  for (const word of words) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS_MAX) {
      out.push(line)
      line = others
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...out, line.trimEnd()]
}
