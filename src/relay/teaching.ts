/**
 * What people say about mail, as lessons for the spam filter: a release from quarantine says that it was wanted.
 */
import type { Content } from '#mail/content.ts'
import type { QuarantineEntry } from '#store/quarantine.ts'

export interface SpamTeaching {
  readonly tenant: string
  readonly isSpam: boolean
  readonly teacher: 'release' | 'report' | 'honeypot'
  /** Who says so: who released, who reported, or the address. What he taught can be undone. */
  readonly source: string
  /** As it came, without fields of ours. */
  readonly content: Content
}

/** Never throws, and nobody waits for it. */
export type Teach = (teaching: SpamTeaching) => void

/** Undefined: another filter kept it, and its release says nothing about spam. Backscatter is what it is, wanted or not. */
export function lessonOfRelease(
  { by, class: of, tenant }: Pick<QuarantineEntry, 'by' | 'class' | 'tenant'>,
  who: string,
  content: Content,
): SpamTeaching | undefined {
  if (by !== 'spam' || of === 'backscatter') return undefined
  return { tenant, isSpam: false, teacher: 'release', source: who, content }
}
