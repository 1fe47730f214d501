/**
 * A text file, read whole and bounded. What goes wrong is a value that ends the sentence "the file …".
 */
import { readFile, stat } from 'node:fs/promises'

export type FileText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: string }

/** A text in UTF-8. */
export async function readText(path: string, octetsMax: number): Promise<FileText> {
  try {
    const { size } = await stat(path)
    if (size > octetsMax) return { ok: false, fault: `is larger than ${octetsMax / 2 ** 20} MiB` }
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)) }
  } catch (error) {
    return { ok: false, fault: ioFault(error as NodeJS.ErrnoException) }
  }
}

/** Ends the sentence "the file …". */
export function ioFault({ code = 'unknown error' }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user'
  if (code === 'EISDIR') return 'is a folder'
  return code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not text in UTF-8' : `cannot be read (${code})`
}
