/**
 * The parts of a message that can be taken out of it, one by one: what would be looked at, and what would go with it.
 *
 * | part | what goes |
 * |---|---|
 * | a file, a text, an attached message | it alone; of an attached message all of it |
 * | one of several alternatives | it alone, and what is left is `multipart/mixed`: else programs show the notice instead of the text |
 * | the root of a `multipart/related` | all of it: pictures without their page are nothing |
 * | a file of it that the page shows | it alone |
 * | in `multipart/appledouble` | both halves of the file |
 * | signed or encrypted | nothing: what is left would look forged, or be nothing |
 * | what a report is made of (RFC 6522) | nothing, but for the message that it returns |
 * | the message itself, not in parts | nothing: there would be nothing left |
 */
import { readField } from '../readings/parameters.ts'
import { agreedStructure, type Entity } from './structure.ts'

export interface Range {
  readonly start: number
  readonly end: number
}

export type Removal =
  | {
      readonly kind: 'possible'
      /** Replaced by a part, header and body. */
      readonly range: Range
      /** The word `alternative` in the header around it. */
      readonly alternative?: Range
    }
  | { readonly kind: 'impossible'; readonly text: string }

/** Header and body of a part, as offsets into the message. */
export interface RemovablePart extends Range {
  readonly names: readonly string[]
  readonly removal: Removal
}

export type Parts =
  | { readonly kind: 'parts'; readonly parts: readonly RemovablePart[] }
  | { readonly kind: 'disputed'; readonly text: string }

export function partsOf(octets: Buffer): Parts {
  const text = octets.toString('latin1')
  const agreed = agreedStructure(text)
  if (agreed.kind === 'disputed') return agreed
  const parts: RemovablePart[] = []
  walk(agreed.root, { fate: () => impossible('nothing would be left of it') }, parts, text)
  return { kind: 'parts', parts }
}

type Fate = (part: Entity) => Removal

interface Context {
  readonly fate: Fate
  /** It holds for everything below, whatever stands in between. */
  readonly isFixed?: true
}

const impossible = (text: string): Removal => ({ kind: 'impossible', text })
const ALONE: Context = { fate: ({ start, end }) => ({ kind: 'possible', range: { start, end } }) }

const SEALED = /^(multipart\/(signed|encrypted)|application\/(x-)?pkcs7-mime|application\/pgp-encrypted)$/

function walk(entity: Entity, around: Context, into: RemovablePart[], text: string): void {
  const { start, end, names, type = '' } = entity
  const isSealed = SEALED.test(type)
  if (entity.isMultipart && !isSealed && type !== 'multipart/appledouble') {
    for (const [i, part] of entity.children.entries())
      walk(part, around.isFixed ? around : contextIn(entity, i, around, text), into, text)
  } else
    into.push({ start, end, names, removal: isSealed ? impossible('it is signed or encrypted') : around.fate(entity) })
}

function contextIn(container: Entity, index: number, around: Context, text: string): Context {
  switch (container.type) {
    case 'multipart/alternative':
      return { fate: mixing(container, text) }
    case 'multipart/related':
      return isRoot(container, index) ? { fate: () => around.fate(container), isFixed: true } : ALONE
    case 'multipart/report':
      return index < 2 ? { fate: () => impossible('it is what a report says'), isFixed: true } : ALONE
    default:
      return ALONE
  }
}

// RFC 2387 §3.2: the first one, or the one that `start` names; any may be that.
function isRoot({ fields }: Entity, index: number): boolean {
  return index === 0 || readField(fields.get('content-type')?.[0] ?? '').parameters.has('start')
}

function mixing({ start, bodyStart }: Entity, text: string): Fate {
  const found = [...text.slice(start, bodyStart).matchAll(/multipart\/(alternative)/gi)]
  if (found.length !== 1) return () => impossible('its type cannot be changed')
  const at = start + found[0]!.index + 'multipart/'.length
  return ({ start: from, end }) => ({
    kind: 'possible',
    range: { start: from, end },
    alternative: { start: at, end: at + 'alternative'.length },
  })
}
