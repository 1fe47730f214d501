/**
 * The directory of a configuration: what the stages ask instead of the file. In a worker it holds that worker's share.
 */
import { declaredDirectory } from '#tenant/declared.ts'
import type { Directory } from '#tenant/directory.ts'
import { ALONE, type Share, shareOf } from '#tenant/share.ts'
import type { Config } from './config.ts'

export const directoryFrom = (config: Config, share: Share = ALONE): Directory =>
  declaredDirectory(shareOf(config, share))
