/**
 * The virus wall as a step of the path, after everything else has said yes and before custody: the message as it would be
 * delivered goes to all engines, and the policy of its tenant, domain and direction decides.
 *
 * | verdict | then |
 * |---|---|
 * | clean | it goes on |
 * | tag | it goes on with a field that says what was found; its sender will never be told anything by us |
 * | strip | it goes on with a notice to the recipient in the place of the parts at fault (stripping.ts); where that cannot be done, reject |
 * | quarantine | kept for a person to decide (quarantining.ts) |
 * | reject | 550 5.7.1 with the trace id, in the session: the sending server tells its own user |
 * | defer | 451 4.7.1: nobody has said "clean" (law 5) |
 */
import { type Content, withTrace } from '#mail/content.ts'
import type { Report } from '#mail/event.ts'
import { factText, printable, type ScanFact } from '#mail/scan.ts'
import type { Transaction } from '#mail/session.ts'
import type { Defer, Reject } from '#mail/verdict.ts'
import { SCAN_FIELD } from '#mime/trace-fields.ts'
import { becauseText, classOf, judgeScan, refusalText, type VirusVerdict } from '#policy/virus.ts'
import { decidedBy } from '#policy/virus-explained.ts'
import type { Way } from '#tenant/directory.ts'
import { DEFAULT_VIRUS_POLICY } from '#tenant/virus-policy.ts'
import type { ToQuarantine } from './quarantining.ts'
import * as refusals from './refusals.ts'
import { type Stripped, type StripWall, strip } from './stripping.ts'

/** Facts in a field of the message, in the reasons of a refusal, and in a trace record. */
const FACTS_IN_FIELD_MAX = 5
const FACTS_IN_REASON_MAX = 3
const FACTS_IN_TRACE_MAX = 20
/** Of one fact in the field; a line of a header has 998 octets at most (RFC 5322 §2.1.1). */
const FIELD_FACT_CHARACTERS_MAX = 300

export interface ScanningParts {
  /** Absent: no engine is configured, and nobody looks. */
  readonly wall: () => StripWall | undefined
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
    const { id, session } = transaction
    const { tenant } = way
    const result = await engines.scan(content, { tenant: tenant.name, ownOctets })
    const verdict = judgeScan(result, policy)
    const stripped = verdict.decision === 'strip' ? await strip(engines, { content, policy, tenant, id }) : undefined
    const others = result.facts.filter((fact) => !verdict.because.includes(fact))
    const facts = [...verdict.because, ...others]
    report({
      kind: 'scanned',
      id,
      tenant: tenant.name,
      session,
      decision: stripped === undefined ? verdict.decision : DECISIONS[stripped.kind],
      facts: facts.slice(0, FACTS_IN_TRACE_MAX),
      policy: decidedBy(verdict, policy),
      cleanBy: result.cleanBy,
      durationMs: result.durationMs,
      ...(result.memory && { memory: result.memory }),
    })
    return stripped === undefined ? answerTo(verdict, id, content, facts) : strippedAnswer(stripped, verdict, id)
  }
}

const DECISIONS = { stripped: 'strip', impossible: 'reject', defer: 'defer' } as const

function strippedAnswer(stripped: Stripped, verdict: VirusVerdict, id: string): Scanned | Reject | Defer {
  switch (stripped.kind) {
    case 'stripped': {
      const field = scanField([...texts(verdict, 'removed: '), ...texts(stripped.left)])
      return { kind: 'scanned', content: withTrace(field, stripped.content), tagged: true }
    }
    case 'impossible':
      return refused(verdict, id, `; it cannot be stripped: ${stripped.text}`)
    case 'defer':
      return refusals.notScanned(stripped.text)
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
      return { kind: 'scanned', content: withTrace(scanField(texts(verdict)), content), tagged: true }
    case 'quarantine':
      return { kind: 'quarantine', class: classOf(verdict), by: 'virus', text: why, facts }
    case 'defer':
      return refusals.notScanned(why)
    case 'strip':
    case 'reject':
      return refused(verdict, id)
  }
}

function refused(verdict: VirusVerdict, id: string, more = ''): Reject {
  const refuse = verdict.because[0]?.kind === 'malware' ? refusals.malware : refusals.forbiddenContent
  return refuse(printable(refusalText(verdict)), `${becauseText(verdict, FACTS_IN_REASON_MAX)}${more}`, id)
}

const texts = ({ because }: VirusVerdict, before = ''): string[] =>
  because.slice(0, FACTS_IN_FIELD_MAX).map((fact) => printable(before + factText(fact), FIELD_FACT_CHARACTERS_MAX))

const scanField = (lines: readonly string[]): Buffer =>
  Buffer.from(`${SCAN_FIELD}: ${lines.join(';\r\n\t')}\r\n`, 'latin1')
