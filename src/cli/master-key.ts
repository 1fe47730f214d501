/**
 * The master key that seals what the database keeps secret: from the configuration, or a file of the data folder that is
 * made when the first thing is to be sealed, readable for its owner only.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Config } from '#config/config.ts'
import { MasterKey, SECRET_OCTETS_MIN } from '#store/sealing.ts'
import { masterKeyPath } from './folders.ts'

/** Octets, before Base64. */
const MADE_OCTETS = 32

/** Undefined: there is none yet, or none any more. Throws what the file system says of a file that is there. */
export function masterKeyOf({ dkim, dataFolder }: Config): MasterKey | undefined {
  const configured = dkim.masterKeys.get(0)
  if (configured !== undefined) return new MasterKey(configured)
  try {
    const secret = Buffer.from(readFileSync(masterKeyPath(dataFolder), 'utf8').trim())
    return secret.length < SECRET_OCTETS_MIN ? undefined : new MasterKey(secret)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Where the key comes from, for people. */
export const masterKeyPlace = ({ dkim, dataFolder }: Config): string =>
  dkim.masterKeys.size > 0 ? 'dkim.master-key of the configuration' : masterKeyPath(dataFolder)

/** Makes the file. Only where nothing was sealed yet: what another key has sealed, a new one does not open. */
export function makeMasterKey(config: Config): MasterKey {
  const text = randomBytes(MADE_OCTETS).toString('base64')
  const file = openSync(masterKeyPath(config.dataFolder), 'wx', 0o600)
  try {
    writeSync(file, `${text}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return new MasterKey(Buffer.from(text))
}
