/**
 * Names in the memory of the spam filter, as 128 bits of an HMAC: of whose name it is, of what kind, and of the name. The key
 * is made once and lies in the store, so the digests of one relay say nothing to another, and those of one tenant nothing to
 * another tenant: a table that gets lost is no list of addresses. Whoever has the whole file can still ask for a name that he
 * knows; that is what it is for.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Database, Part } from './database.ts'

const KEY_OCTETS = 32
const DIGEST_OCTETS = 16

export const REMEMBERED_NAMES: Part = {
  name: 'remembered-names',
  steps: ['CREATE TABLE remembered_names_key (id INTEGER PRIMARY KEY CHECK (id = 1), key BLOB NOT NULL) STRICT'],
}

export class RememberedNames {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  digest(tenant: string, kind: string, name: string): Buffer {
    const mac = createHmac('sha256', this.#key).update(`${tenant}\0${kind}\0${name}`)
    return mac.digest().subarray(0, DIGEST_OCTETS)
  }
}

/** For the supervisor: makes the key if there is none. */
export function openNames(database: Database): RememberedNames {
  const insert = 'INSERT INTO remembered_names_key (id, key) VALUES (1, ?) ON CONFLICT (id) DO NOTHING'
  database.prepare(insert).run(randomBytes(KEY_OCTETS))
  return readNames(database)
}

/** For workers, which start after the supervisor has opened its desk. */
export function readNames(database: Database): RememberedNames {
  const row = database.prepare('SELECT key FROM remembered_names_key').get()
  if (row === undefined) throw new Error('the store has no key for names yet')
  return new RememberedNames(row['key'] as Uint8Array)
}
