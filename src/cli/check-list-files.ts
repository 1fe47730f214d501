/**
 * Looks into the lists of recipients that the configuration names. What is wrong with one is a warning: it is the trouble of
 * its domain alone, whose last good list stays in force, and no reason to keep all others from a reload.
 */
import type { Problem } from '#config/problem.ts'
import type { RecipientFile } from '#config/recipients.ts'
import { readListFile } from '#recipients/list-reading.ts'

const KEPT = 'until it is corrected, the last good list stays in force, if there is one; otherwise mail is deferred'

export async function checkListFiles(files: readonly RecipientFile[]): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const file of files) problems.push(...(await faultsOf(file)))
  return problems
}

async function faultsOf({ path, domain, position, setting }: RecipientFile): Promise<Problem[]> {
  const common = { severity: 'warning', setting, hint: KEPT } as const
  const read = await readListFile(path, domain, async () => {})
  if (read.kind === 'unreadable') return [{ ...common, position, message: `${path} ${read.text}` }]
  if (read.kind === 'faulty') {
    return read.faults.map(({ line, column, text }) => ({
      ...common,
      position: { file: path, line, column },
      message: text,
    }))
  }
  return read.read > 0 ? [] : [{ ...common, position, message: `${path} is empty` }]
}
