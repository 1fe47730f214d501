/** All who work on a message in the scanning thread. Whoever writes a new one puts it here, and nowhere else. */
import type { Examiner } from './contract.ts'
import { dde } from './examiners/dde.ts'
import { droppers } from './examiners/droppers.ts'
import { eicar } from './examiners/eicar.ts'
import { files } from './examiners/files.ts'
import { knownHashes } from './examiners/known-hashes.ts'
import { officeXml } from './examiners/office-xml.ts'
import { pdfActions } from './examiners/pdf-actions.ts'
import { spreadsheetText } from './examiners/spreadsheet-text.ts'
import { xmlEntities } from './examiners/xml-entities.ts'

export { OPENERS } from './unpack/openers.ts'

export const EXAMINERS: readonly Examiner[] = [
  eicar,
  knownHashes,
  files,
  dde,
  officeXml,
  xmlEntities,
  spreadsheetText,
  pdfActions,
  droppers,
]
