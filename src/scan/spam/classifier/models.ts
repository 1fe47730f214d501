/**
 * The layers of the classifier, as reading threads and tools find them on disk: the starter of the program, what the
 * provider taught (`global.model`), and what a tenant taught (`tenant-NAME.model`). The supervisor writes them whole, under
 * another name first; whoever reads sees by the file's identity that there is a new one, with the next message.
 *
 * Kept in memory: the starter, the global layer, and layers of tenants up to `TENANTS_OCTETS_MAX`, those used last. A layer of
 * a tenant is 96 KiB, so that is 340 tenants in each worker; another one is read again in about a millisecond.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Classifier, type Layer } from './classifier.ts'
import { type LayerRead, readLayerFile } from './layer-file.ts'
import { readStarter } from './starter.ts'

export const TENANTS_OCTETS_MAX = 32 * 1024 * 1024

/** What the classifier knows; `silent`: a file is damaged, and what it would say without it is not what was taught. */
export type Learned =
  | { readonly kind: 'learned'; readonly classifier: Classifier }
  | { readonly kind: 'silent'; readonly text: string }

export const globalFile = (folder: string): string => join(folder, 'global.model')
export const tenantFile = (folder: string, tenant: string): string =>
  join(folder, `tenant-${encodeURIComponent(tenant)}.model`)

interface Held {
  /** Of the file when it was read; empty: there was none. */
  readonly identity: string
  readonly read: LayerRead | undefined
  readonly octets: number
}

export class Models {
  readonly #folder: string | undefined
  readonly #octetsMax: number
  readonly #starter = readStarter()
  #global: Held = NOTHING
  /** Used last stands last. */
  readonly #tenants = new Map<string, Held>()
  #octets = 0

  /** Without a folder there is the starter alone. */
  constructor(folder?: string, octetsMax = TENANTS_OCTETS_MAX) {
    this.#folder = folder
    this.#octetsMax = octetsMax
  }

  /** Without a tenant: what everybody's mail is judged by. */
  of(tenant?: string): Learned {
    const reads: (readonly [string, LayerRead | undefined])[] = [['starter', this.#starter]]
    if (this.#folder !== undefined) {
      this.#global = held(globalFile(this.#folder), this.#global)
      reads.push(['global', this.#global.read])
      if (tenant !== undefined) reads.push([`tenant ${tenant}`, this.#tenant(this.#folder, tenant).read])
    }
    const layers: Layer[] = []
    for (const [name, read] of reads) {
      if (read === undefined) continue
      if (read.kind !== 'layer') return { kind: 'silent', text: `${name}: ${read.text}` }
      layers.push(read.layer)
    }
    return { kind: 'learned', classifier: new Classifier(layers) }
  }

  #tenant(folder: string, tenant: string): Held {
    const before = this.#tenants.get(tenant) ?? NOTHING
    const now = held(tenantFile(folder, tenant), before)
    this.#tenants.delete(tenant)
    this.#octets += now.octets - before.octets
    // Without a layer there is nothing to keep.
    if (now.octets === 0) return now
    this.#tenants.set(tenant, now)
    for (const [name, { octets }] of this.#tenants) {
      if (this.#octets <= this.#octetsMax || name === tenant) break
      this.#tenants.delete(name)
      this.#octets -= octets
    }
    return now
  }
}

const NOTHING: Held = { identity: '', read: undefined, octets: 0 }

function held(path: string, before: Held): Held {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return NOTHING
  const identity = `${stat.ino} ${stat.mtimeMs} ${stat.size}`
  if (identity === before.identity) return before
  const read = readAt(path)
  const octets = read.kind === 'layer' ? read.layer.weights.reduce((sum, { length }) => sum + length, 0) : 1
  return { identity, read, octets }
}

function readAt(path: string): LayerRead {
  try {
    return readLayerFile(readFileSync(path))
  } catch (error) {
    return { kind: 'damaged', text: (error as Error).message }
  }
}
