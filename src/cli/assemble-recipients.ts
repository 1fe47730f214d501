/** The knowledge of recipients of one worker, put together: shared with the other workers, or its own alone. */
import type { Delivery } from '#deliver/delivery.ts'
import { parseMailbox } from '#mail/address.ts'
import type { Report } from '#mail/event.ts'
import { KNOWLEDGE_LIMITS, type ListReader, type RecipientAnswer, RecipientKnowledge } from '#recipients/knowledge.ts'
import { type Memory, OwnMemory } from '#recipients/memory.ts'
import { SharedMemory } from '#recipients/shared-memory.ts'
import { RecipientFacts } from '#store/recipient-facts.ts'
import { steadyWallOf } from '#store/steady-wall.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory } from '#tenant/directory.ts'
import type { Shared } from './assemble.ts'
import type { ChangedNotice, ProbeQuestion } from './clerks/recipients.ts'

export interface RecipientsParts {
  readonly directory: () => Directory
  readonly delivery: Delivery
  readonly report: Report
  readonly clock: Clock
  readonly random: () => number
  readonly lists?: ListReader
  readonly shared?: Shared
}

export interface Recipients {
  readonly knowledge: RecipientKnowledge
  begin(): Promise<void>
  changed(notice: ChangedNotice): void
  probe(question: ProbeQuestion): Promise<RecipientAnswer>
  drain(): Promise<void>
}

/** The same trouble is told once in so long. */
const FAULT_MS = 60_000

export function assembleRecipients(parts: RecipientsParts): Recipients {
  const { delivery, report, clock, random, directory, lists, shared } = parts
  const common = shared && sharedMemory(parts, shared)
  const memory: Memory = common ?? new OwnMemory(clock, KNOWLEDGE_LIMITS)
  const knowledge = new RecipientKnowledge({
    clock,
    limits: KNOWLEDGE_LIMITS,
    memory,
    random,
    ...(lists && { lists }),
    route: (id) => directory().route(id),
    probe: (to, mailbox) => delivery.probe(to, { kind: 'mailbox', mailbox }),
    probed: ({ id, tenant }, answer) => report({ kind: 'probed', route: id, tenant, answer }),
    tested: ({ id, tenant }, domain, takesAll) =>
      report({ kind: 'takes-all-tested', route: id, tenant, domain, takesAll }),
  })
  return {
    knowledge,
    async begin() {
      await common?.hello()
    },
    changed({ concern, all, ...greeting }) {
      common?.greeted(greeting)
      if (all) common?.forget(concern)
      knowledge.changed(concern)
    },
    async probe({ address, sinceMs }) {
      const parsed = parseMailbox(address)
      const name = parsed.ok && parsed.value.domain.kind === 'name' ? parsed.value.domain.ascii : undefined
      const domain = name === undefined ? undefined : directory().domain(name)
      if (!parsed.ok || domain === undefined) return { kind: 'unreachable', text: 'its domain is not served here' }
      return knowledge.askNow(domain, parsed.value, sinceMs)
    },
    async drain() {
      await common?.drain()
    },
  }
}

function sharedMemory({ clock, report }: RecipientsParts, { store, desk, workers }: Shared): SharedMemory {
  let quietUntilMs = Number.NEGATIVE_INFINITY
  return new SharedMemory({
    facts: new RecipientFacts(store),
    wall: steadyWallOf(store, clock),
    desk,
    clock,
    limits: {
      ...KNOWLEDGE_LIMITS,
      probesPerSecondMax: Math.max(1, Math.floor(KNOWLEDGE_LIMITS.probesPerSecondMax / workers)),
    },
    fault: (text) => {
      if (clock.monotonic() < quietUntilMs) return
      quietUntilMs = clock.monotonic() + FAULT_MS
      report({ kind: 'alarm', symbol: 'recipient-knowledge', text })
    },
  })
}
