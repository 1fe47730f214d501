/** Which recipients of a domain a policy is for, written the same for every filter. */
import type { z } from 'zod'
import { localPartKey, parseMailbox } from '#mail/address.ts'
import { oneOrMore, prose, setting } from './setting.ts'

const recipientPattern = setting({
  allowed: 'a local part such as postmaster, or how it begins, such as jobs*',
  read: (text) => {
    const [begin, ...behind] = text.split('*')
    if (begin === '' || behind.length > 1 || behind.join('') !== '') return undefined
    const parsed = parseMailbox(`${begin}${behind.length === 0 ? '' : 'x'}@bakery.example`)
    if (!parsed.ok) return undefined
    const key = localPartKey(parsed.value)
    return behind.length === 0 ? { key, begins: false } : { key: key.slice(0, -1), begins: true }
  },
  json: { type: ['string', 'integer'], examples: ['postmaster', 'jobs*'] },
  hint: (text) => (text.includes('@') ? 'without the @ and the domain' : undefined),
})

export const recipientPatterns = oneOrMore(recipientPattern).describe(
  prose(
    'Their local parts. `jobs*`: all that begin so; the exact one comes first, then the longest. A domain with',
    '`subaddress-separator` takes `anna+shop` for `anna`.',
  ),
)

export type RecipientPattern = z.output<typeof recipientPattern>
