/**
 * The directory of a configuration: what the stages ask instead of the file.
 */
import { declaredDirectory } from '#tenant/declared.ts'
import type { Directory } from '#tenant/directory.ts'
import type { Config } from './config.ts'

export const directoryFrom = (config: Config): Directory => declaredDirectory(config)
