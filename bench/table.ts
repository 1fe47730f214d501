/** Results as a Markdown table, columns padded so that it also reads well as plain text. */
export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}
/** Undefined: not measured, or it did not succeed. */
export type Cell = string | number | undefined

/** Three figures are all that a run on shared cores is good for. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
}

const cellText = (cell: Cell): string => (cell === undefined ? '-' : typeof cell === 'number' ? figure(cell) : cell)

export function markdown(table: Table): string {
  const rows = [table.columns, ...table.rows.map((row) => row.map(cellText))]
  const widths = table.columns.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [`### ${table.title}`, '', line(rows[0]!), rule, ...rows.slice(1).map(line), ''].join('\n')
}
