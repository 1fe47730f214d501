/**
 * Folders for what a test starts. Removed when disposed, and at the latest when the process ends.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = new Set<string>()
process.on('exit', () => {
  for (const folder of folders) remove(folder)
})

export interface TempFolder extends Disposable {
  readonly path: string
  remove(): void
}

/** `name` shows up in the path. Others may enter it: a foreign mail server drops root and still has to. */
export function tempFolder(name = 'test'): TempFolder {
  const path = mkdtempSync(join(tmpdir(), `vorposten-${name}-`))
  chmodSync(path, 0o755)
  folders.add(path)
  const done = () => {
    folders.delete(path)
    remove(path)
  }
  return { path, remove: done, [Symbol.dispose]: done }
}

// A server that is being killed may still write while we remove.
function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
}
