/**
 * Reads the configuration file and what it names: certificates and keys. A file that is absent or not readable is a
 * problem like any other, at the place that names it; nothing throws. Lists of recipients are not read here: a faulty one
 * is its domain's trouble alone.
 */
import { networkInterfaces } from 'node:os'
import { checkCertificates } from './certificate-files.ts'
import type { Config } from './config.ts'
import { readText } from './file-text.ts'
import { parseConfig } from './parse.ts'
import type { Problem } from './problem.ts'
import type { RecipientFile } from './recipients.ts'
import { readRouteFiles } from './resolve-login.ts'
import { readKey } from './resolve-outbound.ts'
import type { Environment } from './secret.ts'
import { type Written, YAML_OCTETS_MAX } from './yaml-text.ts'

export type LoadResult =
  | {
      readonly ok: true
      readonly config: Config
      /** The values as they stand in the file, for `diffFromDefaults`. */
      readonly written: Written
      readonly warnings: readonly Problem[]
      /** Lists of recipients, still to be read. */
      readonly files: readonly RecipientFile[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export interface LoadOptions {
  /** Default: that of the process. */
  readonly environment?: Environment
  /** Wall clock, ms, for certificates that have run out. */
  readonly nowMs?: number
}

export async function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadResult> {
  const { environment = process.env, nowMs = Date.now() } = options
  const file = await readText(path, YAML_OCTETS_MAX)
  if (!file.ok) {
    const position = { file: path, line: 1, column: 1 }
    return { ok: false, problems: [{ severity: 'error', position, setting: '', message: `the file ${file.fault}` }] }
  }
  const machine = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((one) => one.address))
  const parsed = parseConfig(file.text, path, { environment, machine })
  if (!parsed.ok) return parsed
  const { config, written, files, secrets, routeFiles, yaml, problems } = parsed
  for (const secret of secrets) await readKey(secret, environment, problems)
  for (const files of routeFiles) await readRouteFiles(files, environment, yaml)
  await checkCertificates(config.listeners, yaml, nowMs)
  if (problems.hasErrors) return { ok: false, problems: problems.sorted() }
  return { ok: true, config, written, warnings: problems.sorted(), files }
}
