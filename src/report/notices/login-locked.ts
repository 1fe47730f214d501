/** The notice about a login that was locked, because it looks stolen (R7): why, what that means, how to unlock it. */
import type { LoginNotice } from '#mail/notice.ts'
import { type Document, heading, LINE, list, paragraph } from './document.ts'
import { shown } from './harmless.ts'
import type { Telling } from './telling.ts'

const LOGIN_CHARS_MAX = 120

export function loginDocument(notice: LoginNotice, { words, figures, count, language, hostname }: Telling): Document {
  const { common, login: say } = words
  const { tenant, atMs, signs } = notice
  const login = shown(notice.login, LOGIN_CHARS_MAX)
  const saw = signs.map(({ symbol, count: n, of = 0 }) => say.sign[symbol](count(n), count(of)))
  return {
    language,
    subject: say.subject(login),
    blocks: [
      paragraph(say.opening(login)),
      {
        kind: 'facts',
        rows: [
          [say.locked, [figures.moment(atMs)]],
          [say.why, saw.flatMap((text, i) => (i === 0 ? [text] : [LINE, text]))],
        ],
      },
      heading(common.whatHappens),
      list([say.refused], [say.held], [say.others]),
      heading(common.whatToDo),
      list([say.ask], [say.change], [say.unlock]),
      paragraph(say.operator),
      {
        kind: 'commands',
        rows: [
          [say.look, `vorposten credentials show ${login}`],
          [say.sent, `vorposten queue list --tenant ${tenant} --state held`],
          [say.remove, 'vorposten queue delete ID'],
          [say.passwd, `vorposten credentials passwd ${login}`],
          [say.open, `vorposten credentials unlock ${login}`],
        ],
      },
      paragraph(...common.closing(hostname)),
    ],
  }
}
