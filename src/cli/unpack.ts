/**
 * `vorposten unpack FILE`: what the virus wall finds inside a file, without any engine: each object on the way, and what
 * is said about the containers. For the question why a message was called broken, encrypted or over the limit.
 */
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Command } from 'commander'
import type { ScanFact } from '#mail/scan.ts'
import type { Examiner } from '#scan/contract.ts'
import { createBudget, UNPACK_LIMITS } from '#scan/unpack/budget.ts'
import { OPENERS } from '#scan/unpack/openers.ts'
import { unpack } from '#scan/unpack/unpack.ts'

const out = (text: string): void => void process.stdout.write(`${text}\n`)

export function unpackCommand(): Command {
  return new Command('unpack')
    .description('what the virus wall finds inside a file')
    .argument('<file>')
    .option('--json', 'one JSON object per line')
    .action(async (path: string, { json = false }: { json?: boolean }) => {
      const facts = await unpackFile(path, json)
      for (const fact of facts) out(json ? JSON.stringify(fact) : factLine(fact))
    })
}

async function unpackFile(path: string, json: boolean): Promise<readonly ScanFact[]> {
  const name = basename(path)
  const lister: Examiner = {
    name: 'lister',
    examine({ where, names, octets }) {
      const row = { object: where, names, octets: octets.length, sha256: hash('sha256', octets) }
      out(json ? JSON.stringify(row) : `${where}  ${octets.length} octets`)
      return []
    },
  }
  const object = { where: name, names: [name], octets: await readFile(path), depth: 0 }
  return unpack(
    [object],
    OPENERS,
    [lister],
    createBudget(UNPACK_LIMITS, () => performance.now()),
  )
}

function factLine(fact: ScanFact): string {
  const { kind, ...rest } = fact
  const { where = '', ...others } = rest as { readonly where?: string }
  return `${kind}: ${[where, ...Object.values(others)].join(', ')}`
}
