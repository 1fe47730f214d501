/** Reads the configuration for a command; what is wrong with it ends the command with EX_CONFIG. */
import type { Config } from '#config/config.ts'
import { loadConfig } from '#config/load.ts'
import { problemLine } from '#config/problem.ts'
import { EXIT, UserError } from './exit.ts'

/** So many warnings are told by a program that starts; all are told by check-config. */
export const WARNINGS_TOLD_MAX = 20

/** `warn` hears one line for each warning. */
export async function configFor(path: string, warn: (line: string) => void = () => {}): Promise<Config> {
  const result = await loadConfig(path)
  if (result.ok) {
    for (const problem of result.warnings.slice(0, WARNINGS_TOLD_MAX)) warn(problemLine(problem))
    const more = result.warnings.length - WARNINGS_TOLD_MAX
    if (more > 0) warn(`and ${more} more warnings, see: vorposten check-config ${path}`)
    return result.config
  }
  const errors = result.problems.filter((problem) => problem.severity === 'error')
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  throw new UserError(`${problemLine(errors[0]!)}${more}`, `See all with: vorposten check-config ${path}`, EXIT.config)
}
