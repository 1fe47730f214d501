/** The desk of the running program, put together: the store, and the clerks that keep it. */
import { join } from 'node:path'
import type { Config } from '#config/config.ts'
import type { Notify } from '#mail/notice.ts'
import { NewerStore, openStore, type Part } from '#store/database.ts'
import { OUTAGES_PART, OutagesStore } from '#store/outages.ts'
import { systemClock } from '#sys/clock.ts'
import { createResolver } from '#sys/resolver.ts'
import { connectSocket } from '#sys/socket.ts'
import { OutagesClerk } from './clerks/outages.ts'
import { EXIT, UserError } from './exit.ts'
import { type Clerk, Desk } from './serve/desk.ts'

export const storePath = (dataFolder: string): string => join(dataFolder, 'store.db')

/** Every part of the store, in the order in which they are made. */
const PARTS: readonly Part[] = [OUTAGES_PART]

/** `log`: one line for the operator. */
export async function openDesk(config: Config, log: (line: string) => void): Promise<Desk<Config>> {
  const store = openOwn(storePath(config.dataFolder))
  // Nobody sends notices by mail yet; the clerk logs each one.
  const notify: Notify = () => {}
  const clerks: Clerk<Config>[] = [
    new OutagesClerk(config, {
      clock: systemClock,
      random: Math.random,
      connect: connectSocket,
      resolve: createResolver(systemClock),
      store: new OutagesStore(store),
      notify,
      log,
    }),
  ]
  return new Desk<Config>([...clerks, { subject: 'store', close: async () => store.close() }])
}

function openOwn(path: string) {
  try {
    return openStore(path, PARTS)
  } catch (error) {
    const advice =
      error instanceof NewerStore
        ? 'Start that release again, or name another data folder.'
        : `See whether ${path} may be written and its disk has space. It holds what was learned and counted, no mail.`
    throw new UserError((error as Error).message, advice, EXIT.unavailable)
  }
}
