/**
 * The text of a configuration file, judged as a whole: either a `Config`, or every problem that it has. Touches nothing
 * outside (no files, no clock, no network); `load.ts` does that.
 */
import { checkListeners } from './check-listeners.ts'
import { ownAddresses } from './check-routes.ts'
import { checkTenants } from './check-tenants.ts'
import { readDraft } from './draft.ts'
import { type Problem, ProblemList } from './problem.ts'
import { type Resolved, resolveConfig } from './resolve.ts'
import type { Environment } from './secret.ts'
import { type Written, YAML_OCTETS_MAX, YamlText } from './yaml-text.ts'

export interface Surroundings {
  /** For `${ENV:NAME}`. */
  readonly environment?: Environment
  /** Addresses of this machine: a route to one of them may be a loop. */
  readonly machine?: readonly string[]
}

export type ParseResult =
  | (Resolved & {
      readonly ok: true
      /** As it stands in the file, for `diffFromDefaults`. */
      readonly written: Written
      readonly warnings: Problem[]
      /** For `load.ts`: where things stand, and the list that the warnings came from. */
      readonly yaml: YamlText
      readonly problems: ProblemList
    })
  | { readonly ok: false; readonly problems: Problem[] }

export function parseConfig(text: string, fileName: string, around: Surroundings = {}): ParseResult {
  const problems = new ProblemList()
  if (Buffer.byteLength(text) > YAML_OCTETS_MAX) {
    const position = { file: fileName, line: 1, column: 1 }
    problems.add({ severity: 'error', position, setting: '', message: 'the file is larger than 64 MiB' })
    return { ok: false, problems: problems.sorted() }
  }
  const yaml = new YamlText(text, fileName, around.environment ?? {}, problems)
  // Of a file that is not YAML nothing more can be said.
  if (yaml.value === null && problems.hasErrors) return { ok: false, problems: problems.sorted() }
  const draft = readDraft(yaml)
  checkListeners(draft, yaml)
  const listed = checkTenants(draft, ownAddresses(draft, around.machine ?? []), yaml)
  if (problems.hasErrors) return { ok: false, problems: problems.sorted() }
  const resolved = resolveConfig(draft, listed, yaml)
  return { ok: true, ...resolved, written: yaml.written(), warnings: problems.sorted(), yaml, problems }
}
