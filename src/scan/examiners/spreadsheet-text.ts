/**
 * Spreadsheets that are text: symbolic links (SLK) with a sheet of Excel 4.0 macros, and web queries (IQY, OQY, RQY), whose
 * cells come from a server and may be formulas that call a program. Excel opens both by their names.
 *
 * | what | fact |
 * |---|---|
 * | an SLK that is a macro sheet, or whose cells call (`EXEC`, `CALL`, `REGISTER`) | macro, `xlm`; starts by itself if a name is `Auto_…` |
 * | a cell of an SLK whose value comes from a program | macro, `dde` |
 * | a web query | macro, `remote-template` |
 *
 * The formats: as Excel writes them; neither is documented beyond the help of Excel 97. Looks at the first TEXT_OCTETS_MAX.
 */
import type { Examiner } from '../contract.ts'

const TEXT_OCTETS_MAX = 4 * 1024 * 1024
const SLK = /^(?:\xef\xbb\xbf)?\s{0,20}ID;P/
const SLK_MACRO_SHEET = /^O;(?:[^\r\n]{0,100};)?E(?:[;\r\n]|$)/m
const SLK_CALL = /^C;[^\r\n]{0,200};E(?:[^\r\n]{0,500}[^A-Za-z\r\n])?(?:EXEC|CALL|REGISTER|FOPEN|RUN)\s?\(/im
const SLK_AUTO_RUN = /^NN;[^\r\n]{0,200}\bN?auto_?(?:open|close|activate|deactivate)/im
const SLK_DDE = /^C;[^\r\n]{0,200};E[^\r\n;|]{0,64}\|'?[^\r\n]{0,512}!/m
const QUERY_NAME = /\.(?:iqy|oqy|rqy)[.\s]*$/i
/** `WEB`, a version, and the address. */
const WEB_QUERY = /^(?:\xef\xbb\xbf)?\s{0,20}WEB\s{1,8}\d{1,3}\s{1,8}(?:https?|ftp|file):/i

export const spreadsheetText: Examiner = {
  name: 'spreadsheet-text',
  *examine({ octets, names, where }) {
    const head = octets.toString('latin1', 0, 64)
    if (WEB_QUERY.test(head) || names.some((name) => QUERY_NAME.test(name)))
      yield { kind: 'macro', dialect: 'remote-template', autoRun: true, where }
    if (!SLK.test(head)) return
    const text = octets.toString('latin1', 0, TEXT_OCTETS_MAX)
    const isAutoRun = SLK_AUTO_RUN.test(text)
    if (isAutoRun || SLK_MACRO_SHEET.test(text) || SLK_CALL.test(text))
      yield { kind: 'macro', dialect: 'xlm', autoRun: isAutoRun, where }
    if (SLK_DDE.test(text)) yield { kind: 'macro', dialect: 'dde', autoRun: true, where }
  },
}
