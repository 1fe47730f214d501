/**
 * Messages in bulk from disk: files, folders with all that is below them (a Maildir is one), mailboxes of the mbox kind, and
 * standard input; one message after the other, so that thousands need no more memory than the largest. Names are taken in
 * order. Hidden files, empty ones, and links below a folder are passed over.
 */
import { createReadStream, type Stats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Content, content } from '#mail/content.ts'
import { withCrlf } from './message-file.ts'

/** Of one message, in octets; what is larger is cut: no filter reads so far. */
export const MESSAGE_OCTETS_MAX = 32 * 1024 * 1024
const SEPARATOR = Buffer.from('From ')
const QUOTE = 0x3e
const LF = 0x0a

export interface NamedMessage {
  /** The file, and in a mailbox the number of the message: `spam.mbox#17`. */
  readonly name: string
  /** Lines end in CRLF, as they would on the wire. */
  readonly content: Content
}

/** `-` is standard input. */
export async function* messagesIn(paths: readonly string[]): AsyncGenerator<NamedMessage> {
  for (const path of paths) {
    if (path === '-') yield* messagesOf(path, process.stdin)
    else yield* below(path, await stat(path))
  }
}

async function* below(path: string, found: Stats): AsyncGenerator<NamedMessage> {
  if (found.isFile()) yield* messagesOf(path, createReadStream(path))
  if (!found.isDirectory()) return
  for (const name of (await readdir(path)).sort()) {
    const entry = join(path, name)
    if (!name.startsWith('.')) yield* below(entry, await lstat(entry))
  }
}

/** A file that begins with `From ` is a mailbox: such a line at its beginning or behind an empty one begins a message. */
async function* messagesOf(name: string, stream: AsyncIterable<unknown>): AsyncGenerator<NamedMessage> {
  let isMbox = false
  let isBehindBlank = true
  let number = 0
  let octets = 0
  let lines: Buffer[] = []
  const whole = (): NamedMessage[] => {
    const message = withCrlf(Buffer.concat(lines))
    lines = []
    octets = 0
    return message.length === 0 ? [] : [{ name: isMbox ? `${name}#${number}` : name, content: content([message]) }]
  }
  for await (const line of linesOf(stream)) {
    isMbox ||= number === 0 && octets === 0 && startsWith(line, SEPARATOR)
    if (isMbox && isBehindBlank && startsWith(line, SEPARATOR)) {
      yield* whole()
      number++
    } else if (octets < MESSAGE_OCTETS_MAX) {
      lines.push(isMbox ? unquoted(line) : line)
      octets += line.length
    }
    isBehindBlank = /^\r?\n$/.test(line.toString('latin1', 0, 3))
  }
  yield* whole()
}

const startsWith = (line: Buffer, begin: Buffer): boolean => line.subarray(0, begin.length).equals(begin)

/** `>From ` was `From `, `>>From ` was `>From `. */
function unquoted(line: Buffer): Buffer {
  let at = 0
  while (line[at] === QUOTE) at++
  return at > 0 && startsWith(line.subarray(at), SEPARATOR) ? line.subarray(1) : line
}

/** Lines with their ends. A line is cut where it is larger than a message may be. */
async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  let octets = 0
  for await (const read of stream) {
    const chunk = read as Buffer
    let at = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, at)) {
      yield Buffer.concat([...rest, chunk.subarray(at, end + 1)])
      rest = []
      octets = 0
      at = end + 1
    }
    rest.push(chunk.subarray(at))
    octets += chunk.length - at
    if (octets < MESSAGE_OCTETS_MAX) continue
    yield Buffer.concat(rest)
    rest = []
    octets = 0
  }
  if (octets > 0) yield Buffer.concat(rest)
}
