/**
 * Mail to learn from, as it lies about: files with a message each, mbox files, and folders of both (a Maildir is one). Names
 * are taken in order, so that the same folder teaches the same. Hidden files and empty ones are passed over.
 */
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT, UserError } from './exit.ts'

/** Of a file; a larger mailbox is better split, since only the newest lessons are kept anyway. */
const FILE_OCTETS_MAX = 512 * 1024 * 1024

/** `-` is standard input. Lines end in CRLF, as they would on the wire. */
export async function* mailAt(path: string): AsyncGenerator<Buffer> {
  if (path === '-') {
    yield* messagesIn(Buffer.concat(await Array.fromAsync(process.stdin)))
    return
  }
  const found = await lstat(path)
  if (found.isDirectory()) {
    for (const name of (await readdir(path)).sort()) if (!name.startsWith('.')) yield* mailAt(join(path, name))
  } else if (found.isFile()) {
    if (found.size > FILE_OCTETS_MAX)
      throw new UserError(`${path} is larger than ${FILE_OCTETS_MAX} octets`, 'Split it.', EXIT.data)
    yield* messagesIn(await readFile(path))
  }
}

const SEPARATOR = 'From '

/** Of an mbox file, or of one with a single message. */
export function* messagesIn(octets: Buffer): Generator<Buffer> {
  if (octets.toString('latin1', 0, SEPARATOR.length) !== SEPARATOR) {
    if (octets.length > 0) yield onTheWire(octets.toString('latin1'))
    return
  }
  let start = 0
  while (start < octets.length) {
    const next = nextSeparator(octets, start)
    const headerAt = octets.indexOf('\n', start) + 1
    if (headerAt > 0 && headerAt < next)
      yield onTheWire(octets.toString('latin1', headerAt, next).replace(/^>(>{0,9}From )/gm, '$1'))
    start = next
  }
}

/** Behind a blank line. */
function nextSeparator(octets: Buffer, from: number): number {
  for (let at = from; ; ) {
    const found = octets.indexOf(`\n${SEPARATOR}`, at)
    if (found < 0) return octets.length
    const before = octets[found - 1]
    if (before === 0x0a || (before === 0x0d && octets[found - 2] === 0x0a)) return found + 1
    at = found + 1
  }
}

const onTheWire = (text: string): Buffer => Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'latin1')
