/**
 * The virus wall as a step of the path, after everything else has said yes and before custody: the message as it would be
 * delivered goes to all engines, and the policy of its tenant, domain and direction decides.
 *
 * | verdict | then |
 * |---|---|
 * | clean | it goes on |
 * | tag | it goes on with a field that says what was found; its sender will never be told anything by us |
 * | quarantine | kept for a person to decide (quarantining.ts) |
 * | reject | 550 5.7.1 with the trace id, in the session: the sending server tells its own user |
 * | defer | 451 4.7.1: nobody has said "clean" (law 5) |
 */
import { type Content, withTrace } from '#mail/content.ts'
import type { Report } from '#mail/event.ts'
import { factText, printable, type ScanFact, type ScanResult } from '#mail/scan.ts'
import type { Transaction } from '#mail/session.ts'
import type { Defer, Reject } from '#mail/verdict.ts'
import { SCAN_FIELD } from '#mime/trace-fields.ts'
import { becauseText, classOf, judgeScan, refusalText, type VirusVerdict } from '#policy/virus.ts'
import { decidedBy } from '#policy/virus-explained.ts'
import type { Way } from '#tenant/directory.ts'
import { DEFAULT_VIRUS_POLICY } from '#tenant/virus-policy.ts'
import type { ToQuarantine } from './quarantining.ts'
import * as refusals from './refusals.ts'

/** Facts in a field of the message, in the reasons of a refusal, and in a trace record. */
const FACTS_IN_FIELD_MAX = 5
const FACTS_IN_REASON_MAX = 3
const FACTS_IN_TRACE_MAX = 20
/** Of one fact in the field; a line of a header has 998 octets at most (RFC 5322 §2.1.1). */
const FIELD_FACT_CHARACTERS_MAX = 300

/** Whose content it is, and how many octets at its beginning are our own. */
interface Whose {
  readonly tenant: string
  readonly ownOctets: number
}

export interface ScanningParts {
  /** Absent: no engine is configured, and nobody looks. */
  readonly wall: () => { scan(content: Content, whose?: Whose): Promise<ScanResult> } | undefined
  readonly report: Report
}

export interface Scanned {
  readonly kind: 'scanned'
  readonly content: Content
  readonly tagged: boolean
}

export class Scanning {
  readonly #parts: ScanningParts

  constructor(parts: ScanningParts) {
    this.#parts = parts
  }

  /** `ownOctets` at the beginning of the content are fields that we wrote. */
  async scan(
    transaction: Transaction,
    way: Way,
    content: Content,
    ownOctets: number,
  ): Promise<Scanned | ToQuarantine | Reject | Defer> {
    const { wall, report } = this.#parts
    const policy = way.virus ?? DEFAULT_VIRUS_POLICY
    const engines = wall()
    if (engines === undefined || !policy.scan) return { kind: 'scanned', content, tagged: false }
    const result = await engines.scan(content, { tenant: way.tenant.name, ownOctets })
    const verdict = judgeScan(result, policy)
    const { id, session } = transaction
    const others = result.facts.filter((fact) => !verdict.because.includes(fact))
    report({
      kind: 'scanned',
      id,
      tenant: way.tenant.name,
      session,
      decision: verdict.decision,
      facts: [...verdict.because, ...others].slice(0, FACTS_IN_TRACE_MAX),
      policy: decidedBy(verdict, policy),
      cleanBy: result.cleanBy,
      durationMs: result.durationMs,
      ...(result.memory && { memory: result.memory }),
    })
    return answerTo(verdict, id, content, [...verdict.because, ...others])
  }
}

function answerTo(
  verdict: VirusVerdict,
  id: string,
  content: Content,
  facts: readonly ScanFact[],
): Scanned | ToQuarantine | Reject | Defer {
  const why = becauseText(verdict, FACTS_IN_REASON_MAX)
  switch (verdict.decision) {
    case 'clean':
      return { kind: 'scanned', content, tagged: false }
    case 'tag':
      return { kind: 'scanned', content: withTrace(tagField(verdict), content), tagged: true }
    case 'quarantine':
      return { kind: 'quarantine', class: classOf(verdict), by: 'virus', text: why, facts }
    case 'defer':
      return refusals.notScanned(why)
    case 'reject': {
      const refuse = verdict.because[0]?.kind === 'malware' ? refusals.malware : refusals.forbiddenContent
      return refuse(printable(refusalText(verdict)), why, id)
    }
  }
}

function tagField({ because }: VirusVerdict): Buffer {
  const texts = because.slice(0, FACTS_IN_FIELD_MAX).map((fact) => printable(factText(fact), FIELD_FACT_CHARACTERS_MAX))
  return Buffer.from(`${SCAN_FIELD}: ${texts.join(';\r\n\t')}\r\n`, 'latin1')
}
