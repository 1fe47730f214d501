/** The one place that verifies a return path (law 2): by the submission that the spool keeps with its message. */
import { VerifiedReturnPath } from '#mail/return-path.ts'
import type { StoredMessage } from '#mail/stored.ts'

/** Undefined: nobody vouches for the reverse-path, or it is `<>`. */
export function returnPathOf({
  envelope,
  submission,
  tenant,
}: Pick<StoredMessage, 'envelope' | 'submission' | 'tenant'>): VerifiedReturnPath | undefined {
  if (submission === undefined) return undefined
  const { credential } = submission
  return VerifiedReturnPath.from(envelope.reversePath, { kind: 'submission', tenant, credential })
}
