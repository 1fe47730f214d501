/**
 * The index of standards (`rfc/index.md`) against the code that cites them.
 */
import type { SourceFile } from './modules.ts'

export interface Standard {
  readonly number: number
  readonly title: string
  readonly status: string
  readonly position: string
  /** Files and folders, from the root of the checkout. */
  readonly places: readonly string[]
  readonly line: number
}

export const STATUSES: readonly string[] = ['done', 'partial', 'planned', 'refused', 'background']

/** Reads the rows `| number | title | status | position | places |`; all other lines are prose. */
export function standards(index: string): Standard[] {
  return index.split('\n').flatMap((text, i) => {
    const cells = text.split('|').map((cell) => cell.trim())
    const number = Number(cells[1])
    if (!text.startsWith('|') || !Number.isInteger(number) || number === 0) return []
    const places = [...(cells[5] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
    const [, , title = '', status = '', position = ''] = cells
    return [{ number, title, status, position, places, line: i + 1 }]
  })
}

/** `RFC 5321`, and further numbers behind a slash, a comma or "and": `RFC 3461, 3464`. */
export function citedIn({ text }: SourceFile): { number: number; line: number }[] {
  return text
    .split('\n')
    .flatMap((line, i) =>
      [...line.matchAll(/\bRFCs?[ -]?(\d{3,5}(?:(?:\/|, | and )(?:RFC )?\d{4,5}\b)*)/g)].flatMap((match) =>
        [...(match[1] ?? '').matchAll(/\d+/g)].map(([number]) => ({ number: Number(number), line: i + 1 })),
      ),
    )
}

export function unknownCitations(files: readonly SourceFile[], known: readonly Standard[]): string[] {
  const numbers = new Set(known.map((standard) => standard.number))
  return files.flatMap((file) =>
    citedIn(file)
      .filter(({ number }) => !numbers.has(number))
      .map(({ number, line }) => `${file.path}:${line}: RFC ${number} is not in rfc/index.md`),
  )
}

/**
 * Is the index itself true? Every row is whole, the rows of a table are in order, no number comes twice, and what is
 * built points at places that exist and cite the standard.
 */
export function indexFaults(known: readonly Standard[], files: readonly SourceFile[]): string[] {
  const seen = new Set<number>()
  return known.flatMap((standard, i) => {
    const at = `rfc/index.md:${standard.line}: RFC ${standard.number}`
    const before = known[i - 1]
    const faults: string[] = []
    if (!STATUSES.includes(standard.status)) faults.push(`${at}: unknown status "${standard.status}"`)
    if (standard.title === '' || standard.position === '') faults.push(`${at}: no title or no position`)
    if (seen.has(standard.number)) faults.push(`${at}: comes twice`)
    if (before?.line === standard.line - 1 && before.number > standard.number) faults.push(`${at}: not in order`)
    const isBuilt = standard.status === 'done' || standard.status === 'partial'
    if (isBuilt && standard.places.length === 0) faults.push(`${at}: ${standard.status}, but no place in the code`)
    seen.add(standard.number)
    return [...faults, ...standard.places.flatMap((place) => placeFaults(at, standard.number, place, files))]
  })
}

function placeFaults(at: string, number: number, place: string, files: readonly SourceFile[]): string[] {
  const there = files.filter((file) => file.path === place || file.path.startsWith(place.replace(/\/?$/, '/')))
  if (there.length === 0) return [`${at}: there is no ${place}`]
  const cited = there.some((file) => citedIn(file).some((citation) => citation.number === number))
  return cited ? [] : [`${at}: ${place} does not cite it`]
}
