/**
 * The files of this checkout, as the tidy rules see them: what git knows, and what is new and not ignored.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import type { SourceFile } from './modules.ts'

const ROOT = new URL('../../', import.meta.url)
/** Larger files are data. */
const TEXT_OCTETS_MAX = 1_000_000

export function checkoutPaths(): string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return [...new Set(list.split('\0'))].filter((path) => path !== '' && octetsOf(path) >= 0).sort()
}

// Removed from the work tree and not yet from the index: -1.
function octetsOf(path: string): number {
  return statSync(new URL(path, ROOT), { throwIfNoEntry: false })?.size ?? -1
}

export const readText = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

export function readAll(paths: readonly string[]): SourceFile[] {
  return paths.filter((path) => octetsOf(path) <= TEXT_OCTETS_MAX).map((path) => ({ path, text: readText(path) }))
}

/** Files that package.json's commands start. */
export function commandRoots(): string[] {
  const { scripts, bin } = JSON.parse(readText('package.json')) as { scripts: object; bin: object }
  const commands = [...Object.values(scripts), ...Object.values(bin)].join(' ')
  return [...commands.matchAll(/(?:\.\/)?([\w/-]+\.ts)\b/g)].map((match) => match[1] ?? '')
}
