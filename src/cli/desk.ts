/** The desk of the running program, put together: the store, and the clerks that keep it. */
import { readFile } from 'node:fs/promises'
import type { Config } from '#config/config.ts'
import { fetchKeys } from '#recipients/ldap-directory.ts'
import { NewerStore, openStore, type Part } from '#store/database.ts'
import { RECIPIENT_LISTS, RecipientLists } from '#store/recipient-lists.ts'
import { systemClock } from '#sys/clock.ts'
import { ListsClerk } from './clerks/lists.ts'
import { EXIT, UserError } from './exit.ts'
import { storePath } from './folders.ts'
import { type Clerk, Desk } from './serve/desk.ts'

/** Every part of the store, in the order in which they are made. */
const PARTS: readonly Part[] = [RECIPIENT_LISTS]

/** `log` writes one line for the operator. */
export async function openDesk(config: Config, log: (line: string) => void): Promise<Desk<Config>> {
  const store = openOwn(storePath(config.dataFolder))
  const clerks: Clerk<Config>[] = [
    new ListsClerk({
      config,
      lists: new RecipientLists(store),
      clock: systemClock,
      fetch: fetchKeys,
      readText: (path) => readFile(path, 'utf8'),
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
