/** Mail to many, as its header section says: of a list (RFC 2919, RFC 2369), or `Precedence: bulk`. Look-ups only: every
 * message that leaves is asked. */
import type { HeaderSection } from './header-section.ts'

const FIELDS: ReadonlySet<string> = new Set(['list-id', 'list-unsubscribe', 'list-post', 'feedback-id'])
const PRECEDENCE = /^\s*(?:bulk|list|junk)\b/i

export const isBulk = ({ fields }: Pick<HeaderSection, 'fields'>): boolean =>
  fields.some(({ name, value }) => FIELDS.has(name) || (name === 'precedence' && PRECEDENCE.test(value.slice(0, 100))))
