/**
 * Writes `docs/config.schema.json` and `docs/configuration.md` from the schema of the configuration, and
 * `docs/spam-signs.md` from the tables of the spam filter: `node src/cli/config-docs.ts`. A test compares them with what the
 * program says today.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { configJsonSchema, configReference } from '#config/reference.ts'
import { spamSigns } from '#scan/spam/reference.ts'

export const DOCS_FOLDER = join(import.meta.dirname, '../../docs')

/** File name in `docs/` → text. */
export function configDocs(): ReadonlyMap<string, string> {
  return new Map([
    ['config.schema.json', `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`],
    ['configuration.md', configReference()],
    ['spam-signs.md', spamSigns()],
  ])
}

if (import.meta.main) {
  for (const [name, text] of configDocs()) await writeFile(join(DOCS_FOLDER, name), text)
}
