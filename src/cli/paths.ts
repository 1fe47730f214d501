/** Addresses on the command line as paths: with or without their brackets; what is none is the user's mistake. */
import { type ForwardPath, type Parsed, parseForwardPath, parseReversePath, type ReversePath } from '#mail/address.ts'
import { EXIT, UserError } from './exit.ts'

/** `option`: where it was written, such as `--to`. */
export const forwardPathOf = (text: string, option: string): ForwardPath => read(parseForwardPath, text, option)
export const reversePathOf = (text: string, option: string): ReversePath => read(parseReversePath, text, option)

function read<T>(parse: (text: string) => Parsed<T>, text: string, option: string): T {
  const parsed = parse(text.startsWith('<') ? text : `<${text}>`)
  if (parsed.ok) return parsed.value
  throw new UserError(`${option} ${text} is no address (${parsed.fault})`, 'Write anna@example.org.', EXIT.config)
}
