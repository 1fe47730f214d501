/** `vorposten recipients …`: who exists, and how we know. */
import { Command } from 'commander'
import type { Ask } from './queue.ts'
import { addListCommands } from './recipients-lists.ts'

export function recipientsCommand(ask: Ask): Command {
  const command = new Command('recipients').description('who exists, and how we know')
  addListCommands(command, ask)
  return command
}
