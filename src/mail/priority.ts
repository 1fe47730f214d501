/**
 * Which mail may go before other mail to the same destination: our own notices and reports, and what a tenant's sender wrote to a
 * few. Not a promise, nor anything a sender can ask for: mail from outside never is, nor what comes from a list, is
 * automatic, or has many recipients.
 */
import type { NewMessage } from './stored.ts'

/** Recipients of one transaction; with more it is bulk mail. */
export const FEW_RECIPIENTS_MAX = 10

export const isPrompt = ({ notice, submission }: Pick<NewMessage, 'notice' | 'submission'>): boolean =>
  notice === true || (submission !== undefined && !submission.automatic && !submission.bulk)
