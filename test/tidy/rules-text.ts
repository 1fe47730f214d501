/**
 * The rules about words: what may not be written, and what may be written in one place only. Strings are blanked before
 * most of them look, so that the planted examples of the tests do not count.
 */
import { importsOf, lineOf, type SourceFile } from './modules.ts'
import { tokens, without } from './tokens.ts'

/** The text without what stands in strings, templates and regular expressions; comments stay. */
const unquoted = ({ text }: SourceFile): string => without(text, tokens(text), 'string', 'template', 'regex')
const code = ({ text }: SourceFile): string => without(text, tokens(text), 'string', 'template', 'regex', 'comment')

function findAll(path: string, text: string, pattern: RegExp, what: string): string[] {
  return [...text.matchAll(pattern)].map((match) => `${path}:${lineOf(text, match.index)}: ${what}: ${match[0].trim()}`)
}

const UNFINISHED = /\b(?:TODO|FIXME|XXX)\b/g
const SWITCHED_OFF = /@ts-(?:ignore|nocheck)|\b(?:biome|eslint)-(?:ignore|disable)/g
// In a test it is the check: the compiler must refuse the line.
const EXPECTED_ERROR = /@ts-expect-error/g
const SWITCHED_OFF_IN_CODE = /\b(?:test|it|t|describe|suite)\.(?:only|skip|todo)\(|\bas any\b|:\s*any\b|<any>/g

export function leftovers(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const text = unquoted(file)
    const found = findAll(file.path, text, UNFINISHED, 'unfinished')
    found.push(...findAll(file.path, text, SWITCHED_OFF, 'a check switched off'))
    if (!file.path.endsWith('.test.ts')) found.push(...findAll(file.path, text, EXPECTED_ERROR, 'a check switched off'))
    return [...found, ...findAll(file.path, code(file), SWITCHED_OFF_IN_CODE, 'a check switched off')]
  })
}

/** A name that says only "things" invites more things. */
export function emptyNames(paths: readonly string[]): string[] {
  return paths
    .filter((path) => /(?:^|[/-])(?:utils?|helpers?|common|managers?|misc)(?:[/.-]|$)/i.test(path))
    .map((path) => `${path}: the name says nothing`)
}

export function kebabCase(paths: readonly string[]): string[] {
  return paths
    .filter((path) => /\.tsx?$/.test(path) && !/^[a-z0-9-]+(?:\.test)?\.tsx?$/.test(path.split('/').pop() ?? ''))
    .map((path) => `${path}: not kebab-case`)
}

/** Paths that exist on the machine of whoever wrote them. */
export function machinePaths(files: readonly SourceFile[]): string[] {
  const pattern = /(?<![\w.~-])\/(?:work|root|home\/\w+)\/[\w.-]+/g
  return files.flatMap((file) => findAll(file.path, file.text, pattern, 'a path of one machine'))
}

/** The files that may verify a return path, by name. */
export const RETURN_PATH_MAKERS: readonly string[] = ['src/relay/return-path.ts']

/** Law 1 and law 2: who may make a promise, and who may answer a return path. */
export const MAKERS: readonly { readonly call: string; readonly where: RegExp | readonly string[] }[] = [
  { call: 'SpoolReceipt.afterSync', where: /^src\/spool\// },
  { call: 'QuarantineReceipt.afterSync', where: /^src\/quarantine\// },
  { call: 'NextHopReceipt.afterPositiveReply', where: /^src\/deliver\// },
  { call: 'DiscardRecord.afterReport', where: /^src\/relay\/(?:outbound|callout-sender)\.ts$/ },
  { call: 'VerifiedReturnPath.from', where: RETURN_PATH_MAKERS },
]

const isIn = (where: RegExp | readonly string[], path: string): boolean =>
  where instanceof RegExp ? where.test(path) : where.includes(path)

export function makers(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => file.path.startsWith('src/') && !/(?:\.test|\/testing)\.ts$/.test(file.path))
    .flatMap((file) => {
      const text = code(file)
      return MAKERS.filter(({ where }) => !isIn(where, file.path)).flatMap(({ call }) =>
        findAll(file.path, text, new RegExp(`\\b${call.replace('.', '\\s*\\.\\s*')}\\b`, 'g'), 'not its place'),
      )
    })
}

/** What a pure engine must not touch: the machines of `smtp/` get octets and ticks, and nothing else. */
const PURE = /^src\/(?:mail|smtp|mime)\//
const OUTSIDE_MODULES =
  /^node:(?:fs|tls|https?|http2|dns|dgram|child_process|cluster|worker_threads|timers|process)(?:\/|$)/
const OUTSIDE_WORDS =
  /\b(?:setTimeout|setInterval|setImmediate|Date\.now|performance\.now|Math\.random|process\.\w+)\b/g

export function pureEngines(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => PURE.test(file.path) && !file.path.endsWith('.test.ts'))
    .flatMap((file) => {
      const modules = importsOf(file).filter(({ target }) => OUTSIDE_MODULES.test(target))
      const imported = modules.map(({ target, line }) => `${file.path}:${line}: the outside world: ${target}`)
      return [...imported, ...findAll(file.path, code(file), OUTSIDE_WORDS, 'the outside world')]
    })
}

/** A file opens by saying what it is. */
export function openings(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => /^(?:src|sim|fuzz|bench|portal)\//.test(file.path) && !file.path.endsWith('.test.ts'))
    .filter((file) => !/^(?:#!.*\n)?\/\*\*/.test(file.text))
    .map((file) => `${file.path}: opens without a docstring`)
}
