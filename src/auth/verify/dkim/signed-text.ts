/**
 * The octets that a signature signs: the fields that it names, in its canonical form, and the signature field itself without
 * the value of b= (RFC 6376 §3.4, §3.7, §5.4.2).
 */
import { createHash, type KeyObject, verify } from 'node:crypto'
import { relaxedField } from '#auth/dkim/signed-fields.ts'
import { type Content, head } from '#mail/content.ts'
import type { Field, HeaderSection } from '#mime/header-section.ts'
import type { Canonicalization } from './body.ts'
import type { SignatureTags, SignerTags } from './signature-tags.ts'

/** Of the fields of one signature. Mail has some kilobytes. */
const CHARACTERS_MAX = 256 * 1024

/** The header section by names, for all signatures of a message. */
export class HeaderFields {
  readonly #byName: ReadonlyMap<string, readonly Field[]>
  readonly #content: Content
  readonly #end: number
  #text: string | undefined

  constructor(content: Content, { fields, end }: HeaderSection) {
    this.#byName = Map.groupBy(fields, ({ name }) => name)
    this.#content = content
    this.#end = end
  }

  all(name: string): readonly Field[] {
    return this.#byName.get(name) ?? []
  }

  /** With its CRLF. */
  canonical(field: Field, form: Canonicalization, value = field.value): string {
    if (form === 'relaxed') return `${relaxedField(field.name, value)}\r\n`
    this.#text ??= head(this.#content, this.#end).toString('latin1')
    return `${this.#text.slice(field.start, field.end - field.value.length)}${value}`
  }
}

/** One character per octet; undefined: it is longer than honest mail is. */
export function signedText(fields: HeaderFields, own: Field, { header, names }: SignatureTags): string | undefined {
  let text = ''
  const taken = new Map<string, number>()
  for (const name of names) {
    // Of several the last comes first; a name without a field is an empty text.
    const count = (taken.get(name) ?? 0) + 1
    taken.set(name, count)
    const same = fields.all(name)
    // The signature that is being verified is not one of the fields that it signs.
    const field = (name === own.name ? same.filter((other) => other !== own) : same).at(-count)
    if (field !== undefined) text += fields.canonical(field, header)
    if (text.length > CHARACTERS_MAX) return undefined
  }
  return text + ownText(fields, own, header)
}

/** The signature field: with an empty b=, without its CRLF. */
export function ownText(fields: HeaderFields, own: Field, form: Canonicalization): string {
  const value = own.value.replace(/(^|;)([ \t\r\n]{0,200}b[ \t\r\n]{0,200}=)[^;]*/, '$1$2')
  const text = fields.canonical(own, form, value)
  return text.endsWith('\r\n') ? text.slice(0, -2) : text
}

export function isSignatureOf(text: string, { algorithm, signature }: SignerTags, key: KeyObject): boolean {
  const octets = Buffer.from(text, 'latin1')
  if (algorithm === 'rsa-sha256') return verify('sha256', octets, key, signature)
  // RFC 8463 §3: Ed25519 signs the hash of the text.
  return verify(null, createHash('sha256').update(octets).digest(), key, signature)
}
