/** Mail in quarantine: how long it is kept, and how much of it. The same at the top and for a tenant. */
import { duration, prose, section, size } from './setting.ts'

/** Longer is an archive, and malware ages badly. */
const KEEP = ['1s', '366d'] as const
const SIZE_MAX = ['1MiB', '64TiB'] as const

export const quarantineSettings = section({
  keep: duration(...KEEP)
    .prefault('30d')
    .describe(
      'How long, from the day it came; then it is deleted, and nobody is told. Holds for what comes from now on.',
    ),
  'size-max': size(...SIZE_MAX)
    .prefault('1GiB')
    .describe(
      prose(
        'How much of each tenant’s; each message counts 4 KiB more than its size. When it is full, senders hear 451',
        'and try again.',
      ),
    ),
})

export const tenantQuarantine = section({
  keep: duration(...KEEP)
    .optional()
    .describe('How long mail of this tenant is kept.'),
  'size-max': size(...SIZE_MAX)
    .optional()
    .describe('How much of it.'),
})
