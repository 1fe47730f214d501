/** Reads the configuration for a command; what is wrong with it ends the command with EX_CONFIG. */
import type { Config } from '#config/config.ts'
import { loadConfig } from '#config/load.ts'
import { problemLine } from '#config/problem.ts'
import { EXIT, UserError } from './exit.ts'

export async function configFor(path: string): Promise<Config> {
  const result = await loadConfig(path)
  if (result.ok) return result.config
  const errors = result.problems.filter((problem) => problem.severity === 'error')
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  throw new UserError(`${problemLine(errors[0]!)}${more}`, `See all with: vorposten check-config ${path}`, EXIT.config)
}
