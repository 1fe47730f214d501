/** The options that choose messages, the same for every queue command. */
import { type Command, InvalidArgumentError } from 'commander'
import { readDuration } from '#config/units.ts'
import type { Selection } from '#queue/operations.ts'

interface Options {
  tenant?: string
  route?: string
  state?: 'active' | 'held'
  sender?: string
  recipient?: string
  olderThan?: number
}

export function withSelection(command: Command): Command {
  return command
    .option('--tenant <name>', 'messages of this tenant')
    .option('--route <id>', 'messages for this route (tenant/route)')
    .option('--sender <text>', 'reverse-path contains this; <> is the null path')
    .option('--recipient <text>', 'a forward-path contains this')
    .option('--older-than <duration>', 'received before this long ago, such as 4h', duration)
}

export function selectionOf(ids: readonly string[], options: Options): Selection {
  return {
    ...(ids.length > 0 && { ids }),
    ...(options.tenant !== undefined && { tenant: options.tenant }),
    ...(options.route !== undefined && { route: options.route }),
    ...(options.state !== undefined && { state: options.state }),
    ...(options.sender !== undefined && { sender: options.sender }),
    ...(options.recipient !== undefined && { recipient: options.recipient }),
    ...(options.olderThan !== undefined && { olderThanMs: options.olderThan }),
  }
}

/** Nothing chosen: for commands that change something, that must be said with `--all`. */
export const choosesNothing = (selection: Selection): boolean => Object.keys(selection).length === 0

function duration(text: string): number {
  const ms = readDuration(text)
  if (ms === undefined) throw new InvalidArgumentError('Write 30s, 5m, 4h or 2d.')
  return ms
}
