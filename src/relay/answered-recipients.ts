/**
 * What next hops say of the recipients of each login, and what the virus wall finds in its messages, for the signs of a
 * stolen one (R7). An ear on the events: whose message it is, is known from its acceptance on; a worker that was restarted
 * has forgotten it, and its old mail is no sign.
 */
import type { PathEvent, Report } from '#mail/event.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { saysNoMailbox } from './lessons.ts'

/** Messages of logins on their way at a time; beyond, the oldest are no sign any more. */
export const MESSAGES_MAX = 50_000

export interface AnsweredRecipients {
  readonly tenant: string
  readonly login: string
  /** Taken or refused for good. */
  readonly answered: number
  /** Of these: there is no such mailbox. */
  readonly unknown: number
  /** Messages of the login in which an engine has named malware. */
  readonly malware?: number
  /** Recipients of whom a server said later, by mail, that there is no such mailbox. */
  readonly bounced?: number
  /** Recipients who complained. */
  readonly complaints?: number
}

export function answeredFor(found: (answered: AnsweredRecipients) => void, report: Report): Report {
  const logins = new Map<TraceId, string>()
  const remember = (id: TraceId, login: string): void => {
    if (logins.size >= MESSAGES_MAX) logins.delete(logins.keys().next().value!)
    logins.set(id, login)
  }
  return (event) => {
    report(event)
    if (event.kind === 'accepted' && event.session.authenticated !== undefined) {
      remember(event.id, event.session.authenticated.login)
    } else if (event.kind === 'split') {
      const login = logins.get(event.id)
      if (login !== undefined) remember(event.part, login)
    } else if (event.kind === 'attempted') {
      const login = logins.get(event.id)
      if (login !== undefined) found({ tenant: event.tenant, login, ...counted(event) })
    } else if (event.kind === 'scanned') {
      const login = event.session.authenticated?.login
      const isBad = event.facts.some(({ kind }) => kind === 'malware')
      if (login !== undefined && isBad) found({ tenant: event.tenant, login, answered: 0, unknown: 0, malware: 1 })
    } else if (event.kind === 'settled') logins.delete(event.id)
  }
}

function counted({ attempt }: Extract<PathEvent, { kind: 'attempted' }>): { answered: number; unknown: number } {
  const final = attempt.outcomes.filter(({ kind }) => kind !== 'deferred')
  const unknown = final.filter((outcome) => outcome.kind === 'failed' && saysNoMailbox(outcome))
  return { answered: final.length, unknown: unknown.length }
}
