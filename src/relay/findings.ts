/**
 * What the events of the path show about the customer's servers: each refusal and each delay is evidence for or against a
 * prerequisite. Findings judge nobody; they are counted, shown (`vorposten findings`) and read by conformance.
 *
 * | seen | finding |
 * |---|---|
 * | 5yz to RCPT that speaks of the mailbox, after we took custody | R1: a list is behind, or the server answered our callout otherwise |
 * | a made-up address was taken | R1: such a server must stay silent about addresses that do not exist |
 * | 5yz at the dot, in the session or later | R3 |
 * | 4yz that speaks of greylisting | R4 |
 * | the lifetime of a message ended | R5 |
 */
import type { PathEvent, Report } from '#mail/event.ts'
import type { Finding } from '#mail/finding.ts'
import type { Outcome } from '#mail/outcome.ts'
import { saysNoMailbox } from './lessons.ts'

/** Of the words of a server, as many as a person reads. */
const EVIDENCE_CHARACTERS_MAX = 300

const GREYLISTED =
  /gr[ae]y-?\s?list|postgrey|temporar(?:il)?y (?:blocked|rejected) .{0,40}(?:first|unknown sender|retry)/i

type Attempted = Extract<PathEvent, { kind: 'attempted' }>

/** The report, with an eye for findings. `found` hears of each one at once. */
export function findingsFor(found: (finding: Finding) => void, report: Report): Report {
  return (event) => {
    for (const finding of findingsOf(event)) found(finding)
    report(event)
  }
}

export function findingsOf(event: PathEvent): Finding[] {
  switch (event.kind) {
    case 'attempted':
      // A server that refuses what we wrote ourselves has broken no prerequisite.
      return event.notice === true ? [] : ofAttempt(event)
    case 'held': {
      if (event.reason !== 'expired') return []
      const { tenant, route, id } = event.entry
      return [{ tenant, route, prerequisite: 'R5', symbol: 'expired', evidence: shortened(event.text), id }]
    }
    case 'takes-all-tested': {
      if (!event.takesAll) return []
      const { tenant, route, domain } = event
      const evidence = `a made-up address of ${domain} was accepted`
      return [{ tenant, route, prerequisite: 'R1', symbol: 'takes-every-address', evidence }]
    }
    default:
      return []
  }
}

// A server says the same of every recipient of a message; one finding is enough.
function ofAttempt({ id, tenant, route, attempt, inSession }: Attempted): Finding[] {
  const seen = new Map<string, Finding>()
  for (const outcome of attempt.outcomes) {
    const judged = judge(outcome, inSession)
    if (judged === undefined || seen.has(judged.symbol)) continue
    const text = outcome.kind === 'delivered' ? '' : outcome.text
    seen.set(judged.symbol, { tenant, route, ...judged, evidence: shortened(text), id })
  }
  return [...seen.values()]
}

function judge(outcome: Outcome, inSession: boolean): Pick<Finding, 'prerequisite' | 'symbol'> | undefined {
  if (outcome.kind === 'deferred') {
    const isDelay = outcome.reply !== undefined && GREYLISTED.test(outcome.text)
    return isDelay ? { prerequisite: 'R4', symbol: 'delayed' } : undefined
  }
  if (outcome.kind !== 'failed' || outcome.reply === undefined) return undefined
  if (outcome.stage === 'content') return { prerequisite: 'R3', symbol: 'content-refused' }
  // In the session it is what R1 asks for.
  if (!inSession && saysNoMailbox(outcome)) return { prerequisite: 'R1', symbol: 'refused-after-custody' }
  return undefined
}

const shortened = (text: string): string =>
  text.length > EVIDENCE_CHARACTERS_MAX ? `${text.slice(0, EVIDENCE_CHARACTERS_MAX)}…` : text
