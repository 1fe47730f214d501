/** A message from disk, as it would come over the wire: files have the line ends of their system, there it is CRLF. */
import { readFile } from 'node:fs/promises'
import { type Content, content } from '#mail/content.ts'

/** `-` is standard input. */
export async function readMessage(file: string): Promise<Content> {
  const octets = file === '-' ? Buffer.concat(await Array.fromAsync(process.stdin)) : await readFile(file)
  return content([withCrlf(octets)])
}

export const withCrlf = (octets: Buffer): Buffer =>
  Buffer.from(octets.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1')
