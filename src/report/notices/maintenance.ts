/** The notices about maintenance: mail is held back on purpose, its end is near, it is over. */
import type { MaintenanceNotice } from '#mail/notice.ts'
import { code, type Document, foreign, heading, list, type Pieces, paragraph } from './document.ts'
import { shown } from './harmless.ts'
import { acceptance, domainRows, startCommand, waitingRows } from './server-state.ts'
import type { Telling } from './telling.ts'

const REASON_CHARS_MAX = 300

export function maintenanceDocument(notice: MaintenanceNotice, telling: Telling): Document {
  const { words, figures, count, language, hostname } = telling
  const { common, maintenance: say, server } = words
  const { kind, route, sinceMs, untilMs, atMs, waiting, reason } = notice
  const until = figures.moment(untilMs)
  const [subject, opening] = {
    'maintenance-began': [say.subject.began(route), say.began(route, until)] as const,
    'maintenance-ending': [say.subject.ending(route), say.ending(route, until)] as const,
    'maintenance-ended': [say.subject.ended(route), say.ended(route, figures.moment(atMs))] as const,
  }[kind]
  const isOver = kind === 'maintenance-ended'
  const after: Pieces[] = waiting > 0 ? [[server.draining(count(waiting))]] : [[server.nothingWaited]]
  return {
    language,
    subject,
    blocks: [
      paragraph(opening),
      {
        kind: 'facts',
        rows: [
          ...domainRows(notice, telling),
          [common.since, [figures.moment(sinceMs)]],
          isOver ? [common.lasted, [figures.duration(atMs - sinceMs)]] : [common.until, [until]],
          ...(reason === undefined ? [] : [[say.reason, [foreign(shown(reason, REASON_CHARS_MAX))]] as const]),
          ...waitingRows(notice, telling),
        ],
      },
      heading(common.whatHappens),
      list(...(isOver ? after : [...acceptance(telling), [say.paused], [say.resumes]])),
      heading(common.whatToDo),
      ...(isOver
        ? [paragraph(server.nothingToDo)]
        : [
            list(
              [say.beReady],
              [say.endEarly, ' ', code(`vorposten maintenance end ${route}`)],
              [say.prolong, ' ', code(startCommand(route, telling))],
            ),
          ]),
      paragraph(...common.closing(hostname)),
    ],
  }
}
