/** What notices say, sentence by sentence: each language has all of it. Order and facts are the business of the documents. */
import type { SignSymbol } from '#mail/notice.ts'
import type { HoldReason } from '#mail/stored.ts'
import type { Pieces } from './document.ts'
import type { Prerequisite } from './prerequisites.ts'

/** A number and its text: the number decides the grammar. */
export interface Count {
  readonly n: number
  readonly text: string
}

export interface CommonWords {
  readonly whatHappens: string
  readonly whatToDo: string
  /** Stands at the end of each notice. */
  readonly closing: (hostname: string) => Pieces
  readonly domains: string
  readonly since: string
  readonly until: string
  readonly lasted: string
  readonly waiting: string
  readonly oldest: string
  readonly none: string
  readonly messages: (count: Count) => string
  readonly andMore: (count: Count) => string
}

export interface DigestWords {
  readonly subject: (count: Count, tenant: string) => string
  readonly opening: (count: Count, hostname: string) => string
  readonly noBounce: string
  /** Continues the sentence before it. */
  readonly kept: string
  /** The same, where some have an end. */
  readonly keptForAWhile: string
  readonly all: (count: Count) => string
  readonly caption: string
  /** Message, from, to, received, why, kept until. */
  readonly columns: readonly [string, string, string, string, string, string]
  readonly noSubject: string
  readonly nobody: string
  readonly keptForever: string
  /** Followed by what was said, quoted. */
  readonly why: { readonly [reason in HoldReason]: string }
  readonly more: (count: Count) => string
  readonly advice: { readonly [of in Prerequisite | 'other-refusal' | 'loop']: string }
  readonly decide: string
  readonly operator: (isExample: boolean) => string
  readonly release: string
  readonly requeue: string
  readonly redirect: string
  readonly remove: string
  /** What stands in a command for what the reader must put there. */
  readonly placeholders: { readonly route: string; readonly address: string }
}

export interface ServerWords {
  readonly subject: {
    readonly down: (route: string) => string
    readonly stillDown: (route: string, count: Count) => string
    readonly up: (route: string) => string
    readonly drained: (route: string) => string
  }
  readonly down: (route: string, since: string) => string
  readonly stillDown: (route: string, since: string) => string
  readonly up: (route: string, now: string, lasted: string) => string
  readonly seen: string
  readonly knownKept: string
  readonly knownRefused: string
  readonly unsureDeferred: string
  readonly tried: string
  readonly triedUntil: (until: string) => string
  readonly check: string
  readonly noNeed: string
  readonly planned: string
  readonly standing: string
  readonly drained: (count: Count, took: string) => string
  readonly draining: (count: Count) => string
  /** For a notice that only says what became of the backlog. */
  readonly drainedSince: (route: string, upSince: string) => string
  readonly putOff: (count: Count) => string
  readonly nothingWaited: string
  readonly someHeld: (count: Count) => string
  readonly someHeldToDo: string
  readonly nothingToDo: string
  readonly placeholders: { readonly time: string }
}

export interface MaintenanceWords {
  readonly subject: {
    readonly began: (route: string) => string
    readonly ending: (route: string) => string
    readonly ended: (route: string) => string
  }
  readonly began: (route: string, until: string) => string
  readonly ending: (route: string, until: string) => string
  readonly ended: (route: string, now: string) => string
  readonly reason: string
  readonly paused: string
  readonly resumes: string
  readonly beReady: string
  readonly endEarly: string
  readonly prolong: string
}

export interface LoginWords {
  readonly subject: (login: string) => string
  readonly opening: (login: string) => string
  readonly locked: string
  readonly why: string
  readonly sign: { readonly [sign in SignSymbol]: (count: Count, of: Count) => string }
  readonly refused: string
  readonly held: string
  readonly others: string
  readonly ask: string
  readonly change: string
  readonly unlock: string
  readonly operator: string
  readonly look: string
  readonly sent: string
  readonly remove: string
  readonly passwd: string
  readonly open: string
}

export interface SenderDomainWords {
  readonly subject: { readonly going: (domain: string) => string; readonly revoked: (domain: string) => string }
  readonly going: (domain: string, until: string) => string
  readonly revoked: (domain: string, now: string) => string
  readonly name: string
  readonly text: string
  readonly until: string
  readonly noAnswer: string
  readonly refused: string
  readonly unsigned: string
  readonly others: string
  readonly publish: string
  readonly publishAgain: string
  readonly onPurpose: string
  readonly operator: string
  readonly show: string
  readonly look: string
}

/** Of the part that stands in the place of one that the virus wall took out: for the recipient of the message. */
export interface RemovedWords {
  readonly opening: string
  readonly files: string
  readonly why: string
  readonly because: {
    readonly malware: (name: string) => string
    readonly suspicious: (symbol: string) => string
    readonly file: string
    readonly macro: string
    readonly encrypted: string
    readonly broken: string
    readonly 'over-limit': string
  }
  readonly otherWay: string
  /** Without a postmaster whoever runs the recipient's mail is asked. */
  readonly ask: (postmaster: string | undefined, id: string) => string
  readonly sender: string
  /** Of the file that mail programs show where they do not show the text. */
  readonly fileName: string
}

export interface Words {
  readonly removed: RemovedWords
  readonly senderDomain: SenderDomainWords
  readonly login: LoginWords
  readonly common: CommonWords
  readonly digest: DigestWords
  readonly server: ServerWords
  readonly maintenance: MaintenanceWords
}
