/** What the events count for in the metrics. docs/metrics.md lists them all. */
import { DSN_CLASSES } from '#mail/dsn.ts'
import type { PathEvent } from '#mail/event.ts'
import type { Outcome } from '#mail/outcome.ts'
import { classOfOutcome, REFUSAL_CLASSES } from '#mail/refusal-class.ts'
import { SPAM_DECISIONS } from '#mail/spam.ts'
import { type Metrics, Tally } from './metrics.ts'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 14400, 86400]

type Count = (event: PathEvent) => void

/** Registers the metrics of the path and returns what feeds them. */
export function measurer(metrics: Metrics): Count {
  const counts = [acceptance, refusals, attempts, people, policies, notifications, scans, spam, feedback].map((of) =>
    of(metrics),
  )
  return (event) => {
    for (const count of counts) count(event)
  }
}

// Law 2. The class that must stay 0 is there to be watched from the first day.
function notifications(metrics: Metrics): Count {
  const sent = metrics.counter('vorposten_dsn_emitted_total', 'DSNs sent, by class', 'class', DSN_CLASSES)
  return (event) => {
    if (event.kind === 'dsn-sent') sent.add(event.class)
  }
}

function scans(metrics: Metrics): Count {
  const decisions = ['clean', 'tag', 'strip', 'quarantine', 'defer', 'reject']
  const scanned = metrics.counter('vorposten_scans_total', 'Messages that were scanned', 'decision', decisions)
  const found = metrics.counter('vorposten_scan_facts_total', 'What the scans found, by kind', 'kind')
  const silent = metrics.counter('vorposten_scan_not_looked_total', 'Looks of an engine that failed', 'why')
  const seconds = metrics.histogram('vorposten_scan_seconds', 'All engines together, for one message', SECONDS)
  const memory = metrics.counter(
    'vorposten_scan_memory_total',
    'Contents whose result was remembered, or not',
    'memory',
    ['hit', 'miss'],
  )
  return (event) => {
    if (event.kind !== 'scanned') return
    scanned.add(event.decision)
    if (event.memory !== undefined) memory.add(event.memory)
    seconds.observe(event.durationMs / 1000)
    for (const fact of event.facts) {
      found.add(fact.kind)
      if (fact.kind === 'not-looked') silent.add(fact.why)
    }
  }
}

function spam(metrics: Metrics): Count {
  const decided = metrics.counter(
    'vorposten_spam_decisions_total',
    'Messages that the spam filter judged, by what became of them',
    'decision',
    SPAM_DECISIONS,
  )
  const classes = metrics.counter('vorposten_spam_classes_total', 'The same, by what kind of mail they are', 'class')
  const silent = metrics.counter('vorposten_spam_silent_total', 'Questions that nobody answered in time', 'source')
  const seconds = metrics.histogram('vorposten_spam_seconds', 'From the dot to the verdict', SECONDS)
  return (event) => {
    if (event.kind !== 'filtered') return
    decided.add(event.decision)
    classes.add(event.class)
    for (const source of event.silent) silent.add(source)
    seconds.observe(event.durationMs / 1000)
  }
}

function feedback(metrics: Metrics): Count {
  const tally = new Tally()
  metrics.counterOf('vorposten_feedback_total', 'Bounces by mail and complaints about mail that left', () =>
    tally.samples(),
  )
  return (event) => {
    if (event.kind === 'feedback') tally.add({ about: event.about, decision: event.decision })
  }
}

function acceptance(metrics: Metrics): Count {
  const accepted = metrics.counter(
    'vorposten_messages_accepted_total',
    'Messages answered 250, by custody',
    'custody',
    ['spool', 'next-hop', 'quarantine'],
  )
  const octets = metrics.counter('vorposten_octets_accepted_total', 'Octets of content answered 250')
  const discarded = metrics.counter(
    'vorposten_messages_discarded_total',
    'Messages answered 250 and thrown away',
    'why',
  )
  const reception = metrics.histogram('vorposten_reception_seconds', 'From MAIL to our reply to the dot', SECONDS)
  return (event) => {
    if (event.kind === 'discarded') discarded.add(event.reasons[0]?.symbol ?? 'other')
    if (event.kind !== 'accepted') return
    accepted.add(event.custody)
    octets.add('', event.octets)
    reception.observe(event.receptionMs / 1000)
  }
}

function refusals(metrics: Metrics): Count {
  const refused = metrics.counter('vorposten_refused_total', 'Refusals, by step of the session and reply class', 'step')
  const reasons = metrics.counter('vorposten_refusal_reasons_total', 'Refusals by reason', 'reason')
  return (event) => {
    if (event.kind !== 'refused') return
    refused.add(`${event.at}-${Math.floor(event.reply.code / 100)}xx`)
    for (const reason of event.reasons) reasons.add(reason.symbol)
  }
}

function attempts(metrics: Metrics): Count {
  const kinds = ['delivered', 'deferred', 'failed']
  const outcomes = metrics.counter('vorposten_recipient_outcomes_total', 'Attempts, by what they did', 'outcome', kinds)
  const obstacles = metrics.counter('vorposten_obstacles_total', 'Deferred attempts, by obstacle', 'obstacle')
  const refusals = ['4yz', '5yz'].flatMap((code) => REFUSAL_CLASSES.map((found) => `${code}-${found}`))
  const classes = metrics.counter(
    'vorposten_next_hop_refusals_total',
    'Refusals that we heard, by class',
    'class',
    refusals,
  )
  const delay = metrics.histogram('vorposten_delivery_delay_seconds', 'From reception to delivery', SECONDS)
  return (event) => {
    if (event.kind !== 'attempted') return
    for (const outcome of event.attempt.outcomes) {
      outcomes.add(outcome.kind)
      const found = classOfOutcome(outcome)
      if (found !== undefined) classes.add(`${outcome.kind === 'deferred' ? '4yz' : '5yz'}-${found}`)
      if (outcome.kind === 'deferred') obstacles.add(outcome.obstacle)
      else if (outcome.kind === 'delivered') delay.observe(event.ageMs / 1000)
    }
  }
}

function people(metrics: Metrics): Count {
  const answers = ['known', 'unknown', 'unreachable']
  const held = metrics.counter('vorposten_held_total', 'Recipients held instead of bounced', 'reason')
  const holdsDropped = metrics.counter('vorposten_holds_dropped_total', 'Recipients whose hold ended unreleased')
  const noticesQueued = metrics.counter('vorposten_notices_queued_total', 'Messages that we wrote to postmasters')
  const noticesDropped = metrics.counter(
    'vorposten_notices_dropped_total',
    'Such messages that ended undelivered',
    'reason',
    ['refused', 'expired'],
  )
  const callouts = metrics.counter('vorposten_callouts_total', 'Callouts to customers’ servers', 'answer', answers)
  const tests = metrics.counter('vorposten_takes_all_tests_total', 'Made-up addresses asked for', 'taken', [
    'yes',
    'no',
  ])
  const sessions = metrics.counter('vorposten_sessions_total', 'Sessions that ended, by how', 'end')
  const alarms = metrics.counter('vorposten_alarms_total', 'What a person should look at', 'symbol')
  const logins = metrics.counter('vorposten_authentications_total', 'Attempts at AUTH, by how they ended', 'result', [
    'right',
    'wrong',
    'locked',
    'network',
    'throttled',
    'malformed',
    'unknown',
  ])
  return (event) => {
    if (event.kind === 'authenticated') logins.add(event.result)
    if (event.kind === 'held') held.add(event.reason, event.recipients.length)
    else if (event.kind === 'dropped') {
      if (event.reason === 'kept') holdsDropped.add('', event.recipients.length)
      else noticesDropped.add(event.reason)
    } else if (event.kind === 'notice-queued' && event.about === undefined) noticesQueued.add()
    else if (event.kind === 'probed') callouts.add(event.answer.kind)
    else if (event.kind === 'takes-all-tested') tests.add(event.takesAll ? 'yes' : 'no')
    else if (event.kind === 'session-closed') sessions.add(event.why)
    else if (event.kind === 'alarm') alarms.add(event.symbol)
  }
}

const SUBJECTS = {
  outbound: ['vorposten_outbound_total', 'Mail that tenants’ servers handed to us, by what it is'],
  'auto-reply': ['vorposten_auto_replies_total', 'Automatic replies that leave, by what became of them'],
  ndr: ['vorposten_outbound_ndrs_total', 'Non-delivery messages of tenants’ servers, by what became of them'],
  bounce: ['vorposten_bounces_total', 'Bounces to protected tenants, by what was decided'],
  dkim: ['vorposten_dkim_signed_total', 'Mail that leaves, by what became of its signature'],
  'return-path': ['vorposten_return_paths_total', 'Reverse-paths of mail that came in, by what verified them'],
  spf: ['vorposten_spf_total', 'Mail that came in, by what SPF says of it'],
  dmarc: ['vorposten_dmarc_total', 'Mail that came in, by what DMARC says of it'],
} as const

// The share of a class is a figure of each tenant (R6), so these have two labels.
function policies(metrics: Metrics): Count {
  const tally = () => new Tally()
  const counted = {
    outbound: tally(),
    'auto-reply': tally(),
    ndr: tally(),
    bounce: tally(),
    dkim: tally(),
    'return-path': tally(),
    spf: tally(),
    dmarc: tally(),
  }
  for (const [subject, [name, help]] of Object.entries(SUBJECTS)) {
    metrics.counterOf(name, help, () => counted[subject as keyof typeof SUBJECTS].samples())
  }
  const labels: { [subject: string]: string } = {
    ...{ outbound: 'class', dkim: 'result', 'return-path': 'result', spf: 'result', dmarc: 'result' },
  }
  return (event) => {
    if (event.kind !== 'governed') return
    counted[event.subject].add({ tenant: event.tenant, [labels[event.subject] ?? 'decision']: event.decision })
  }
}

/**
 * The word for an outcome in logs: Postfix's, and `held` (a notice of ours: `dropped`) where Postfix would bounce and we may
 * not.
 */
export const statusWord = (
  outcome: Outcome,
  at: number,
  { inSession, notice, returned }: Pick<Extract<PathEvent, { kind: 'attempted' }>, 'inSession' | 'notice' | 'returned'>,
): string => {
  if (outcome.kind === 'delivered') return 'sent'
  if (returned?.includes(at)) return 'bounced'
  if (outcome.kind === 'deferred') return 'deferred'
  if (notice) return 'dropped'
  return inSession ? 'refused' : 'held'
}
