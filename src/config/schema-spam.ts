/**
 * The spam filter: whether it runs, and from which score on what becomes of a message. The policy can be written at the top,
 * for a tenant, for a domain and for some of its recipients; what is not said there is as one level above.
 */
import type { z } from 'zod'
import { recipientPatterns } from './schema-recipient-policies.ts'
import { spamEngines } from './schema-spam-engines.ts'
import { spamLists } from './schema-spam-lists.ts'
import { choice, flag, prose, section, setting } from './setting.ts'

/** Beyond these nothing has a score: families of evidence are bounded. */
const SCORE_MIN = -50
const SCORE_MAX = 100

const threshold = setting<number | 'off'>({
  allowed: `a score from ${SCORE_MIN} to ${SCORE_MAX} such as 5 or 7.5, or off`,
  brief: 'a score such as `5` or `7.5`, or `off`',
  read(text) {
    if (text === 'off') return 'off'
    const score = /^-?\d{1,3}(?:\.\d{1,2})?$/.test(text) ? Number(text) : Number.NaN
    return score >= SCORE_MIN && score <= SCORE_MAX ? score : undefined
  },
  json: { oneOf: [{ const: 'off' }, { type: 'number', minimum: SCORE_MIN, maximum: SCORE_MAX }] },
  hint: (text) => (text === 'false' ? 'off: never' : undefined),
})

const subjectTag = setting({
  allowed: 'up to 20 printable ASCII characters such as "[SPAM]", or none',
  brief: 'text such as `"[SPAM]"`, or `none`',
  read: (text) =>
    text === 'none' ? '' : /^[\x21-\x7e](?:[\x20-\x7e]{0,18}[\x21-\x7e])?$/.test(text) ? text : undefined,
  json: { type: 'string', examples: ['[SPAM]', 'none'] },
})

const at = (what: string) => threshold.optional().describe(what)

const policyShape = {
  filter: flag.optional().describe('`false`: nobody looks at this mail. `true` if no level says otherwise.'),
  'tag-at': at('From this score on it is delivered with fields that say so. `5` (99.3 %) if no level says otherwise.'),
  'greylist-at': at(
    prose(
      'From this score on, and below `tag-at`, a stranger hears 451 4.7.1 and must come again. `off` if no level says',
      'otherwise.',
    ),
  ),
  'quarantine-at': at(
    'From this score on it is taken, and kept until a person decides. `off` if no level says otherwise.',
  ),
  'reject-at': at('From this score on: 550 5.7.1 in the session. `12` (99.9994 %) if no level says otherwise.'),
  'phishing-tag-at': at('`tag-at` for phishing. `4` if no level says otherwise.'),
  'phishing-quarantine-at': at('`quarantine-at` for phishing. `off` if no level says otherwise.'),
  'phishing-reject-at': at('`reject-at` for phishing. `10` if no level says otherwise.'),
  bulk: choice('pass', 'tag', 'quarantine')
    .optional()
    .describe('Newsletters and the like below all of these. `pass` if no level says otherwise.'),
  backscatter: choice('pass', 'tag', 'quarantine', 'reject')
    .optional()
    .describe(
      prose(
        'Bounces and automatic answers to mail that the recipient never sent, below all of these. `pass` if no level says',
        'otherwise; see `bounce-protection` for a surer way.',
      ),
    ),
  'engine-silent': choice('pass', 'defer')
    .optional()
    .describe(
      prose(
        'The thread that reads, or a filter beside us, did not answer. `pass` (if no level says otherwise): judged by what',
        'has spoken. `defer`: 451 4.7.1, the sender tries again.',
      ),
    ),
  fields: flag
    .optional()
    .describe(
      prose(
        'Delivered mail says in `X-Spam-Status` and its kin how it was judged. `true` if no level says otherwise. With `false`',
        'only `X-Spam-Flag: YES` is left, in what is tagged.',
      ),
    ),
  'subject-tag': subjectTag
    .optional()
    .describe(
      prose(
        'Text before the subject of what is tagged, such as `"[SPAM]"`, for mail programs that sort by nothing else. It breaks',
        'the DKIM signatures of the sender. `none` if no level says otherwise.',
      ),
    ),
}

export const spamPolicySettings = section(policyShape)

/** A policy for some recipients of a domain. */
export const recipientSpamPolicySettings = section({ recipients: recipientPatterns, ...policyShape })

export const spamSettings = section({
  filter: flag.prefault(true).describe('`false`: there is no spam filter, whatever the policies say.'),
  engines: spamEngines.optional(),
  lists: spamLists
    .optional()
    .describe('DNS lists, by name; 30 at most. None is asked if none is written here: see spam-lists.md.'),
  policy: spamPolicySettings.prefault({}).describe('What holds for all tenants, unless they say otherwise.'),
})

export type SpamPolicyWritten = z.output<typeof spamPolicySettings>
export type SpamWritten = z.output<typeof spamSettings>
