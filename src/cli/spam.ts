/** `vorposten spam …`: what the spam filter has learned. */
import { Command } from 'commander'
import type { Ask } from './queue.ts'
import { reputationCommand } from './spam-reputation.ts'

export function spamCommand(ask: Ask): Command {
  return new Command('spam').description('what the spam filter has learned').addCommand(reputationCommand(ask))
}
