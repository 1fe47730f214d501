/** The desk of the running program, put together: the store, and the clerks that keep it. */
import { join } from 'node:path'
import type { Config } from '#config/config.ts'
import { type Database, NewerStore, openStore, type Part } from '#store/database.ts'
import { MESSAGE_RECORDS } from '#store/message-records.ts'
import { REPLY_LIMITS } from '#store/reply-limits.ts'
import { KEEP_MS, keepMark, STEADY_WALL, type SteadyWall, steadyWallOf } from '#store/steady-wall.ts'
import { type Clock, systemClock } from '#sys/clock.ts'
import { outboundClerks } from './clerks/outbound.ts'
import { EXIT, UserError } from './exit.ts'
import { type Clerk, Desk } from './serve/desk.ts'

export const storePath = (dataFolder: string): string => join(dataFolder, 'store.db')

/** Every part of the store, in the order in which they are made. */
const PARTS: readonly Part[] = [STEADY_WALL, REPLY_LIMITS, MESSAGE_RECORDS]

export async function openDesk(config: Config): Promise<Desk<Config>> {
  const store = openOwn(storePath(config.dataFolder))
  const wall = steadyWallOf(store, systemClock)
  const clerks: Clerk<Config>[] = [...outboundClerks<Config>(store, () => wall.now())]
  // The store is the last to close.
  return new Desk<Config>([...clerks, storeClerk(store, wall, systemClock)])
}

/** Keeps the steady clock's mark, and closes the file. */
function storeClerk(store: Database, wall: SteadyWall, clock: Clock): Clerk<Config> {
  let cancel = () => {}
  const keep = (): void => {
    try {
      keepMark(store, wall)
    } catch {
      // A disk that is full is told by the spool; the next turn tries again.
    }
  }
  const keepNowAndThen = (): void => {
    keep()
    cancel = clock.after(KEEP_MS, keepNowAndThen)
  }
  keepNowAndThen()
  return {
    subject: 'store',
    async close() {
      cancel()
      keep()
      store.close()
    },
  }
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
