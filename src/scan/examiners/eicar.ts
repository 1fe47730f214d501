/**
 * EICAR's test file, with which everybody may see whether a virus wall stands. By its definition the file begins with these
 * 68 octets; blanks before them are let through, since mail programs add them. A text that only quotes it further in is none.
 */
import type { Examiner } from '../contract.ts'
import { EMBEDDED } from '../embedded-name.ts'

// In two pieces: this file must not be one that scanners find.
const EICAR = `X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`
/** Blanks and a byte order mark. */
const BEFORE_OCTETS_MAX = 64

export const eicar: Examiner = {
  name: 'eicar',
  *examine({ octets, where }) {
    const at = octets.subarray(0, EICAR.length + BEFORE_OCTETS_MAX).indexOf(EICAR, 0, 'latin1')
    if (at < 0 || !/^[\s\xef\xbb\xbf]*$/.test(octets.toString('latin1', 0, at))) return
    yield { kind: 'malware', engine: EMBEDDED, name: 'Eicar-Test-File', where }
  },
}
