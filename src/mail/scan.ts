/**
 * What a look into a content can find, as facts: the scanners say what is there, the policy of a tenant says what becomes
 * of it. A scanner that could not look says so with a fact of its own (law 5); silence is never one.
 *
 * `where` is the way to the object for a person to read, outermost first: `part 2 › invoice.zip › invoice.js`. Texts are
 * for operators and tenants; they may hold names out of the message, printable and bounded by WHERE_LENGTH_MAX.
 */

/** Of `where` and of a name in a fact, in characters; longer ones are cut in the middle. */
export const WHERE_LENGTH_MAX = 300
/** Facts of one content; more say nothing new. What is dropped is counted in an `over-limit` fact. */
export const FACTS_MAX = 1_000

/** Where unpacking stopped. `octets`: of all that was unpacked; `ratio`: octets out for each octet in. */
export type ScanLimit = 'depth' | 'objects' | 'octets' | 'ratio' | 'time' | 'memory' | 'facts'

/** Why an engine gave no answer. `too-large`: it said itself that it does not look at so much. */
export type NoLook = 'down' | 'timed-out' | 'crashed' | 'garbled' | 'too-large' | 'busy'

/** What a file is by its content, as coarse as a policy needs it. */
export type FileClass =
  | 'executable'
  | 'script'
  | 'shortcut'
  | 'disk-image'
  | 'archive'
  | 'office'
  | 'pdf'
  | 'html'
  | 'image'
  | 'text'
  | 'message'
  | 'other'

/**
 * What a document runs or fetches. `ole-link`: an object that Office fetches from elsewhere; `open-document`: Basic, Python or
 * others, in OpenDocument.
 */
export type MacroDialect = 'vba' | 'xlm' | 'dde' | 'remote-template' | 'ole-package' | 'ole-link' | 'open-document'

export type ScanFact =
  /** An engine names it. */
  | { readonly kind: 'malware'; readonly engine: string; readonly name: string; readonly where: string }
  /** A rule of the embedded engine; `symbol` is short, stable, kebab-case, and documented. */
  | { readonly kind: 'suspicious'; readonly symbol: string; readonly where: string; readonly text: string }
  /** A file as attachment or in a container: all names that readers give it, and what its content is. */
  | {
      readonly kind: 'file'
      readonly names: readonly string[]
      readonly type: string
      readonly class: FileClass
      readonly where: string
    }
  /** Office code. `autoRun`: it starts without a click. */
  | {
      readonly kind: 'macro'
      readonly dialect: MacroDialect
      readonly autoRun: boolean
      readonly where: string
    }
  /** It cannot be read without a password. */
  | { readonly kind: 'encrypted'; readonly container: string; readonly where: string }
  /** It is damaged: some reader may still find something in it. */
  | { readonly kind: 'broken'; readonly container: string; readonly where: string; readonly text: string }
  /** There is more than was looked at. */
  | { readonly kind: 'over-limit'; readonly limit: ScanLimit; readonly where: string; readonly text: string }
  /** Readers of mail disagree about this place, and not every reading could be looked at. */
  | { readonly kind: 'cannot-tell'; readonly symbol: string; readonly where: string; readonly text: string }
  /** An engine did not answer. */
  | { readonly kind: 'not-looked'; readonly engine: string; readonly why: NoLook; readonly text: string }

/** What all engines together say about one content. */
export interface ScanResult {
  readonly facts: readonly ScanFact[]
  /** Engines that looked at all of it and found nothing. */
  readonly cleanBy: readonly string[]
  readonly durationMs: number
  /** Whether the engines have looked at it now, or a short time ago; absent: nothing was remembered. */
  readonly memory?: 'hit' | 'miss'
}

/** The fact in a line, for logs, traces and people. Bounded, printable ASCII. */
export function factText(fact: ScanFact): string {
  return printable(factWords(fact))
}

function factWords(fact: ScanFact): string {
  switch (fact.kind) {
    case 'malware':
      return `malware ${fact.name} in ${fact.where} (${fact.engine})`
    case 'suspicious':
      return `suspicious, ${fact.symbol}: ${fact.text} in ${fact.where}`
    case 'file':
      return `file ${fact.names.join(' alias ') || 'without a name'}, ${fact.class} (${fact.type}) in ${fact.where}`
    case 'macro':
      return `macro (${fact.dialect}${fact.autoRun ? ', starts by itself' : ''}) in ${fact.where}`
    case 'encrypted':
      return `encrypted ${fact.container} in ${fact.where}`
    case 'broken':
      return `broken ${fact.container} in ${fact.where}: ${fact.text}`
    case 'over-limit':
      return `over the limit of ${fact.limit} in ${fact.where}: ${fact.text}`
    case 'cannot-tell':
      return `cannot tell, ${fact.symbol}: ${fact.text} in ${fact.where}`
    case 'not-looked':
      return `not looked at by ${fact.engine}, ${fact.why}: ${fact.text}`
  }
}

/** Also for names out of a message: controls and what is not ASCII become `?`, the middle of a long text `…`. */
export function printable(text: string, charactersMax = WHERE_LENGTH_MAX): string {
  const plain = text
    .slice(0, 4 * charactersMax)
    .replaceAll('›', '>')
    .replace(/[^\x20-\x7e]/g, '?')
  if (plain.length <= charactersMax) return plain
  const half = Math.floor((charactersMax - 3) / 2)
  return `${plain.slice(0, half)}...${plain.slice(-half)}`
}
