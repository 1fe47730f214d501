/** `vorposten findings`: what live traffic showed about the prerequisites at the customers' servers, newest day first. */
import { Command } from 'commander'
import type { FoundRow } from '#store/findings.ts'
import type { Ask } from './queue.ts'

const ROWS_DEFAULT = 200
const out = (text: string): void => void process.stdout.write(`${text}\n`)

const MEANING: Record<FoundRow['symbol'], string> = {
  'refused-after-custody': 'a recipient that was known is refused; is the list up to date?',
  'takes-every-address': 'the server takes every address; it must not answer with non-delivery messages',
  'content-refused': 'the server refuses mail because of its content; exempt this relay from its filters',
  delayed: 'the server greylists this relay; exempt it',
  expired: 'the server could not be reached for too long',
}

export function findingsCommand(ask: Ask): Command {
  return new Command('findings')
    .description('what live traffic shows about R1 to R7 at the customers’ servers')
    .option('--tenant <tenant>', 'of one tenant')
    .option('--limit <rows>', 'rows at most', String(ROWS_DEFAULT))
    .option('--json', 'one JSON object per line')
    .action(async ({ tenant, limit, json }) => {
      const body = { ...(tenant !== undefined && { tenant }), rowsMax: Number(limit) }
      const rows = (await ask({ kind: 'desk', about: 'findings/list', body })) as FoundRow[]
      if (json === true) for (const row of rows) out(JSON.stringify(row))
      else if (rows.length === 0) out('Nothing was found against any prerequisite.')
      else for (const row of rows) out(rowText(row))
    })
}

function rowText({ day, count, prerequisite, route, symbol, evidence, id }: FoundRow): string {
  const trace = id === undefined ? '' : ` (vorposten trace ${id})`
  return `${day}  ${prerequisite}  ${route}  ${count}×  ${MEANING[symbol]}\n    ${evidence}${trace}`
}
