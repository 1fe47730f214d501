/**
 * Automatic replies of people's mailboxes: absences, confirmations of receipt, challenges to unknown senders (RFC 3834).
 *
 * The field `Auto-Submitted: auto-replied` says it (RFC 3834 §5); many programs write others or none. A list message is none
 * of these, whatever it quotes. `auto-generated` is no reply: a newsletter or a monitor may say so.
 */
import type { TextField } from '../structure.ts'
import { fieldValue } from '../structure.ts'
import { type Reason, reason } from './automatic-mail.ts'
import { isAbsenceSubject, isAnswerSubject, isChallengeSubject } from './subjects.ts'

export interface ReplyInput {
  readonly header: readonly TextField[]
  readonly isNullPath: boolean
  readonly subject: string
  /** The beginning of the text. */
  readonly opening: string
}

export interface ReplyJudgement {
  readonly kind: 'out-of-office' | 'auto-reply' | 'challenge'
  readonly reasons: readonly Reason[]
}

/** Undefined: no automatic reply. */
export function judgeReply(input: ReplyInput): ReplyJudgement | undefined {
  const challenge = judgeChallenge(input)
  if (challenge !== undefined) return challenge
  const reasons = replyReasons(input)
  if (reasons === undefined) return undefined
  const isAbsence = isAbsenceSubject(input.subject) || ABSENCE_WORDS.test(input.opening)
  return { kind: isAbsence ? 'out-of-office' : 'auto-reply', reasons }
}

const REPLY_FIELDS: ReadonlySet<string> = new Set([
  'x-autoreply',
  'x-autorespond',
  'x-autoresponder',
  'x-autoreply-from',
  'x-auto-reply',
  'x-mail-autoreply',
  'x-vacation',
])

function replyReasons({ header, isNullPath, subject, opening }: ReplyInput): Reason[] | undefined {
  const submitted = autoSubmitted(header)
  if (submitted === 'auto-replied') return [reason('auto-submitted', submitted)]
  const field = header.find(({ name, value }) => REPLY_FIELDS.has(name) && !/^(?:no|false)\b/i.test(value))
  if (field !== undefined && !isList(header)) return [reason('header-field', `${field.name}: ${field.value}`)]
  const precedence = (fieldValue(header, 'precedence') ?? '').toLowerCase()
  if (/auto[_-]?reply/.test(precedence)) return [reason('header-field', `precedence: ${precedence}`)]
  if (isList(header)) return undefined
  const said = isAnswerSubject(subject) || isAbsenceSubject(subject)
  const signs = [
    ...(isNullPath ? [reason('null-reverse-path', '<>')] : []),
    ...(submitted !== undefined && submitted !== 'no' ? [reason('auto-submitted', submitted)] : []),
    ...(/^(?:bulk|junk)/.test(precedence) ? [reason('header-field', `precedence: ${precedence}`)] : []),
    ...(header.some(({ name }) => name === 'x-auto-response-suppress' || name === 'x-ms-exchange-inbox-rules-loop')
      ? [reason('header-field', 'x-auto-response-suppress')]
      : []),
  ]
  if (said && signs.length > 0) return [reason('subject', subject), ...signs]
  if (PREFIX.test(subject)) return [reason('subject', subject)]
  // A reply from nobody that says nothing else: a mailbox's own answer. `<>` alone is no proof.
  if (!isNullPath || opening.length > REPLY_CHARACTERS_MAX) return undefined
  const words = ABSENCE_WORDS.exec(opening)?.[0] ?? (signs.length > 1 ? RECEIPT_WORDS.exec(opening)?.[0] : undefined)
  return words === undefined ? undefined : [...signs, reason('words', words)]
}

// The prefixes that programs put before the subject they answer.
const PREFIX =
  /^(?:auto(?:matic)?[ -]?reply|automatic(?:ally)? (?:reply|response)|automatische antwort|autom\. antwort|abwesenheits?(?:notiz|nachricht)|r[eé]ponse automatique|respuesta autom[aá]tica|risposta automatica|resposta autom[aá]tica|automatisch antwoord|\W{0,2}automatyczna odpowied\S{1,2}|autosvar|automatiskt? svar|out of (?:the )?office(?: auto ?reply)?|自動(?:返信|応答)|自动(?:回复|答复)|автоответ)\W{0,3}[:：\]]/i

/** Of a reply that says nothing of itself in its header. Newsletters are longer. */
const REPLY_CHARACTERS_MAX = 1500

const RECEIPT_WORDS =
  /(?:thank you|thanks) for (?:you |your |the |contacting|writing|e-?mail)|(?:have|has been) received (?:your|and)|we (?:have )?received your|as soon as possible|(?:vielen |herzlichen )?dank f[uü]r (?:ihre|deine)|haben ihre (?:nachricht|e-?mail|anfrage) erhalten|merci (?:de|pour) votre|gracias por|grazie per|dank voor|dzi[eę]kuj|obrigad[oa]|no longer (?:in use|monitored|active)/i

const ABSENCE_WORDS =
  /out of (?:the |my )?office|(?:away|absent) (?:from (?:the |my )?(?:office|desk|work|e-?mail|mail|computer)|until|till)|on (?:vacation|holiday|leave|annual leave)|i (?:am|will be) (?:currently )?(?:away|out)|back (?:in the office|on (?:\d|(?:mon|tues|wednes|thurs|fri)day))|limited access to (?:my )?e?-?mail|abwesend|nicht im (?:b[uü]ro|hause)|im urlaub|nicht erreichbar|wieder (?:erreichbar|im b[uü]ro|da)|bis (?:zum|einschlie(?:ß|ss)lich) \d|absent(?:e)? (?:du|jusqu)|en cong[eé]s?|de vacaciones|fuera de la oficina|in ferie|fuori ufficio|afwezig|met vakantie|na urlopie|nieobecn|f[eé]rias|fora do escrit[oó]rio|不在|休暇|в отпуске|отсутств/i

/** RFC 3834 §5: the keyword, without parameters and comments. */
export function autoSubmitted(header: readonly TextField[]): string | undefined {
  return /^[a-z-]+/.exec((fieldValue(header, 'auto-submitted') ?? '').trim().toLowerCase())?.[0]
}

/** A mailing list's mail (RFC 2919, RFC 2369): ordinary, though no person sent this copy. */
export function isList(header: readonly TextField[]): boolean {
  return header.some(({ name, value }) => {
    return LIST_FIELDS.has(name) || (name === 'precedence' && /^list\b/i.test(value))
  })
}

const LIST_FIELDS: ReadonlySet<string> = new Set([
  'list-id',
  'list-post',
  'list-unsubscribe',
  'list-help',
  'mailing-list',
])

function judgeChallenge({ header, isNullPath, subject, opening }: ReplyInput): ReplyJudgement | undefined {
  if (isList(header)) return undefined
  const isAsking = CHALLENGE_WORDS.test(opening)
  if (!isAsking) return undefined
  const submitted = autoSubmitted(header)
  const isMarked = header.some(({ name }) => CHALLENGE_FIELDS.test(name))
  const isAutomatic = isNullPath || isMarked || (submitted !== undefined && submitted !== 'no')
  if (!isAutomatic && !isChallengeSubject(subject)) return undefined
  return { kind: 'challenge', reasons: [reason('notice-text', CHALLENGE_WORDS.exec(opening)?.[0] ?? '')] }
}

/** Fields of the programs that challenge. */
export const CHALLENGE_FIELDS = /^x-(?:tmda|bluebottle|boxbe|spamarrest|choicemail|ask-|uol-)/

// What challenges ask for, in the words of those who send them; bounded, so that they stay linear.
const CHALLENGE_WORDS = new RegExp(
  [
    '\\b(?:click|visit|follow)\\b[^.]{0,60}(?:link|url|address)[^.]{0,120}(?:added to (?:the|my)|deliver|allowed list|approved|verify (?:your|that you)|confirm (?:your (?:e-?mail|message|address)|that you))',
    'guest list so your message|has been waitlisted|allowed? list of senders|senders? (?:i|we|he|she) ha(?:ve|s) approved',
    '(?:account|mailbox|e-?mail address|inbox) is protected by|protected by (?:a )?(?:challenge|spam ?arrest|tmda|boxbe|choicemail)',
    '(?:reply to this (?:message|e-?mail)|just (?:reply|hit reply))[^.]{0,80}(?:confirm|deliver|release|prove|your original)',
    'prove that you are (?:a )?(?:human|person|not a)|one[- ]time (?:confirmation|verification|authentication)|authenticate your(?:self| message)',
    '(?:not (?:yet )?(?:on|in)|to be added to) (?:my|the|his|her)[^.]{0,30}(?:white ?list|approved senders?|list of (?:allowed|approved|known))',
    'held (?:pending|until)[^.]{0,60}(?:confirm|verif|authent)|unconfirmed sender|challenge[- ]response|(?:e-?mail|message) requires (?:verification|confirmation)',
    'um (?:ihre|deine) (?:nachricht|e-?mail) zuzustellen|best[aä]tigen sie[^.]{0,80}(?:zugestellt|absender)',
    'clique[^.]{0,80}(?:confirmar|liberar|autorizar)|haga clic[^.]{0,80}confirmar|cliquez[^.]{0,80}confirmer',
  ].join('|'),
  'i',
)
