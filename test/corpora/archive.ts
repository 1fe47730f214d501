/**
 * Reads a corpus: the regular files of a `.tar.gz`, in memory (POSIX ustar, as GNU tar writes small archives).
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** Larger than the project carries: beside the checkout, or where MAIL_CORPORA says. */
const folder = process.env['MAIL_CORPORA']
export const CORPORA = folder ? pathToFileURL(`${folder}/`) : new URL('../../../shared/data/', import.meta.url)
/** What people wanted to read. */
export const HAM_ARCHIVES = [
  'mail-2025-labelled/ham.tar.gz',
  'spam-spamassassin/easy-ham-1.tar.gz',
  'spam-spamassassin/easy-ham-2.tar.gz',
  'spam-spamassassin/hard-ham-1.tar.gz',
]

export interface ArchivedFile {
  /** As the archive has it. */
  readonly path: string
  readonly octets: Buffer
}

const BLOCK_OCTETS = 512

export function readArchive(file: URL): ArchivedFile[] {
  const tar = gunzipSync(readFileSync(file))
  const files: ArchivedFile[] = []
  let longName: string | undefined
  for (let at = 0; at + BLOCK_OCTETS <= tar.length; ) {
    const size = Number.parseInt(text(tar, at + 124, 12), 8)
    if (Number.isNaN(size)) break
    const type = String.fromCharCode(tar[at + 156]!)
    const octets = tar.subarray(at + BLOCK_OCTETS, at + BLOCK_OCTETS + size)
    const prefix = text(tar, at + 345, 155)
    const name = longName ?? `${prefix ? `${prefix}/` : ''}${text(tar, at, 100)}`
    longName = type === 'L' ? text(octets, 0, octets.length) : undefined
    if (type === '0' || type === '\0') files.push({ path: name, octets })
    at += BLOCK_OCTETS + Math.ceil(size / BLOCK_OCTETS) * BLOCK_OCTETS
  }
  return files
}

function text(buffer: Buffer, at: number, length: number): string {
  const field = buffer.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString('utf8')
}

/** Not a list or a note beside the messages. */
export const isMessage = ({ path, octets }: ArchivedFile): boolean =>
  octets.length > 0 && /\.eml$|\/[0-9a-f]{5,}[^/]*$/.test(path)
