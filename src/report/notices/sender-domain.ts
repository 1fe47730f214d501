/** The notices about a sender domain whose token is gone from DNS: soon it cannot be sent as, or it cannot any more. */
import type { SenderDomainNotice } from '#mail/notice.ts'
import { code, type Document, heading, list, paragraph } from './document.ts'
import type { Telling } from './telling.ts'

export function senderDomainDocument(
  notice: SenderDomainNotice,
  { words, figures, language, hostname }: Telling,
): Document {
  const { common, senderDomain: say } = words
  const { kind, domain, recordName, record, sinceMs, untilMs, atMs } = notice
  const isGoing = kind === 'sender-domain-going'
  const until = figures.moment(untilMs)
  return {
    language,
    subject: isGoing ? say.subject.going(domain) : say.subject.revoked(domain),
    blocks: [
      paragraph(isGoing ? say.going(domain, until) : say.revoked(domain, figures.moment(atMs))),
      {
        kind: 'facts',
        rows: [
          [common.since, [figures.moment(sinceMs)]],
          [say.name, [code(recordName)]],
          [say.text, [code(record)]],
        ],
      },
      heading(common.whatHappens),
      isGoing ? list([say.until], [say.noAnswer]) : list([say.refused], [say.unsigned], [say.others]),
      heading(common.whatToDo),
      list([isGoing ? say.publish : say.publishAgain], [say.onPurpose]),
      paragraph(say.operator),
      {
        kind: 'commands',
        rows: [
          [say.show, `vorposten domains show ${domain}`],
          [say.look, `vorposten domains verify ${domain}`],
        ],
      },
      paragraph(...common.closing(hostname)),
    ],
  }
}
