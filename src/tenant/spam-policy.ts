/**
 * What becomes of mail that the spam filter has a score for: from which score on which action. Tenants, domains and recipients
 * may differ; what none of them says is as in `DEFAULT_SPAM_POLICY`.
 *
 * A score is a natural logarithm of odds (mail/spam.ts): 5 is a probability of 99.3 %, 12 of 99.9994 %. So a threshold says
 * how sure we must be, and the same one means the same for every tenant.
 */
import { type Layered, type LayerOf, layeredOn, type NamedLayer, type SettingOf } from './policy-layers.ts'

/** A score from which on something happens; `off`: never. */
export type Threshold = number | 'off'

export interface SpamPolicy extends Layered {
  /** False: nobody looks. */
  readonly filter: boolean
  /** Delivered, with fields that say so. */
  readonly tagAt: Threshold
  /** Refused for now when the sender is a stranger: below the others, where nobody can be sure. */
  readonly greylistAt: Threshold
  /** Taken and kept from everybody until a person decides. */
  readonly quarantineAt: Threshold
  /** 550 in the session. */
  readonly rejectAt: Threshold
  /** The same for what tries to steal passwords or money: one that comes through costs more than one that does not. */
  readonly phishingTagAt: Threshold
  readonly phishingQuarantineAt: Threshold
  readonly phishingRejectAt: Threshold
  /** To many who asked for it, or could have: what becomes of it below all thresholds. */
  readonly bulk: 'pass' | 'tag' | 'quarantine'
  /** Bounces and automatic answers to mail that the recipient never sent, below all thresholds. */
  readonly backscatter: 'pass' | 'tag' | 'quarantine' | 'reject'
  /** The thread that reads, or a filter beside us, gave no answer. */
  readonly engineSilent: 'pass' | 'defer'
  /** Whether delivered mail has fields that explain its score. */
  readonly fields: boolean
  /** Printable ASCII, before the subject of tagged mail; empty: none. It breaks signatures (DKIM). */
  readonly subjectTag: string
}

export type SpamSetting = SettingOf<SpamPolicy>
export type SpamPolicyLayer = LayerOf<SpamPolicy>

/**
 * Delivered rather than lost: at 12 a person would have to see 170,000 such messages before one of them is wanted, and its
 * sender hears of it. Nothing goes to quarantine unasked, since nobody may be looking there. A phish is refused earlier: its
 * readers do what it says. A filter that is silent holds up no mail; that it was silent is in the trace.
 */
export const DEFAULT_SPAM_POLICY: SpamPolicy = {
  id: '',
  filter: true,
  tagAt: 5,
  greylistAt: 'off',
  quarantineAt: 'off',
  rejectAt: 12,
  phishingTagAt: 4,
  phishingQuarantineAt: 'off',
  phishingRejectAt: 10,
  bulk: 'pass',
  backscatter: 'pass',
  engineSilent: 'pass',
  fields: true,
  subjectTag: '',
}

/** Later layers have the last word. */
export const spamPolicy = (...layers: readonly SpamPolicyLayer[]): SpamPolicy =>
  layeredSpamPolicy(layers.map((layer) => ({ from: 'a layer', layer })))

/** The same, and it knows which level says what. */
export const layeredSpamPolicy = (levels: readonly NamedLayer<SpamPolicyLayer>[]): SpamPolicy =>
  layeredOn(DEFAULT_SPAM_POLICY, levels)
