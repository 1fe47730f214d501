/**
 * A reader of mail that is not ours: the `email` package of Debian's Python.
 */
import { spawnSync } from 'node:child_process'

export interface ReadMail {
  /** Lower-case names, values decoded; of several of one name the last. */
  readonly fields: { readonly [name: string]: string }
  /** Of every part, the whole included. */
  readonly types: readonly string[]
  /** Decoded text of the text parts, LF at the line ends. */
  readonly texts: readonly string[]
  /** What the reader found wrong. */
  readonly defects: readonly string[]
}

const READ = `
import sys, json, email, email.policy
m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
print(json.dumps({
  'fields': {k.lower(): str(v) for k, v in m.items()},
  'types': [p.get_content_type() for p in m.walk()],
  'texts': [p.get_content() for p in m.walk() if p.get_content_maintype() == 'text'],
  'defects': [str(d) for p in m.walk() for d in p.defects]}))`

/** For the `skip` option of a test: false if it is there, else why not. In CI nothing is skipped. */
export const withoutPython = (): string | false =>
  !process.env['CI'] && spawnSync('python3', ['--version']).error !== undefined ? 'needs python3' : false

export function readMail(octets: Buffer): ReadMail {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', READ], { input: octets, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  const read = JSON.parse(stdout) as ReadMail
  return { ...read, texts: read.texts.map((text) => text.replaceAll('\r\n', '\n')) }
}
