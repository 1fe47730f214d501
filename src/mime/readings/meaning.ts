/**
 * What the fields of a part say it is: every type that some reader takes it for, with every transfer encoding, since a
 * field given twice is read by some from the top and by some from the bottom.
 */
import type { DoubtSymbol } from './contract.ts'
import type { Encoding } from './decode.ts'
import type { FieldName } from './header.ts'
import { NAMES_MAX, nameReadings } from './names.ts'
import { type ReadField, readField } from './parameters.ts'

export interface Meaning {
  /** Lower case; undefined: none is given. */
  readonly type: string | undefined
  readonly encoding: Encoding
  readonly boundaries: readonly string[]
  readonly names: readonly string[]
  /** A message in the message, or something like it: a header is the first thing in the body (RFC 2046 §5.2, RFC 6532 §3.7). */
  readonly isMessage: boolean
  readonly doubt?: { readonly symbol: DoubtSymbol; readonly text: string }
}

export const isMultipart = ({ type }: Meaning): boolean => type?.includes('multipart') === true

export function meanings(fields: ReadonlyMap<FieldName, readonly string[]>): Meaning[] {
  const types = (fields.get('content-type') ?? []).map(readField)
  const dispositions = (fields.get('content-disposition') ?? []).map(readField)
  const boundaries = values(types, 'boundary')
  const names = nameReadings([...values(dispositions, 'filename'), ...values(types, 'name')])
  const { encodings, unknown } = encodingsOf(fields.get('content-transfer-encoding') ?? [])
  const heads = [...new Set(types.flatMap((field) => field.heads))]
  const isCut =
    heads.length > TYPES_MAX || names.length >= NAMES_MAX || [...types, ...dispositions].some((one) => one.isCut)
  heads.splice(TYPES_MAX)
  return (heads.length > 0 ? heads : [undefined]).flatMap((type) =>
    encodings.map((encoding) => {
      const isMessage = type?.startsWith('message/') === true
      const doubt = doubtOf(type, unknown, isCut)
      return { type, encoding, boundaries, names, isMessage, ...(doubt && { doubt }) }
    }),
  )
}

/** Types of one part; a field that names more is no longer about types. */
const TYPES_MAX = 8

const values = (fields: readonly ReadField[], parameter: string): string[] => [
  ...new Set(fields.flatMap(({ parameters }) => parameters.get(parameter) ?? [])),
]

const KNOWN = /quoted-printable|base64|x-uuencode|x-uue|uuencode|x-yenc|yenc|mac-binhex40|7-?bit|8-?bit|binary/g

/** Uuencode and its like stand between lines of their own, and are found there whatever the field says (inline.ts). */
function encodingsOf(raw: readonly string[]): { encodings: Encoding[]; unknown: string | undefined } {
  const found = new Set<Encoding>()
  let unknown: string | undefined
  for (const value of raw) {
    const words = value.toLowerCase().match(KNOWN) ?? []
    for (const word of words) found.add(word === 'base64' || word === 'quoted-printable' ? word : 'identity')
    if (words.length > 0 || value.trim() === '') continue
    unknown = value.trim().slice(0, 60)
    for (const encoding of ['identity', 'base64', 'quoted-printable'] as const) found.add(encoding)
  }
  return { encodings: found.size > 0 ? [...found] : ['identity'], unknown }
}

function doubtOf(type: string | undefined, unknown: string | undefined, isCut: boolean): Meaning['doubt'] {
  if (isCut) return { symbol: 'header-too-large', text: 'its fields say more things than are looked at' }
  // RFC 2046 §5.2.2, §5.2.3: what would have to be looked at is not here.
  if (type === 'message/partial')
    return { symbol: 'partial-message', text: 'a piece of a message whose rest comes apart' }
  if (type === 'message/external-body')
    return { symbol: 'external-body', text: 'the content is to be fetched from elsewhere' }
  if (unknown !== undefined) return { symbol: 'unknown-encoding', text: `transfer encoding ${JSON.stringify(unknown)}` }
  return undefined
}
