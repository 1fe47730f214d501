/**
 * The words of our reports, in German and English. The reader has never seen a report before and does not know what a relay
 * is: short sentences, what happened, why, what to do. Paragraphs are wrapped by the caller.
 *
 * The meaning of a status is taken from its subject and detail (RFC 3463 §3), since the class only says how final it is.
 */
import { type DsnAction, type DsnKind, gravest } from '#mail/dsn.ts'
import type { Status } from '#mail/status.ts'

/** What a report is about as a whole. `relayed`: success, as far as anybody can know. */
export type Tone = DsnKind | 'relayed'

export function toneOf(actions: readonly DsnAction[]): Tone {
  const kind = gravest(actions)
  return kind === 'success' && actions.includes('relayed') ? 'relayed' : kind
}

export type Language = 'de' | 'en'

/** What is behind a status, as far as a sender can act on it. */
export type Cause =
  | 'no-mailbox'
  | 'no-domain'
  | 'switched-off'
  | 'full'
  | 'too-large'
  | 'unreachable'
  | 'loop'
  | 'content'
  | 'not-allowed'
  | 'unknown'

export function causeOf(status: Status): Cause {
  const detail = status.slice(2)
  return DETAILS[detail] ?? SUBJECTS[detail.split('.')[0]!] ?? 'unknown'
}

const DETAILS: Readonly<Record<string, Cause>> = {
  '1.0': 'unknown',
  '1.2': 'no-domain',
  '1.7': 'unknown',
  '1.8': 'not-allowed',
  '1.10': 'no-domain',
  '2.1': 'switched-off',
  '2.2': 'full',
  '2.3': 'too-large',
  '3.4': 'too-large',
  '4.6': 'loop',
}
const SUBJECTS: Readonly<Record<string, Cause>> = {
  '1': 'no-mailbox',
  '3': 'unreachable',
  '4': 'unreachable',
  '6': 'content',
  '7': 'not-allowed',
}

export interface Words {
  /** Display name in From. */
  readonly sender: string
  subject(tone: Tone, to: string, others: number): string
  opening(tone: Tone, all: boolean): string
  author(hostname: string): string
  readonly labels: { readonly subject: string; readonly received: string; readonly id: string }
  time(wallMs: number): string
  readonly headings: Readonly<Record<'failed' | 'delayed' | 'delivered' | 'relayed', string>>
  readonly serverSaid: string
  serverSaidBy(host: string): string
  readonly weSaid: string
  readonly meanings: Readonly<Record<Cause, string>>
  readonly advice: Readonly<Record<Cause, string>>
  retrying(until: string | undefined): string
  readonly willBeTold: string
  readonly delivered: string
  readonly relayed: string
  more(count: number): string
  readonly attached: { readonly headers: string; readonly message: string }
}

const two = (n: number): string => String(n).padStart(2, '0')
const clock = (d: Date): string => `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const en: Words = {
  sender: 'Mail Delivery System',
  subject: (tone, to, others) => {
    const whom = others === 0 ? to : `${to} and ${others} more`
    const became = {
      failure: 'was not delivered',
      delay: 'is delayed',
      success: 'was delivered',
      relayed: 'was passed on',
    }
    return `Your email to ${whom} ${became[tone]}`
  },
  opening: (tone, all) => {
    if (tone === 'failure')
      return all
        ? 'Your email could not be delivered.'
        : 'Your email was not delivered to everybody. See below who has not received it.'
    if (tone === 'delay') return 'Your email has not been delivered yet. We keep trying; you need not send it again.'
    return `Your email was ${tone === 'success' ? 'delivered' : 'passed on'}. You get this message because a confirmation was asked for.`
  },
  author: (hostname) =>
    `This message was written automatically by the mail server ${hostname}, which had taken your email on. Nobody reads replies to it.`,
  labels: { subject: 'Subject of your email', received: 'Received here', id: 'Reference' },
  time: (wallMs) => {
    const d = new Date(wallMs)
    return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}, ${clock(d)} (UTC)`
  },
  headings: {
    failed: 'Not delivered to',
    delayed: 'Not delivered yet to',
    delivered: 'Delivered to',
    relayed: 'Passed on for',
  },
  serverSaid: 'The mail server of the recipient answered:',
  serverSaidBy: (host) => `The mail server ${host} answered:`,
  weSaid: 'What our server noted:',
  meanings: {
    'no-mailbox': 'This address does not exist there.',
    'no-domain': 'The part of the address behind the @ does not receive mail.',
    'switched-off': 'This mailbox is switched off.',
    full: 'The mailbox of the recipient is full.',
    'too-large': 'Your email is too large for the recipient.',
    unreachable: 'The mail server of the recipient could not be reached or had a fault.',
    loop: 'Your email went round in circles between mail servers.',
    content: 'The mail server of the recipient cannot handle the form of this email.',
    'not-allowed': 'The mail server of the recipient does not want this email, by its own rules.',
    unknown: 'The mail server of the recipient did not take this email.',
  },
  advice: {
    'no-mailbox':
      'Check the spelling of the address. If it is right, ask the recipient in another way for the new one.',
    'no-domain': 'Check the spelling of the address, above all behind the @.',
    'switched-off': 'Reach the recipient in another way and ask for an address that is in use.',
    full: 'Tell the recipient in another way, and send your email again when there is room.',
    'too-large': 'Send it with smaller attachments, or put the files where the recipient can fetch them.',
    unreachable: 'Send your email again later. If it fails again, reach the recipient in another way.',
    loop: 'You can do nothing. Tell the recipient in another way: an administrator there has to look at it.',
    content: 'Send it in a simpler form, as plain text or without attachments.',
    'not-allowed':
      'Sending it again without a change will not help. Reach the recipient in another way, or show this message to your own administrator.',
    unknown: 'Read what the server answered. If it does not help you, show this message to your own administrator.',
  },
  retrying: (until) =>
    until === undefined
      ? 'We keep trying. You need not do anything.'
      : `We keep trying until ${until}. You need not do anything.`,
  willBeTold: 'If it cannot be delivered by then, you will get one more message.',
  delivered: 'Your email is in the mail system of the recipient.',
  relayed:
    'Your email was handed to the next mail server. That server sends no confirmations, so you may hear no more of it. Whether it was read, nobody can say.',
  more: (count) => `And ${count} more; the attached report names all of them.`,
  attached: {
    headers: 'A report for mail programs and the header of your email are attached.',
    message: 'A report for mail programs and your email are attached.',
  },
}

const de: Words = {
  sender: 'Mail-Zustellung',
  subject: (tone, to, others) => {
    const whom = others === 0 ? to : `${to} und ${others} weitere`
    const became = {
      failure: 'wurde nicht zugestellt',
      delay: 'verspätet sich',
      success: 'wurde zugestellt',
      relayed: 'wurde weitergegeben',
    }
    return `Ihre E-Mail an ${whom} ${became[tone]}`
  },
  opening: (tone, all) => {
    if (tone === 'failure')
      return all
        ? 'Ihre E-Mail konnte nicht zugestellt werden.'
        : 'Ihre E-Mail wurde nicht allen zugestellt. Unten steht, wer sie nicht erhalten hat.'
    if (tone === 'delay')
      return 'Ihre E-Mail ist noch nicht zugestellt. Wir versuchen es weiter; Sie müssen sie nicht noch einmal senden.'
    return `Ihre E-Mail wurde ${tone === 'success' ? 'zugestellt' : 'weitergegeben'}. Sie erhalten diese Nachricht, weil eine Bestätigung gewünscht war.`
  },
  author: (hostname) =>
    `Diese Nachricht hat der Mailserver ${hostname} automatisch geschrieben, der Ihre E-Mail angenommen hatte. Antworten darauf liest niemand.`,
  labels: { subject: 'Betreff Ihrer E-Mail', received: 'Hier eingegangen', id: 'Vorgang' },
  time: (wallMs) => {
    const d = new Date(wallMs)
    return `${two(d.getUTCDate())}.${two(d.getUTCMonth() + 1)}.${d.getUTCFullYear()}, ${clock(d)} Uhr (UTC)`
  },
  headings: {
    failed: 'Nicht zugestellt an',
    delayed: 'Noch nicht zugestellt an',
    delivered: 'Zugestellt an',
    relayed: 'Weitergegeben für',
  },
  serverSaid: 'Der Mailserver des Empfängers hat geantwortet:',
  serverSaidBy: (host) => `Der Mailserver ${host} hat geantwortet:`,
  weSaid: 'Unser Server hat vermerkt:',
  meanings: {
    'no-mailbox': 'Diese Adresse gibt es dort nicht.',
    'no-domain': 'Der Teil der Adresse hinter dem @ empfängt keine E-Mail.',
    'switched-off': 'Dieses Postfach ist abgeschaltet.',
    full: 'Das Postfach des Empfängers ist voll.',
    'too-large': 'Ihre E-Mail ist für den Empfänger zu groß.',
    unreachable: 'Der Mailserver des Empfängers war nicht erreichbar oder gestört.',
    loop: 'Ihre E-Mail lief zwischen Mailservern im Kreis.',
    content: 'Der Mailserver des Empfängers kommt mit der Form dieser E-Mail nicht zurecht.',
    'not-allowed': 'Der Mailserver des Empfängers will diese E-Mail nach seinen eigenen Regeln nicht.',
    unknown: 'Der Mailserver des Empfängers hat diese E-Mail nicht angenommen.',
  },
  advice: {
    'no-mailbox':
      'Prüfen Sie, ob die Adresse richtig geschrieben ist. Wenn ja, fragen Sie den Empfänger auf anderem Weg nach der neuen.',
    'no-domain': 'Prüfen Sie, ob die Adresse richtig geschrieben ist, vor allem hinter dem @.',
    'switched-off': 'Fragen Sie den Empfänger auf anderem Weg nach einer Adresse, die er benutzt.',
    full: 'Sagen Sie dem Empfänger auf anderem Weg Bescheid, und senden Sie die E-Mail noch einmal, wenn wieder Platz ist.',
    'too-large':
      'Senden Sie die E-Mail mit kleineren Anhängen, oder legen Sie die Dateien dort ab, wo der Empfänger sie holen kann.',
    unreachable:
      'Senden Sie die E-Mail später noch einmal. Gelingt es wieder nicht, erreichen Sie den Empfänger auf anderem Weg.',
    loop: 'Sie selbst können nichts tun. Sagen Sie dem Empfänger auf anderem Weg Bescheid: Ein Administrator muss dort nachsehen.',
    content: 'Senden Sie die E-Mail in einfacherer Form, als reinen Text oder ohne Anhänge.',
    'not-allowed':
      'Unverändert noch einmal zu senden hilft nicht. Erreichen Sie den Empfänger auf anderem Weg, oder zeigen Sie diese Nachricht Ihrem Administrator.',
    unknown:
      'Lesen Sie, was der Server geantwortet hat. Hilft Ihnen das nicht, zeigen Sie diese Nachricht Ihrem Administrator.',
  },
  retrying: (until) =>
    until === undefined
      ? 'Wir versuchen es weiter. Sie müssen nichts tun.'
      : `Wir versuchen es bis ${until} weiter. Sie müssen nichts tun.`,
  willBeTold: 'Gelingt es bis dahin nicht, erhalten Sie noch eine Nachricht.',
  delivered: 'Ihre E-Mail ist im Mailsystem des Empfängers.',
  relayed:
    'Ihre E-Mail wurde dem nächsten Mailserver übergeben. Er sendet keine Bestätigungen; vielleicht hören Sie nichts mehr davon. Ob sie gelesen wurde, kann niemand sagen.',
  more: (count) => `Und ${count} weitere; der angehängte Bericht nennt alle.`,
  attached: {
    headers: 'Angehängt sind ein Bericht für Mailprogramme und der Kopf Ihrer E-Mail.',
    message: 'Angehängt sind ein Bericht für Mailprogramme und Ihre E-Mail.',
  },
}

export const TEXTS: Readonly<Record<Language, Words>> = { de, en }
