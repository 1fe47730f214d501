/** What a receiver sends back about a message that it got: a bounce (RFC 3464), or a complaint (RFC 5965). */

const headerOf = (original: string): string => original.slice(0, original.indexOf('\r\n\r\n') + 2)

export interface DsnOptions {
  readonly recipient: string
  /** The message as it was received. */
  readonly original: string
  readonly status?: string
  readonly diagnostic?: string
  readonly action?: string
}

export function dsn({ recipient, original, ...said }: DsnOptions): string {
  const { status = '5.1.1', diagnostic = '550 5.1.1 no such user', action = 'failed' } = said
  return [
    'From: MAILER-DAEMON@far.test',
    'Subject: Undelivered Mail Returned to Sender',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'I am sorry.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.far.test',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    `Action: ${action}`,
    `Status: ${status}`,
    `Diagnostic-Code: smtp; ${diagnostic}`,
    '',
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    `${headerOf(original)}--b--`,
    '',
  ].join('\r\n')
}

/** `recipient`: as the report names it; absent: it is left out. */
export function complaint(original: string, { recipient = '', type = 'abuse' } = {}): string {
  return [
    'From: fbl@far.test',
    'Subject: complaint',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'This is a report.',
    '--b',
    'Content-Type: message/feedback-report',
    '',
    `Feedback-Type: ${type}`,
    'User-Agent: far/1',
    'Version: 1',
    ...(recipient === '' ? [] : [`Original-Rcpt-To: <${recipient}>`]),
    'Source-IP: 127.0.0.1',
    '',
    '--b',
    'Content-Type: message/rfc822',
    '',
    original,
    '--b--',
    '',
  ].join('\r\n')
}
