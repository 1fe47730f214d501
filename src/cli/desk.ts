/** The desk of the running program, put together: the store, and the clerks that keep it. */
import { join } from 'node:path'
import type { Config } from '#config/config.ts'
import { NewerStore, openStore, type Part } from '#store/database.ts'
import { EXIT, UserError } from './exit.ts'
import { type Clerk, Desk } from './serve/desk.ts'

export const storePath = (dataFolder: string): string => join(dataFolder, 'store.db')

/** Every part of the store, in the order in which they are made. */
const PARTS: readonly Part[] = []

export async function openDesk(config: Config): Promise<Desk<Config>> {
  const store = openOwn(storePath(config.dataFolder))
  const clerks: Clerk<Config>[] = []
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
