/**
 * Files that are known by size and hash, as ClamAV's `hdb` has them. Only a file of a size on the list is hashed, so a long
 * list costs nothing. Ours is short: the harmless files with which scanners are tested.
 */
import { hash } from 'node:crypto'
import type { Examiner } from '../contract.ts'
import { EMBEDDED } from '../embedded-name.ts'

interface Known {
  readonly md5: string
  readonly octets: number
  readonly name: string
}

const KNOWN: readonly Known[] = [
  { md5: 'aa15bcf478d165efd2065190eb473bcb', octets: 544, name: 'ClamAV-Test-File' },
  { md5: '44d88612fea8a8f36de82e1278abb02f', octets: 68, name: 'Eicar-Test-File' },
]

const SIZES = new Set(KNOWN.map(({ octets }) => octets))

export const knownHashes: Examiner = {
  name: 'known-hashes',
  *examine({ octets, where }) {
    if (!SIZES.has(octets.length)) return
    const md5 = hash('md5', octets)
    const known = KNOWN.find((one) => one.md5 === md5 && one.octets === octets.length)
    if (known !== undefined) yield { kind: 'malware', engine: EMBEDDED, name: known.name, where }
  },
}
