/**
 * The rules about the shape of the project: which folder may know which, how long a function and a file may be, and
 * that nothing lies about unused. Each rule takes files and answers what is wrong, one line per finding.
 */
import { functionsOf } from './functions.ts'
import { type Import, importsOf, type SourceFile } from './modules.ts'

/** DESIGN: an import goes down, or stays in its folder. */
export const RANKS: { readonly [folder: string]: number } = {
  mail: 0,
  smtp: 1,
  mime: 1,
  sys: 1,
  auth: 2,
  tenant: 2,
  config: 2,
  store: 2,
  accept: 3,
  policy: 3,
  recipients: 3,
  scan: 3,
  quarantine: 3,
  spool: 3,
  queue: 3,
  deliver: 3,
  report: 3,
  'relay.ts': 4,
  relay: 4,
  admin: 5,
  conformance: 5,
  cli: 6,
  'main.ts': 6,
}
const STAGE_RANK = 3

/** A screen. */
export const FUNCTION_LINES_MAX = 60
/** A chapter. */
export const FILE_LINES_MAX = 400

/** `testing.ts` and `…-testing.ts` hold what several tests of a folder share. */
const isTest = (path: string): boolean => /(?:\.test|[/-]testing)\.ts$/.test(path)
export const inSource = (path: string): boolean => path.startsWith('src/')

/** The folder below `src/`, or the file that stands there alone. */
const roomOf = (path: string): string => path.split('/')[1] ?? ''

const ownImports = (file: SourceFile): readonly Import[] => importsOf(file).filter((i) => !i.named)

export function importDirection(files: readonly SourceFile[]): string[] {
  const found: string[] = []
  for (const file of files) {
    if (!inSource(file.path) || isTest(file.path)) continue
    const from = roomOf(file.path)
    if (RANKS[from] === undefined) found.push(`${file.path}: the folder ${from} has no rank`)
    for (const { target, line } of ownImports(file)) {
      const wrong = importFault(from, target)
      if (wrong) found.push(`${file.path}:${line}: ${wrong}`)
    }
  }
  return [...found, ...sidewaysCircles(files)]
}

function importFault(from: string, target: string): string | undefined {
  if (!target.includes('/') || !/\.tsx?$/.test(target)) return undefined
  if (!inSource(target)) return `the product imports ${target} from outside src/`
  if (isTest(target)) return `the product imports ${target}, which is for tests`
  const to = roomOf(target)
  const [fromRank, toRank] = [RANKS[from], RANKS[to]]
  if (fromRank === undefined || toRank === undefined || from === to) return undefined
  if (toRank > fromRank) return `${from} (rank ${fromRank}) imports upwards: ${to} (rank ${toRank})`
  if (toRank === fromRank && toRank === STAGE_RANK) return `the stage ${from} imports the stage ${to}`
  return undefined
}

// Beside each other, outside the stages, one folder may use another; but not both each other.
function sidewaysCircles(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, string>()
  for (const file of files) {
    if (!inSource(file.path) || isTest(file.path)) continue
    const from = roomOf(file.path)
    for (const { target } of ownImports(file)) {
      const to = roomOf(target)
      if (inSource(target) && from !== to && RANKS[from] === RANKS[to]) edges.set(`${from} ${to}`, file.path)
    }
  }
  const isCircle = (edge: string) => edges.has(edge.split(' ').reverse().join(' '))
  return [...edges].filter(([edge]) => isCircle(edge)).map(([edge, path]) => `${path}: circle between folders: ${edge}`)
}

/** The portal speaks HTTP only. */
export function portalApart(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => file.path.startsWith('portal/') && !isTest(file.path))
    .flatMap((file) => ownImports(file).map(({ target, line }) => ({ target, at: `${file.path}:${line}` })))
    .filter(({ target }) => inSource(target))
    .map(({ target, at }) => `${at}: the portal imports ${target}`)
}

/** By path and name, the length that a function had when it was forgiven. It may shrink, never grow. */
export type Forgiven = { readonly [pathAndName: string]: number }

export function functionLengths(files: readonly SourceFile[], forgiven: Forgiven): string[] {
  const found: string[] = []
  const unused = new Set(Object.keys(forgiven))
  for (const file of files) {
    for (const { name, line, lines } of functionsOf(file)) {
      if (lines <= FUNCTION_LINES_MAX) continue
      const key = `${file.path} ${name}`
      unused.delete(key)
      const allowed = forgiven[key] ?? FUNCTION_LINES_MAX
      if (lines > allowed) found.push(`${file.path}:${line}: ${name} has ${lines} lines, at most ${allowed}`)
      else if (lines < allowed) found.push(`${file.path}:${line}: ${name} has shrunk: write ${lines} into the list`)
    }
  }
  return [...found, ...[...unused].map((key) => `forgiven without need, take it off the list: ${key}`)]
}

export function fileLengths(files: readonly SourceFile[]): string[] {
  return files
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${FILE_LINES_MAX}`)
}

/** Files of the product that nothing started from `roots` uses; and other files that nobody at all uses. */
export function deadFiles(files: readonly SourceFile[], roots: readonly string[]): string[] {
  const targets = new Map(files.map((file) => [file.path, importsOf(file).map((i) => i.target)]))
  const isRoot = (path: string) => path.endsWith('.test.ts') || roots.includes(path)
  const product = reachable(targets, roots.filter(inSource))
  const anything = reachable(targets, [...targets.keys()].filter(isRoot))
  return files
    .map((file) => file.path)
    .filter((path) => !isRoot(path) && !(inSource(path) && !isTest(path) ? product : anything).has(path))
    .map((path) => `${path}: nobody uses it${anything.has(path) ? ', except tests and tools' : ''}`)
}

function reachable(targets: ReadonlyMap<string, readonly string[]>, roots: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const open = [...roots]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    open.push(...(targets.get(path) ?? []))
  }
  return seen
}
