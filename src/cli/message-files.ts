/**
 * Messages in bulk from disk: files, folders with all that is below them, and mailboxes of the mbox kind, one message after
 * the other, so that thousands need no more memory than one file.
 */
import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Content, content } from '#mail/content.ts'
import { withCrlf } from './message-file.ts'

/** Of one message, in octets; what is larger is cut: no filter reads so far. */
export const MESSAGE_OCTETS_MAX = 32 * 1024 * 1024
const MBOX = Buffer.from('From ')

export interface NamedMessage {
  /** The file, and in a mailbox the number of the message: `spam.mbox#17`. */
  readonly name: string
  readonly content: Content
}

export async function* messagesIn(paths: readonly string[]): AsyncGenerator<NamedMessage> {
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) {
      const below = (await readdir(path)).sort()
      yield* messagesIn(below.filter((name) => !name.startsWith('.')).map((name) => join(path, name)))
    } else yield* messagesOf(path)
  }
}

async function* messagesOf(file: string): AsyncGenerator<NamedMessage> {
  const begin = Buffer.alloc(MBOX.length)
  const handle = await open(file)
  await handle.read(begin, 0, begin.length, 0)
  await handle.close()
  let number = 0
  let octets = 0
  let chunks: Buffer[] = []
  const message = (name: string): NamedMessage => {
    const whole = withCrlf(Buffer.concat(chunks))
    chunks = []
    octets = 0
    return { name, content: content([whole]) }
  }
  const isMbox = begin.equals(MBOX)
  for await (const line of isMbox ? linesOf(file) : createReadStream(file)) {
    if (isMbox && line.subarray(0, MBOX.length).equals(MBOX)) {
      if (number > 0) yield message(`${file}#${number}`)
      number++
    } else if (octets < MESSAGE_OCTETS_MAX) {
      chunks.push(line)
      octets += line.length
    }
  }
  yield message(isMbox ? `${file}#${number}` : file)
}

/** Lines with their ends. A line is cut where it is larger than what is read at a time. */
async function* linesOf(file: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const read of createReadStream(file)) {
    const chunk = Buffer.concat([rest, read as Buffer])
    let at = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
      yield chunk.subarray(at, end + 1)
      at = end + 1
    }
    rest = chunk.subarray(at)
    if (rest.length < MESSAGE_OCTETS_MAX) continue
    yield rest
    rest = Buffer.alloc(0)
  }
  if (rest.length > 0) yield rest
}
