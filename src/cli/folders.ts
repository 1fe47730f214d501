/** What is where in the data folder; the spool's own folder is `serve/spool-folders.ts`. */
import { join } from 'node:path'

export const traceFolder = (dataFolder: string): string => join(dataFolder, 'trace')
/** Certificates that we made ourselves. */
export const tlsFolder = (dataFolder: string): string => join(dataFolder, 'tls')
/** Compiled modules; may be deleted at any time. */
export const compileCacheFolder = (dataFolder: string): string => join(dataFolder, 'cache')
/** Contents in quarantine; see `quarantine/contents.ts`. */
export const quarantineFolder = (dataFolder: string): string => join(dataFolder, 'quarantine')
/** What was learned and counted; the supervisor writes it. */
export const storePath = (dataFolder: string): string => join(dataFolder, 'store.db')
/** What seals private keys in the store, if the configuration names nothing else. */
export const masterKeyPath = (dataFolder: string): string => join(dataFolder, 'master-key')
/** Layers of the spam filter's classifier; made again from the lessons in the store. */
export const modelFolder = (dataFolder: string): string => join(dataFolder, 'spam')
