/**
 * What is attached, by names, types and the first octets. The virus wall looks inside; here it counts what kind of message
 * carries such a thing: pages to log in on, programs, archives that only the reader can open, a lone document with no word
 * to it.
 */
import type { Said, SpamRules, SymbolTable } from '../contract.ts'
import type { Attachment, SpamMessage } from '../message.ts'

const symbols = {
  ATTACHMENT_HTML: {
    family: 'attachments',
    weight: 2.5,
    en: 'a web page is attached',
    de: 'eine Webseite ist angehängt',
  },
  ATTACHMENT_SVG: {
    family: 'attachments',
    weight: 2.5,
    en: 'a picture that can run scripts is attached',
    de: 'ein Bild, das Skripte ausführen kann, ist angehängt',
  },
  ATTACHMENT_DOUBLE_EXTENSION: {
    family: 'attachments',
    weight: 3,
    en: 'an attached program has the name of a document',
    de: 'ein angehängtes Programm heißt wie ein Dokument',
  },
  ATTACHMENT_PROGRAM: {
    family: 'attachments',
    weight: 3,
    en: 'a program, script or disk image is attached',
    de: 'ein Programm, Skript oder Datenträgerabbild ist angehängt',
  },
  ATTACHMENT_MACROS: {
    family: 'attachments',
    weight: 1.5,
    en: 'a document with macros is attached',
    de: 'ein Dokument mit Makros ist angehängt',
  },
  ATTACHMENT_ENCRYPTED: {
    family: 'attachments',
    weight: 2,
    en: 'an archive is attached that only its reader can open',
    de: 'ein Archiv ist angehängt, das nur der Leser öffnen kann',
  },
  ATTACHMENT_TYPE_UNTRUE: {
    family: 'attachments',
    weight: 1.5,
    en: 'an attachment is not what its type says',
    de: 'ein Anhang ist nicht, was sein Typ sagt',
  },
  ATTACHMENT_ALONE: {
    family: 'attachments',
    weight: 1.5,
    en: 'a document, and hardly a word to it',
    de: 'ein Dokument und kaum ein Wort dazu',
  },
  ATTACHMENT_MESSAGE: {
    family: 'attachments',
    weight: 0,
    en: 'another message is attached',
    de: 'eine andere Nachricht ist angehängt',
  },
  ATTACHMENT_APPOINTMENT: {
    family: 'attachments',
    weight: 0,
    en: 'an appointment is attached',
    de: 'ein Termin ist angehängt',
  },
} as const satisfies SymbolTable

const PROGRAMS =
  /\.(?:exe|scr|com|pif|cmd|bat|msi|msix|appx|jar|jnlp|js|jse|vbs?|vbe|wsf|wsh|ws|hta|ps1|cpl|dll|lnk|url|scf|reg|chm|hlp|inf|iso|img|vhdx?|dmg|apk|deb|rpm|xll|slk|one|settingcontent-ms|library-ms|search-ms|application)$/i
const DOCUMENT_INSIDE =
  /\.(?:pdf|docx?|xlsx?|pptx?|txt|jpe?g|png|gif|zip|html?|rtf|csv)[\s._-]{0,60}\.[a-z0-9-]{1,18}$/i
const MACROS = /\.(?:docm|dotm|xlsm|xltm|xlam|pptm|potm|ppam|xlsb)$/i
const DOCUMENT = /\.(?:pdf|docx?|xlsx?|pptx?|rtf|odt|zip|rar|7z)$/i
/** Of text beside a document; a greeting and a signature have more. */
const FEW_CHARACTERS = 120

export const attachmentRules: SpamRules = {
  symbols,
  *look({ attachments, texts, parts, header }: SpamMessage) {
    if (attachments.length === 0 && parts.length === 1) return
    for (const attachment of attachments) yield* one(attachment)
    if (parts.some(({ type }) => type === 'text/calendar')) yield { symbol: 'ATTACHMENT_APPOINTMENT' }
    const documents = attachments.filter(({ name }) => DOCUMENT.test(name))
    const words = texts.reduce((most, { text }) => Math.max(most, text.replace(/\s+/g, ' ').trim().length), 0)
    if (documents.length === 1 && attachments.length === 1 && words < FEW_CHARACTERS && !header.isReply)
      yield { symbol: 'ATTACHMENT_ALONE', detail: documents[0]!.name }
  },
}

function* one({ type, name, start }: Attachment): Iterable<Said> {
  const isHtml = /^(?:text\/html|application\/xhtml\+xml)$/.test(type) || /\.(?:x?html?|shtml?|mht|mhtml)$/i.test(name)
  if (isHtml) yield { symbol: 'ATTACHMENT_HTML', detail: name }
  if (type === 'image/svg+xml' || /\.svgz?$/i.test(name)) yield { symbol: 'ATTACHMENT_SVG', detail: name }
  if (type === 'message/rfc822' || /\.(?:eml|msg)$/i.test(name)) yield { symbol: 'ATTACHMENT_MESSAGE', detail: name }
  const isProgram = PROGRAMS.test(name) || start.startsWith('MZ')
  if (isProgram) yield { symbol: 'ATTACHMENT_PROGRAM', detail: name }
  if (DOCUMENT_INSIDE.test(name) && (isProgram || isHtml)) yield { symbol: 'ATTACHMENT_DOUBLE_EXTENSION', detail: name }
  if (MACROS.test(name)) yield { symbol: 'ATTACHMENT_MACROS', detail: name }
  if (isEncrypted(start)) yield { symbol: 'ATTACHMENT_ENCRYPTED', detail: name }
  const claimed = /^(?:image|audio|video)\//.test(type) || type === 'application/pdf'
  if (claimed && (isProgram || (isHtml && !type.includes('svg')) || start.startsWith('PK\x03\x04')))
    yield { symbol: 'ATTACHMENT_TYPE_UNTRUE', detail: `${name}: ${type}` }
}

/** By the first entry: of a ZIP file bit 0 of its flags (APPNOTE 4.4.4), of RAR 5 a header of encryption in front of all. */
function isEncrypted(start: string): boolean {
  if (start.startsWith('PK\x03\x04')) return (start.charCodeAt(6) & 1) === 1
  return start.startsWith('Rar!\x1a\x07\x01\x00') && start.charCodeAt(13) === 4
}
