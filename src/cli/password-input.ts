/**
 * Passwords as operators hand them in: typed twice at a terminal, without echo, or the first line of standard input. Never
 * as an argument, which every process of the machine may read. Limit: `LINE_OCTETS_MAX`.
 */
import { StringDecoder } from 'node:string_decoder'
import { EXIT, UserError } from './exit.ts'

const LINE_OCTETS_MAX = 8 * 1024

/** What of a terminal is used. */
export interface SecretInput extends AsyncIterable<Buffer> {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

export interface PasswordInput {
  readonly input: SecretInput
  /** For the questions; standard error, so that what is printed stays clean. */
  readonly say: (text: string) => void
}

export interface PasswordOptions {
  readonly passwordStdin?: boolean
  readonly generate?: boolean
}

export const terminal: PasswordInput = {
  input: process.stdin,
  say: (text) => void process.stderr.write(text),
}

/** Undefined: one is to be made. */
export async function newPassword(options: PasswordOptions, from: PasswordInput): Promise<string | undefined> {
  if (options.generate && options.passwordStdin) {
    throw new UserError('--generate and --password-stdin exclude each other', 'Say one of them.', EXIT.config)
  }
  if (options.generate) return undefined
  if (options.passwordStdin) return firstLine(from.input)
  const [typed, again] = await typedSecrets(['New password: ', 'Once more: '], from)
  if (typed === again) return typed
  throw new UserError('the two differ; nothing was changed', 'Try again.', EXIT.data)
}

export async function knownPassword(options: PasswordOptions, from: PasswordInput): Promise<string> {
  if (options.passwordStdin) return firstLine(from.input)
  return (await typedSecrets(['Password: '], from))[0]!
}

async function firstLine(input: SecretInput): Promise<string> {
  const pieces: Buffer[] = []
  let octets = 0
  for await (const piece of input) {
    pieces.push(piece)
    octets += piece.length
    if (octets > LINE_OCTETS_MAX || piece.includes(0x0a)) break
  }
  return Buffer.concat(pieces).subarray(0, LINE_OCTETS_MAX).toString().split(/\r?\n/, 1)[0]!
}

async function typedSecrets(prompts: readonly string[], { input, say }: PasswordInput): Promise<string[]> {
  if (input.isTTY !== true || input.setRawMode === undefined) {
    const advice = 'Say --password-stdin and hand it in there, or --generate.'
    throw new UserError('there is no terminal to type the password at', advice, EXIT.config)
  }
  const lines = new TypedLines(prompts.length)
  input.setRawMode(true)
  try {
    say(prompts[0]!)
    for await (const piece of input) {
      for (let done = lines.take(piece); done > 0; done--) {
        const next = prompts[lines.lines.length - done + 1]
        say(next === undefined ? '\n' : `\n${next}`)
      }
      if (lines.complete) break
    }
  } finally {
    input.setRawMode(false)
  }
  if (lines.complete) return lines.lines
  say('\n')
  throw new UserError('no password was typed; nothing was changed', 'Try again.', EXIT.data)
}

/** The line editing that a terminal in raw mode leaves to us. */
class TypedLines {
  readonly lines: string[] = []
  readonly #wanted: number
  readonly #decoder = new StringDecoder('utf8')
  #line: string[] = []

  constructor(wanted: number) {
    this.#wanted = wanted
  }

  get complete(): boolean {
    return this.lines.length >= this.#wanted
  }

  /** How many lines have ended. Throws UserError when the operator gave up. */
  take(piece: Buffer): number {
    const before = this.lines.length
    for (const character of this.#decoder.write(piece)) {
      if (this.complete) break
      if (character === '\r' || character === '\n') {
        this.lines.push(this.#line.join(''))
        this.#line = []
      } else if (character === '\x7f' || character === '\b') this.#line.pop()
      else if (character === '\x15') this.#line = []
      else if (character === '\x03' || character === '\x04') {
        throw new UserError('given up; nothing was changed', 'Try again.', EXIT.data)
      } else if (this.#line.length < LINE_OCTETS_MAX) this.#line.push(character)
    }
    return this.lines.length - before
  }
}
