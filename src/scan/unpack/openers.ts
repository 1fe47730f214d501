/** All containers that the virus wall looks into. */
import type { Opener } from '../contract.ts'
import { dataAddresses, encodedText } from './encoded-text.ts'
import { activeMime, flatOffice } from './flat-office.ts'
import { gzip, zstd } from './gzip.ts'
import { mail } from './mail.ts'
import { ole } from './ole.ts'
import { oneNote } from './onenote.ts'
import { pdf } from './pdf.ts'
import { rtf } from './rtf.ts'
import { sevenZip } from './seven-zip.ts'
import { szdd } from './szdd.ts'
import { tar } from './tar.ts'
import { tnef } from './tnef.ts'
import { zip } from './zip.ts'

export const OPENERS: readonly Opener[] = [
  zip,
  gzip,
  zstd,
  tar,
  ole,
  tnef,
  pdf,
  oneNote,
  rtf,
  flatOffice,
  activeMime,
  szdd,
  encodedText,
  dataAddresses,
  sevenZip,
  mail,
]
