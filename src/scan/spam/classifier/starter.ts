/**
 * The starter: a layer that ships with the program, so that the classifier is of use before anybody has taught it. What it
 * was trained with, and how it is built again to the bit, says docs/adr/0029.
 */
import { readFileSync } from 'node:fs'
import { type LayerRead, readLayerFile } from './layer-file.ts'

/** Places of the starter: 384 KiB in memory. */
export const STARTER_BITS = 17
export const STARTER_FILE = new URL('./starter.model', import.meta.url)

export function readStarter(): LayerRead {
  try {
    return readLayerFile(readFileSync(STARTER_FILE))
  } catch (error) {
    return { kind: 'damaged', text: (error as Error).message }
  }
}
