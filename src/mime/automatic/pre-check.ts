/**
 * The question of the hot path: can this message be automatic mail at all? Answered from the header section alone, with
 * look-ups and a few words of the subject, so that ordinary mail pays microseconds. A yes means nothing but "look closer".
 */
import type { ReversePath } from '#mail/address.ts'
import { fieldText } from '../decoded-text.ts'
import type { Field, HeaderSection } from '../header-section.ts'
import { CHALLENGE_FIELDS } from './auto-reply.ts'
import { isTellingSubject, SUBJECT_CHARACTERS_MAX } from './subjects.ts'

// Fields that only automatic mail has, whatever they say. Those that count only beside a telling subject or the null reverse
// path (Precedence: bulk, X-Auto-Response-Suppress, X-Loop) are not here: every list writes them.
const TELLING_FIELDS = new Set([
  'auto-submitted',
  'x-autoreply',
  'x-autorespond',
  'x-autoresponder',
  'x-autoreply-from',
  'x-auto-reply',
  'x-mail-autoreply',
  'x-vacation',
  'x-failed-recipients',
  'x-ms-exchange-message-is-ndr',
])

const SENDER =
  /daemon|post_?master|mail[-_. ]?(?:deliver|system|administrat|subsystem)|system ?administrator|<>|abuse|feedback|fbl|complaint|sysadmin|staff@hotmail|amazonaws\.com/i
const REPORT =
  /^\s*multipart\/report|report-type|message\/(?:delivery-status|feedback-report|disposition)|delivery-status/i
const PRECEDENCE = /auto[_-]?reply/i

/** Whether `classify` could say anything but `ordinary`. */
export function mayBeAutomatic(header: HeaderSection, reversePath?: ReversePath): boolean {
  if (reversePath?.kind === 'null') return true
  return header.fields.some(isTelling)
}

function isTelling(field: Field): boolean {
  switch (field.name) {
    case 'from':
    case 'sender':
    case 'return-path':
      return SENDER.test(field.value.slice(0, 500))
    case 'content-type':
      return REPORT.test(field.value.slice(0, 500))
    case 'precedence':
      return PRECEDENCE.test(field.value.slice(0, 100))
    case 'subject':
      return isTellingSubject(fieldText(field.value.slice(0, 2000).trim()).slice(0, SUBJECT_CHARACTERS_MAX))
    default:
      return TELLING_FIELDS.has(field.name) || (field.name.startsWith('x-') && CHALLENGE_FIELDS.test(field.name))
  }
}
