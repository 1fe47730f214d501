/** The desk of the running program, put together: the store, and the clerks that keep it. */
import type { Config } from '#config/config.ts'
import { type Database, NewerStore, openStore, type Part } from '#store/database.ts'
import { MESSAGE_RECORDS } from '#store/message-records.ts'
import { RECIPIENT_FACTS } from '#store/recipient-facts.ts'
import { REPLY_LIMITS } from '#store/reply-limits.ts'
import { KEEP_MS, keepMark, STEADY_WALL, type SteadyWall, steadyWallOf } from '#store/steady-wall.ts'
import { type Clock, systemClock } from '#sys/clock.ts'
import { outboundClerks } from './clerks/outbound.ts'
import { RecipientsClerk } from './clerks/recipients.ts'
import { EXIT, UserError } from './exit.ts'
import { storePath } from './folders.ts'
import { type Clerk, Desk } from './serve/desk.ts'

/** Every part of the store, in the order in which they are made. */
const PARTS: readonly Part[] = [STEADY_WALL, RECIPIENT_FACTS, REPLY_LIMITS, MESSAGE_RECORDS]

export async function openDesk(config: Config, log: (line: string) => void): Promise<Desk<Config>> {
  const store = openOwn(storePath(config.dataFolder))
  const wall = steadyWallOf(store, systemClock)
  const recipients = new RecipientsClerk({ store, wall, clock: systemClock, config, log })
  const clerks: Clerk<Config>[] = [recipients, ...outboundClerks<Config>(store, () => wall.now())]
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
