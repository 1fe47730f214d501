/** `vorposten spam …`: what the spam filter has learned, and whom it asks. */
import { Command } from 'commander'
import type { Config } from '#config/config.ts'
import type { Ask } from './queue.ts'
import { spamListsCommand } from './spam-lists.ts'
import { reputationCommand } from './spam-reputation.ts'

export function spamCommand(ask: Ask, config: () => Promise<Config>): Command {
  return new Command('spam')
    .description('what the spam filter has learned, and whom it asks')
    .addCommand(reputationCommand(ask))
    .addCommand(spamListsCommand(config))
}
