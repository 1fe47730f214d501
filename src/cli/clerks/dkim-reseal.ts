/**
 * After a change of the master key: what the old one has sealed is opened with it and sealed with the new one, all keys or none.
 * The old secret is handed in for this once and kept nowhere.
 */
import { type Database, inTransaction } from '#store/database.ts'
import { type DkimKeys, openKey, type StoredKey, sealKey } from '#store/dkim-keys.ts'
import { MasterKey, SECRET_OCTETS_MIN } from '#store/sealing.ts'
import { EXIT, UserError } from '../exit.ts'

export interface Resealed {
  readonly resealed: number
  /** Sealed by neither of the two. */
  readonly left: number
}

export function reseal(store: Database, keys: DkimKeys, oldSecret: string, master: MasterKey): Resealed {
  const secret = Buffer.from(oldSecret.trim())
  if (secret.length < SECRET_OCTETS_MIN) {
    const text = `the old master key has ${secret.length} octets; a master key has ${SECRET_OCTETS_MIN} at least`
    throw new UserError(text, 'Name the file that held it.', EXIT.data)
  }
  const old = new MasterKey(secret)
  const sealed = keys.all().filter((key) => key.sealedBy !== master.id)
  const opened = sealed.flatMap((key) => openedBy(old, key))
  if (opened.length === 0 && sealed.length > 0) {
    const advice = 'Name the file of the key that was in force when they were made.'
    throw new UserError(`that key opens none of the ${sealed.length} keys that wait for theirs`, advice, EXIT.data)
  }
  inTransaction(store, () => {
    for (const { key, pkcs8 } of opened) keys.setSealed(key, sealKey(master, key, pkcs8))
  })
  return { resealed: opened.length, left: sealed.length - opened.length }
}

function openedBy(old: MasterKey, key: StoredKey): { readonly key: StoredKey; readonly pkcs8: Buffer }[] {
  const pkcs8 = openKey(old, key)
  return pkcs8 === undefined ? [] : [{ key, pkcs8 }]
}
