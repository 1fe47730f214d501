/**
 * What the files of the corpus of containers should be said to be, by the categories that were guessed from their names, and
 * the files whose names promise what they do not hold. Each of these was looked at; its reason stands beside it. A file that
 * is listed and said all the same fails the test too: then the reason is wrong.
 */
import type { ScanFact } from '#mail/scan.ts'
import type { Found } from '#scan/unpack/testing.ts'

export const CATEGORIES = ['encrypted', 'malformed', 'bomb-or-resource', 'embedded-or-split', 'macro-or-dde'] as const
export type Category = (typeof CATEGORIES)[number]

export function isSaid(category: Category, { facts, objects }: Found): boolean {
  const has = (...kinds: ScanFact['kind'][]) => facts.some(({ kind }) => kinds.includes(kind))
  switch (category) {
    case 'encrypted':
      return has('encrypted')
    case 'malformed':
      return has('broken', 'over-limit')
    case 'bomb-or-resource':
      return has('broken', 'over-limit')
    case 'macro-or-dde':
      // Behind a password nobody sees a macro; that there is a password is then the right fact.
      return has('macro', 'encrypted')
    case 'embedded-or-split':
      return objects.length > 1 || facts.some((fact) => fact.kind === 'broken')
  }
}

const PROTECTED = 'a sheet or form is locked against changes; everybody reads it'
const NO_MACROS = 'has no macros; the kind of file could have some'
const EMBEDDED_DDE = 'the guess found dde in em-bedde-d; it embeds a document or picture without macros'
const FIVE_DEEP =
  'an archive in an archive, five deep, that ends by itself; said: macro, since it stands behind an icon'
const CONTINUED = 'the middle of a file that was cut into pieces: no mark, and here no name that tells'
const NO_FILES = 'a section of text without files in it'
const NO_ATTACHMENT = 'a message without attachments or body'

/** By category, file and reason. */
export const NOT_SAID: Readonly<Record<Category, Readonly<Record<string, string>>>> = {
  encrypted: {
    'libarchive/test_read_format_iso_xorriso.iso.Z.uu': 'an ordinary image; the guess found xor in its name',
    'poi/document/documentProtection_forms_no_password.docx': PROTECTED,
    'poi/document/documentProtection_no_protection.docx': 'not even protected, as its name says',
    'poi/document/documentProtection_readonly_no_password.docx': PROTECTED,
    'poi/document/documentProtection_trackedChanges_no_password.docx': PROTECTED,
    'poi/document/protected_sample.docx': PROTECTED,
    'poi/spreadsheet/sheetProtection_allLocked.xlsx': PROTECTED,
    'poi/spreadsheet/workbookProtection-sheet_password-2013.xlsx': PROTECTED,
    'poi/spreadsheet/workbookProtection-workbook_password_user_range-2010.xlsx': PROTECTED,
    'poi/spreadsheet/workbookProtection_not_protected.xlsx': 'not even protected, as its name says',
    'poi/spreadsheet/workbookProtection_workbook_structure_protected.xlsx': PROTECTED,
    'poi/spreadsheet/workbookProtection_workbook_windows_protected.xlsx': PROTECTED,
    'tika/encrypted_document_exception.xml': 'a page of XML that describes a test',
    'tika/protectedSheets.xlsx': PROTECTED,
  },
  malformed: {
    'commons-compress/COMPRESS-553-fail.tar': 'no block of it is a header of tar: no program opens anything in it',
    'commons-compress/COMPRESS-554-fail.tar': 'no block of it is a header of tar: no program opens anything in it',
    'commons-compress/archive_with_trailer.zip': 'a whole archive; what follows it contradicts nothing in it',
    'commons-compress/invalid-zip.zip': 'a text; nothing of a zip is in it',
    'commons-compress/org/apache/commons/compress/COMPRESS-687/test-issue.7z':
      'a whole archive; the issue was elsewhere',
    'commons-compress/org/apache/commons/compress/ar/number_parsing/bad_long_namelen_gnu1-fail.ar':
      'one of its names points nowhere; 7-Zip gives both files and says nothing',
    'commons-compress/preepoch-posix.tar': 'a file from before 1970, which tar may have',
    'libarchive/test_read_format_zip_with_invalid_traditional_eocd.zip.uu':
      'the old end of the directory refers to the new one, as zip64 has it',
    'libarchive/test_write_format_iso9660_underflow.bin.uu': 'no container: what a fuzzer gave to a writer',
    'libarchive/test_write_format_xar_underflow.bin.uu': 'no container: what a fuzzer gave to a writer',
  },
  'bomb-or-resource': {
    'libarchive/test_read_format_zip_zip64a.zip.uu': 'six octets of text; the guess found zip64 in its name',
    'libarchive/test_read_format_zip_zip64b.zip.uu': 'six octets of text; the guess found zip64 in its name',
    'poi/integration/test_recursive_embedded.docx': FIVE_DEEP,
    'tika/test_recursive_embedded.docx': FIVE_DEEP,
    'tika/test_recursive_embedded_npe.docx': FIVE_DEEP,
  },
  'embedded-or-split': {
    'libarchive/test_read_filter_lzop_multiple_parts.tar.lzo.uu':
      'LZO is not read, neither by us nor by any mail program or desktop as it comes',
    'libarchive/test_read_large_splitted_rar_ab.uu': CONTINUED,
    'libarchive/test_read_large_splitted_rar_ac.uu': CONTINUED,
    'libarchive/test_read_large_splitted_rar_ae.uu': CONTINUED,
    'libarchive/test_read_splitted_rar_ac.uu': CONTINUED,
    'libarchive/test_read_splitted_rar_ad.uu': CONTINUED,
    'libarchive/test_splitted_rar_seek_support_ab.uu': CONTINUED,
    'libarchive/test_splitted_rar_seek_support_ac.uu': CONTINUED,
    'mimekit-tnef/multi-name-property.tnef': NO_ATTACHMENT,
    'mimekit-tnef/unicode-mapi-attr/example.dat': 'no TNEF: random octets that are attached to the TNEF beside it',
    'mimekit-tnef/winmail/Untitled Attachment.1': 'the value of a property, not a file; in its TNEF it is opened',
    'mimekit-tnef/winmail/Untitled Attachment.2': 'the value of a property, not a file; in its TNEF it is opened',
    'mimekit-tnef/winmail/message.rtf': 'a text without objects',
    'tika/test-tika-4303-Chinese-notes.one': NO_FILES,
    'tika/testOneNote2016.one': NO_FILES,
    'tika/testOneNote4.one': NO_FILES,
    'tika/testOneNoteFromOffice365-2.one': NO_FILES,
    'tika/testOneNoteFromOffice365.one': NO_FILES,
  },
  'macro-or-dde': {
    'libarchive/test_read_format_zip_padded1.zip.uu': 'an ordinary zip; the guess found dde in pa-dde-d',
    'libarchive/test_read_format_zip_padded2.zip.uu': 'an ordinary zip; the guess found dde in pa-dde-d',
    'oletools/msodde/harmless-clean-2003.xml': NO_MACROS,
    'oletools/msodde/harmless-clean.doc': NO_MACROS,
    'oletools/msodde/harmless-clean.docm': NO_MACROS,
    'oletools/msodde/harmless-clean.docx': NO_MACROS,
    'oletools/msodde/harmless-clean.xml': NO_MACROS,
    'poi/diagram/SimpleMacro.vsd': 'Visio before 2013 packs its macros in a way of its own, which is not read',
    'poi/document/EmbeddedDocument.docx': EMBEDDED_DDE,
    'poi/slideshow/testPPT.pptm': NO_MACROS,
    'tika/EmbeddedDocument.docx': EMBEDDED_DDE,
    'tika/testEXCEL_embeddedPDF_windows.xls': EMBEDDED_DDE,
    'tika/testEXCEL_embeddedPDF_windows.xlsx': EMBEDDED_DDE,
    'tika/testOneNoteEmbeddedImage.one': EMBEDDED_DDE,
    'tika/testPDFEmbeddingAndEmbedded.docx': EMBEDDED_DDE,
    'tika/testPDF_deeplyEmbeddedAttachments.pdf': EMBEDDED_DDE,
    'tika/testPPT_embedded2.ppt': EMBEDDED_DDE,
    'tika/testPPT_embeddedMP3.pptx': EMBEDDED_DDE,
    'tika/testWORD_embedded_pics.docx': EMBEDDED_DDE,
    'tika/testWORD_embedded_rtf.doc': EMBEDDED_DDE,
  },
}
