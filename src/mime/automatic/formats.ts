/**
 * Which product wrote a notice, by its opening words or its header; and whether it tells of a delay or of a failure.
 *
 * Knowing the product is for the trace and for people; the recipients are read the same way for all. Opening words are
 * facts about the products, as found in the bounces of the corpora (fixtures/automatic).
 */
import type { TextField } from '../structure.ts'
import { fieldValue } from '../structure.ts'
import type { DsnFormat } from './automatic-mail.ts'

/** Of the notice, in characters: openings stand at the top. */
const OPENING_CHARACTERS_MAX = 3000

const OPENINGS: readonly (readonly [DsnFormat, RegExp])[] = [
  [
    'qmail',
    /^Hi\. This is the (?!MAILER|DragonFly)|^This is the (?:qmail|mail delivery agent)|Hi\. The MTA program at/m,
  ],
  [
    'postfix',
    /^\s{0,4}This is the (?:[\w .()-]{0,40}Postfix|mail system at host)|^Transcript of session follows\.\s{1,4}Out: /m,
  ],
  ['dragonfly', /^This is the DragonFly Mail Agent/m],
  [
    'gmx',
    /created automatically by mail delivery software\.[\s\S]{0,400}(?:"[^"\n]{3,250}":\s{0,5}\n|SMTP error from remote server)/,
  ],
  [
    'exim',
    /^This message was created automatically by mail delivery software|^This message was created automatically by the mail system/m,
  ],
  ['sendmail', /^\s{0,6}-{3,8} (?:The following addresses had|Transcript of session follows|Unsent message)/m],
  [
    'exchange',
    /MSEXCH|^Delivery has failed to these recipients|^Fehler bei der Nachrichtenzustellung|nicht alle Empf\S{1,3}nger erreicht|^Diagnostic information for administrators|^Diagnoseinformationen f\S{1,3}r Administratoren|^Your message(?: did not reach some or all of the intended| has been blocked)?[\s\S]{0,300}(?:did not reach the following|could not be reached)/m,
  ],
  [
    'domino',
    /was not delivered to:\s{1,20}\S{1,250}\s{1,20}because|Domino Directory|Name & Address Book|-{5,9} Failure Reasons/,
  ],
  [
    'google',
    /^Delivery to the following recipients? (?:failed permanently|has been delayed)|Technical details of (?:permanent|temporary) failure|^\** ?Address not found|https:\/\/groups\.google\.com\/support|Google tried to deliver/m,
  ],
  [
    'yahoo',
    /^Message from {1,3}[\w.-]{3,100}\.\s|^Sorry, we were unable to deliver your message to the following address/m,
  ],
  [
    'imail',
    /^(?:Unknown user|User mailbox exceeds allowed size|Invalid final delivery userid|Delivery failed \d{1,4} attempts|undeliverable to)\b/m,
  ],
  ['opensmtpd', /This is the MAILER-DAEMON, please DO NOT REPLY/],
  ['courier', /^This is a delivery status notification from|courier mail server/im],
  ['interscan', /Message from InterScan/],
  ['mdaemon', /attached message had PERMANENT fatal delivery errors|YOUR MESSAGE WAS NOT DELIVERED!/],
]

/** The product's opening words, as a regular expression found them; undefined if nobody's. */
export const openingOf = (lines: readonly string[]): DsnFormat | undefined => {
  const opening = lines.slice(0, 60).join('\n').slice(0, OPENING_CHARACTERS_MAX)
  return OPENINGS.find(([, pattern]) => pattern.test(opening))?.[0]
}

/** The product, or `text`. */
export function formatOf(lines: readonly string[], header: readonly TextField[]): DsnFormat {
  const format = openingOf(lines)
  if (format !== undefined) return format
  const from = fieldValue(header, 'from') ?? ''
  return /mailer-daemon@(?:googlemail|gmail)\.com/i.test(from) ? 'google' : 'text'
}

const DELAY_SUBJECT =
  /delay|not yet been delivered|still being retried|could not (?:yet )?be delivered yet|warning: (?:message|could not send)|verz[öo]ger|retard|demora|ritard|vertrag|op[óo][zź]ni|延迟|遅延/i
const DELAY_WORDS =
  /warning message only|this is (?:just|only) a warning|has(?: not yet been delivered| been delayed)|no action is required on your part|not yet been (?:able|delivered)|will (?:continue|keep) (?:to attempt|trying|attempting)|delivery attempts will continue|retried for \d|noch nicht zugestellt|weitere zustellversuche|delay reason/i
const FINAL_WORDS = /permanent (?:error|failure|fatal)|given up|failed permanently|giving up|will not be retried/i

/** Whether a notice in words says that the message is still on its way. */
export function isDelay(subject: string, said: string): boolean {
  const text = said.slice(0, OPENING_CHARACTERS_MAX)
  if (FINAL_WORDS.test(text)) return false
  return DELAY_WORDS.test(text) || (DELAY_SUBJECT.test(subject) && !/fail|undeliver/i.test(subject))
}
