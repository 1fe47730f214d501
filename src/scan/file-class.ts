/**
 * What a file is, by its content: its first octets, and for some kinds marks further in. Names lie, content less so; yet a file
 * can be two things at once, so this says the more dangerous one. Nothing here throws, whatever the octets.
 */
import type { FileClass } from '#mail/scan.ts'

/** A file's beginning, in which marks that may stand later are looked for. */
const HEAD_OCTETS = 4_096
/** Where the header of a PE program may begin. */
const PE_OFFSET_MAX = 0x1000

const VHD_FOOTER_OCTETS = 512
const VHD_COOKIE = 'conectix'

type Mark = readonly [type: string, kind: FileClass, octets: string, offset?: number]

/** In `octets` one character is one octet. */
const MARKS: readonly Mark[] = [
  ['application/x-elf', 'executable', '\x7fELF'],
  ['application/x-mach-binary', 'executable', '\xfe\xed\xfa\xce'],
  ['application/x-mach-binary', 'executable', '\xfe\xed\xfa\xcf'],
  ['application/x-mach-binary', 'executable', '\xce\xfa\xed\xfe'],
  ['application/x-mach-binary', 'executable', '\xcf\xfa\xed\xfe'],
  // Java classes, and Mach-O for several processors.
  ['application/java-vm', 'executable', '\xca\xfe\xba\xbe'],
  ['application/x-ms-shortcut', 'shortcut', '\x4c\0\0\0\x01\x14\x02\0'],
  ['text/x-script', 'script', '#!/'],
  ['text/x-script', 'script', '#! /'],
  ['application/x-iso9660-image', 'disk-image', 'CD001', 0x8001],
  ['application/x-vhdx', 'disk-image', 'vhdxfile'],
  ['application/x-vhd', 'disk-image', 'conectix'],
  ['application/x-udf-image', 'disk-image', 'BEA01', 0x8001],
  ['application/x-ntfs-image', 'disk-image', 'NTFS    ', 3],
  ['application/x-fat-image', 'disk-image', 'FAT12   ', 54],
  ['application/x-fat-image', 'disk-image', 'FAT16   ', 54],
  ['application/x-fat-image', 'disk-image', 'FAT32   ', 82],
  ['application/zip', 'archive', 'PK\x03\x04'],
  ['application/zip', 'archive', 'PK\x05\x06'],
  ['application/x-rar', 'archive', 'Rar!\x1a\x07'],
  ['application/x-7z-compressed', 'archive', "7z\xbc\xaf'\x1c"],
  ['application/gzip', 'archive', '\x1f\x8b'],
  ['application/x-bzip2', 'archive', 'BZh'],
  ['application/x-xz', 'archive', '\xfd7zXZ\0'],
  ['application/zstd', 'archive', '\x28\xb5\x2f\xfd'],
  ['application/vnd.ms-cab-compressed', 'archive', 'MSCF'],
  ['application/x-arj', 'archive', '\x60\xea'],
  ['application/x-tar', 'archive', 'ustar', 257],
  ['application/x-ole-storage', 'office', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
  ['application/rtf', 'office', '{\\rt'],
  ['application/onenote', 'office', '\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d'],
  ['image/png', 'image', '\x89PNG\r\n'],
  ['image/jpeg', 'image', '\xff\xd8\xff'],
  ['image/gif', 'image', 'GIF8'],
  ['image/tiff', 'image', 'II*\0'],
  ['image/tiff', 'image', 'MM\0*'],
  ['image/webp', 'image', 'WEBP', 8],
]

export interface FileKind {
  readonly class: FileClass
  /** A media type, ours where there is none. */
  readonly type: string
}

/** Several examiners ask about the same object. */
const KNOWN = new WeakMap<Buffer, FileKind>()

export function fileKind(octets: Buffer): FileKind {
  const known = KNOWN.get(octets) ?? kindOf(octets)
  KNOWN.set(octets, known)
  return known
}

function kindOf(octets: Buffer): FileKind {
  if (isDosProgram(octets)) return { class: 'executable', type: 'application/x-dosexec' }
  const head = octets.toString('latin1', 0, HEAD_OCTETS)
  const mark = MARKS.find(([, , text, offset = 0]) =>
    offset < HEAD_OCTETS
      ? head.startsWith(text, offset)
      : octets.toString('latin1', offset, offset + text.length) === text,
  )
  if (mark?.[1] === 'archive' && /^PK/.test(head)) return zipKind(octets, head)
  if (mark !== undefined) return { class: mark[1], type: mark[0] }
  if (hasDiskFooter(octets)) return { class: 'disk-image', type: 'application/x-vhd' }
  // Readers look for it in the first 1,024 octets.
  if (head.slice(0, 1_024).includes('%PDF-')) return { class: 'pdf', type: 'application/pdf' }
  if (/<(?:!doctype\s+html|html|head|body|script)[\s>]/i.test(head)) return { class: 'html', type: 'text/html' }
  return head.includes('\0')
    ? { class: 'other', type: 'application/octet-stream' }
    : { class: 'text', type: 'text/plain' }
}

// "MZ" alone begins many a text.
function isDosProgram(octets: Buffer): boolean {
  if (octets.length < 64 || octets[0] !== 0x4d || octets[1] !== 0x5a) return false
  const peAt = octets.readUInt32LE(0x3c)
  if (peAt < PE_OFFSET_MAX && octets.toString('latin1', peAt, peAt + 2) === 'PE') return true
  return octets.subarray(0, 64).includes(0)
}

// A virtual disk of fixed size begins with the disk itself.
function hasDiskFooter(octets: Buffer): boolean {
  const at = octets.length - VHD_FOOTER_OCTETS
  return at >= 0 && octets.toString('latin1', at, at + VHD_COOKIE.length) === VHD_COOKIE
}

// Office documents and Java programs are zips; their first entries say so.
function zipKind(octets: Buffer, head: string): FileKind {
  if (head.includes('META-INF/MANIFEST.MF') && octets.includes('.class')) {
    return { class: 'executable', type: 'application/java-archive' }
  }
  if (head.includes('[Content_Types].xml') || head.includes('mimetypeapplication/vnd.oasis.opendocument')) {
    return { class: 'office', type: 'application/zip' }
  }
  return { class: 'archive', type: 'application/zip' }
}
