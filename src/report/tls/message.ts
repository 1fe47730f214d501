/**
 * A TLS report as a message (RFC 8460 §5.3): multipart/report with a text for people and the packed report. It asks to be
 * delivered whatever TLS says (RFC 8689 §3), since it may be about that.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Mailbox } from '#mail/address.ts'
import { type Composed, compose } from '#mime/compose.ts'
import { addresses, structured } from '#mime/header-writing.ts'
import { dateTime } from '#mime/trace-fields.ts'
import type { Reporter, TlsReport } from './document.ts'

/** RFC 8460 §6.5. */
export const REPORT_TYPE = 'application/tlsrpt+gzip'

const packed = promisify(gzip)

/** RFC 8460 §5.2. */
export const packReport = ({ json }: TlsReport): Promise<Buffer> => packed(Buffer.from(JSON.stringify(json)))

export interface ReportMail {
  readonly report: TlsReport
  readonly octets: Buffer
  readonly reporter: Reporter
  readonly from: Mailbox
  readonly to: Mailbox
  readonly messageId: string
  /** Wall clock, ms. */
  readonly wallMs: number
}

export function reportMessage({ report, octets, reporter, from, to, messageId, wallMs }: ReportMail): Composed {
  const { domain, id, fileName } = report
  const { organization, submitter } = reporter
  return compose(
    [
      addresses('From', { displayName: organization, mailbox: from }),
      addresses('To', { mailbox: to }),
      // RFC 8460 §5.3: tlsrpt-subject.
      structured('Subject', `Report Domain: ${domain} Submitter: ${submitter} Report-ID: <${id}>`),
      structured('Date', dateTime(wallMs)),
      structured('Message-ID', `<${messageId}>`),
      structured('TLS-Report-Domain', domain),
      structured('TLS-Report-Submitter', submitter),
      structured('TLS-Required', 'No'),
      structured('Auto-Submitted', 'auto-generated'),
    ],
    {
      kind: 'multipart',
      subtype: { report: 'tlsrpt' },
      parts: [
        { kind: 'text', subtype: 'plain', text: textFor(report, reporter) },
        { kind: 'file', type: REPORT_TYPE, name: fileName, octets },
      ],
    },
  )
}

const textFor = ({ domain, beginMs, id }: TlsReport, { organization, contact }: Reporter): string =>
  [
    `This is an aggregate TLS report (RFC 8460) about the mail servers of ${domain},`,
    `as ${organization} met them on ${new Date(beginMs).toISOString().slice(0, 10)} (UTC).`,
    '',
    `The attached file is JSON, packed with gzip. The record at _smtp._tls.${domain} asks for it.`,
    `Report: ${id}`,
    `Questions: ${contact}`,
    '',
  ].join('\n')
