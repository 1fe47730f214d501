/**
 * A document as HTML for mail clients: one column, styles inline, nothing from elsewhere; readable without any style and
 * by a screen reader (language, headings, header cells with their scope, a caption). Colours have a contrast of 7:1.
 */
import type { Block, Document, Piece, Pieces, Table } from './document.ts'
import { harmless } from './harmless.ts'

const FONT = 'font-family:system-ui,Arial,sans-serif;font-size:16px;line-height:1.5;color:#1a1a1a'
const BODY = `margin:0;padding:16px;background:#ffffff;${FONT}`
const HEADING = 'margin:24px 0 8px;font-size:18px'
const TABLE = 'border-collapse:collapse;font-size:14px'
const CELL = 'border:1px solid #8c8c8c;padding:6px 8px;text-align:left;vertical-align:top'
const HEAD_CELL = `${CELL};background:#f0f0f0`
const CODE = 'font-family:ui-monospace,Consolas,monospace;font-size:14px;background:#f0f0f0;padding:1px 4px'

export function htmlOf({ language, subject, blocks }: Document): string {
  return [
    '<!DOCTYPE html>',
    `<html lang="${language}">`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(subject)}</title>`,
    '</head>',
    `<body style="${BODY}">`,
    `<h1 style="margin:0 0 16px;font-size:22px">${escaped(subject)}</h1>`,
    ...blocks.flatMap(blockLines),
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

/** Safe between tags and inside a quoted attribute value. */
export const escaped = (text: string): string => harmless(text).replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`)

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case 'heading':
      return [`<h2 style="${HEADING}">${escaped(block.text)}</h2>`]
    case 'paragraph':
      return [`<p style="margin:0 0 12px">${inline(block.pieces)}</p>`]
    case 'list':
      return ['<ul>', ...block.items.map((item) => `<li>${inline(item)}</li>`), '</ul>']
    case 'facts':
      return factLines(block.rows)
    case 'commands':
      return block.rows.flatMap(([purpose, command]) => [
        `<p style="margin:0 0 8px">${escaped(purpose)}<br>`,
        `<code style="${CODE}">${escaped(command)}</code></p>`,
      ])
    case 'table':
      return tableLines(block)
  }
}

function factLines(rows: readonly (readonly [string, Pieces])[]): string[] {
  const cells = rows.map(
    ([name, value]) =>
      `<tr><th scope="row" style="${HEAD_CELL}">${escaped(name)}</th><td style="${CELL}">${inline(value)}</td></tr>`,
  )
  return [`<table style="${TABLE};margin:0 0 12px">`, ...cells, '</table>']
}

function tableLines({ caption, columns, rows }: Table): string[] {
  const head = columns.map((column) => `<th scope="col" style="${HEAD_CELL}">${escaped(column)}</th>`)
  return [
    `<table style="${TABLE};margin:0 0 12px">`,
    `<caption style="text-align:left;padding:0 0 6px;font-weight:bold">${escaped(caption)}</caption>`,
    '<thead>',
    `<tr>${head.join('')}</tr>`,
    '</thead>',
    '<tbody>',
    ...rows.flatMap((cells) => [
      '<tr>',
      ...cells.map((cell, i) => {
        const [open, close] = i === 0 ? [`th scope="row"`, 'th'] : ['td', 'td']
        return `<${open} style="${CELL}${i === 0 ? ';font-weight:normal' : ''}">${inline(cell)}</${close}>`
      }),
      '</tr>',
    ]),
    '</tbody>',
    '</table>',
  ]
}

const inline = (pieces: Pieces): string => pieces.map(pieceHtml).join('')

// Each foreign word is isolated: its direction of writing stays its own.
function pieceHtml(piece: Piece): string {
  if (typeof piece === 'string') return escaped(piece)
  if ('code' in piece) return `<code style="${CODE}">${escaped(piece.code)}</code>`
  if ('foreign' in piece) return `<q dir="auto">${escaped(piece.foreign)}</q>`
  if ('address' in piece) return `<bdi>${escaped(piece.address)}</bdi>`
  return '<br>'
}
