/** The notices about a tenant's server: it is down, still down, up again; what became of the mail that waited. */
import type { PrimaryNotice, RouteFacts } from '#mail/notice.ts'
import { code, type Document, foreign, heading, list, type Pieces, paragraph } from './document.ts'
import { shown } from './harmless.ts'
import type { Telling } from './telling.ts'

const SEEN_CHARS_MAX = 300
const DOMAINS_MAX = 20

export function serverDocument(notice: PrimaryNotice, telling: Telling): Document {
  return notice.kind === 'primary-up' || notice.kind === 'primary-drained'
    ? upDocument(notice, telling)
    : downDocument(notice, telling)
}

function downDocument(notice: PrimaryNotice, telling: Telling): Document {
  const { words, figures, count, language, hostname } = telling
  const { common, server: say } = words
  const { route, sinceMs, waiting, expiresMs } = notice
  const since = figures.moment(sinceMs)
  const isNew = notice.kind === 'primary-down'
  return {
    language,
    subject: isNew ? say.subject.down(route) : say.subject.stillDown(route, count(waiting)),
    blocks: [
      paragraph(isNew ? say.down(route, since) : say.stillDown(route, since)),
      {
        kind: 'facts',
        rows: [
          ...domainRows(notice, telling),
          ...(isNew ? [] : [[common.lasted, [figures.duration(notice.atMs - sinceMs)]] as const]),
          [say.seen, [foreign(shown(notice.text, SEEN_CHARS_MAX))]],
          ...waitingRows(notice, telling),
        ],
      },
      heading(common.whatHappens),
      list(...acceptance(telling), [expiresMs === undefined ? say.tried : say.triedUntil(figures.moment(expiresMs))]),
      heading(common.whatToDo),
      list([say.check], [say.noNeed], [say.planned, ' ', code(startCommand(route, telling))]),
      paragraph(say.standing),
      paragraph(...common.closing(hostname)),
    ],
  }
}

function upDocument(notice: PrimaryNotice, telling: Telling): Document {
  const { words, figures, count, language, hostname } = telling
  const { common, server: say } = words
  const { kind, route, sinceMs, atMs, upMs = atMs, waiting, drained, held = 0 } = notice
  const isLate = kind === 'primary-drained'
  const happens: Pieces[] = []
  if (drained !== undefined) happens.push([say.drained(count(drained.messages), figures.duration(drained.tookMs))])
  if (waiting > 0) happens.push([isLate ? say.putOff(count(waiting)) : say.draining(count(waiting))])
  if (happens.length === 0) happens.push([say.nothingWaited])
  if (held > 0) happens.push([say.someHeld(count(held))])
  return {
    language,
    subject: isLate ? say.subject.drained(route) : say.subject.up(route),
    blocks: [
      paragraph(
        isLate
          ? say.drainedSince(route, figures.moment(upMs))
          : say.up(route, figures.moment(upMs), figures.duration(upMs - sinceMs)),
      ),
      {
        kind: 'facts',
        rows: [
          ...domainRows(notice, telling),
          [common.since, [figures.moment(sinceMs)]],
          ...(notice.text === '' ? [] : [[say.seen, [foreign(shown(notice.text, SEEN_CHARS_MAX))]] as const]),
          ...waitingRows(notice, telling),
        ],
      },
      heading(common.whatHappens),
      list(...happens),
      heading(common.whatToDo),
      paragraph(held > 0 ? say.someHeldToDo : say.nothingToDo),
      paragraph(...common.closing(hostname)),
    ],
  }
}

/** Which mail is taken while nobody can be asked. The same in an outage and in maintenance. */
export const acceptance = ({ words: { server: say } }: Telling): Pieces[] => [
  [say.knownKept],
  [say.unsureDeferred],
  [say.knownRefused],
]

export const startCommand = (route: string, { words }: Telling): string =>
  `vorposten maintenance start ${route} --until ${words.server.placeholders.time}`

type Row = readonly [string, Pieces]

export function domainRows({ domains }: RouteFacts, { words, count }: Telling): Row[] {
  const some = domains.slice(0, DOMAINS_MAX).map((name) => shown(name, 255))
  const hidden = domains.length - some.length
  return [[words.common.domains, [[...some, ...(hidden > 0 ? [words.common.andMore(count(hidden))] : [])].join(', ')]]]
}

export function waitingRows({ waiting, oldestMs }: RouteFacts, { words, figures, count }: Telling): Row[] {
  const { common } = words
  const rows: Row[] = [[common.waiting, [waiting === 0 ? common.none : common.messages(count(waiting))]]]
  if (oldestMs !== undefined) rows.push([common.oldest, [figures.moment(oldestMs)]])
  return rows
}
