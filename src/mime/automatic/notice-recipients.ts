/**
 * The failed recipients in the words of a notice, each with what was said about it.
 *
 * Notices differ in words, but few ways of naming a recipient are in use; the surest that occurs in a notice is taken:
 * an entry of its own (`<user@host>:`, an indented address, a list item), a label (`Unknown user: …`), a reply that names it
 * (`550 5.1.1 <user@host>... User unknown`), an address in a sentence about a failure. Linear in the notice.
 */
import { addressesIn, LINE_CHARACTERS_MAX, sameAddress } from './addresses.ts'
import { RECIPIENTS_MAX } from './status-fields.ts'

export interface NamedRecipient {
  readonly recipient: string
  /** What the recipient was before it was forwarded, where the notice says so. */
  readonly generatedFrom?: string
  /** The lines about it. */
  readonly diagnostic: string
}

interface Mention {
  readonly line: number
  readonly address: string
  readonly tier: 1 | 2 | 3 | 4
  /** The client's own command in a transcript; the reply stands below it. */
  readonly isCommand: boolean
}

/** Addresses of one notice that are weighed: it bounds the work on a notice made of nothing else. */
const ADDRESSES_MAX = 3000
/** What stands before and behind an address and is looked at, in characters. */
const AROUND_CHARACTERS_MAX = 150
/** Of the lines about one recipient. */
const DIAGNOSTIC_LINES_MAX = 40

/**
 * Reads the recipients out of the lines of a notice. `own` are addresses that belong to the reader of the notice or to its
 * writer: they are named in greetings and signatures, and count only as an entry of their own.
 */
export function namedRecipients(lines: readonly string[], own: readonly string[]): NamedRecipient[] {
  const mentions = allMentions(lines, own)
  const tier = ([1, 2, 3, 4] as const).find((t) => mentions.some((mention) => mention.tier === t))
  if (tier === undefined) return []
  const chosen = mentions.filter((mention) => mention.tier === tier)
  const blocks = new Map<string, { recipient: string; parts: string[]; generatedFrom?: string }>()
  for (const [i, mention] of chosen.entries()) {
    const key = mention.address.toLowerCase()
    const [start, end] = extent(chosen, i, lines.length)
    const known = blocks.get(key)
    if (known === undefined && blocks.size >= RECIPIENTS_MAX) break
    const block = known ?? { recipient: mention.address, parts: [] }
    if (start < end) block.parts.push(blockText(lines, start, end))
    blocks.set(key, block)
  }
  if (tier === 1) addReplies(lines, chosen, blocks)
  return [...blocks.values()].map(({ recipient, parts }) => finished(recipient, parts.join('\n')))
}

// What was said about an entry stands behind it; in a transcript the verdict on a recipient is the last line about him.
function extent(chosen: readonly Mention[], i: number, end: number): [number, number] {
  const { line, tier, isCommand } = chosen[i]!
  if (tier !== 3) return [line, Math.min(chosen[i + 1]?.line ?? end, line + DIAGNOSTIC_LINES_MAX)]
  if (isCommand) return [line, Math.min(chosen[i + 1]?.line ?? end, line + 5)]
  const isLast = i === chosen.length - 1
  return [Math.max((chosen[i - 1]?.line ?? -1) + 1, line - 5), isLast ? Math.min(end, line + 5) : line + 1]
}

function finished(recipient: string, diagnostic: string): NamedRecipient {
  const from = /(?:ultimately )?generated from ([^\n)]{3,300})/.exec(diagnostic)?.[1]
  const generatedFrom = from === undefined ? undefined : addressesIn(from)[0]?.address
  return { recipient, diagnostic, ...(generatedFrom !== undefined && { generatedFrom }) }
}

// A transcript behind the list says more about a recipient than the list does.
function addReplies(
  lines: readonly string[],
  chosen: readonly Mention[],
  blocks: ReadonlyMap<string, { readonly parts: string[] }>,
): void {
  const last = chosen.at(-1)!.line
  for (let i = last + 1; i < lines.length; i++) {
    const line = lines[i]!
    if (!/[45]\d\d/.test(line.slice(0, 40)) || !line.includes('@')) continue
    const named = addressesIn(line)[0]
    if (named !== undefined) blocks.get(named.address.toLowerCase())?.parts.push(line)
  }
}

function blockText(lines: readonly string[], from: number, to: number): string {
  const text: string[] = []
  for (let i = from; i < to; i++) {
    const line = lines[i]!
    if (i > from && END_OF_BLOCK.test(line)) break
    text.push(line)
  }
  return text.join('\n')
}

// Boilerplate behind the entries, which speaks of no recipient.
const END_OF_BLOCK =
  /^\s{0,10}(?:-{3,}\s{0,3}[A-Za-z][^@]{0,60}|No action is required on your part|For (?:further|more) (?:assistance|information)|If you (?:do so|continue|have|are still)|Please contact|Final-Log|Recommend)/i

function allMentions(lines: readonly string[], own: readonly string[]): Mention[] {
  const mentions: Mention[] = []
  const isOwn = (address: string): boolean => own.some((mine) => sameAddress(mine, address))
  let announced = -100
  let weighed = 0
  for (const [line, whole] of lines.entries()) {
    const text = whole.slice(0, LINE_CHARACTERS_MAX)
    if (ANNOUNCED.test(text)) announced = line
    if (!text.includes('@')) continue
    if (CONTACT.test(text)) continue
    const generated = /generated (?:from|by) [^@\s]{1,250}@/.test(text)
    const found = addressesIn(text)
    for (const { address, start, end } of found) {
      if (weighed++ > ADDRESSES_MAX) return mentions
      const before = text.slice(Math.max(0, start - AROUND_CHARACTERS_MAX), start)
      const after = text.slice(end, end + AROUND_CHARACTERS_MAX)
      const tier = tierOf(before, after, generated ? undefined : line - announced)
      if (tier === undefined || (tier > 1 && isOwn(address))) continue
      if (tier === 1 && isOwn(address) && !/^[\s"'>]*:?$/.test(after)) continue
      mentions.push({ line, address, tier, isCommand: COMMAND.test(before) })
      break
    }
    if (generated && !isEntryBefore(mentions, line)) {
      const address = found.at(-1)?.address
      if (address !== undefined) mentions.push({ line, address, tier: 1, isCommand: false })
    }
    if (mentions.length > RECIPIENTS_MAX * 4) break
  }
  return mentions
}

// "(generated from x)" below an address belongs to it; below "save to …" or "an undisclosed address" it is all there is.
const isEntryBefore = (mentions: readonly Mention[], line: number): boolean =>
  mentions.some((mention) => mention.tier === 1 && line - mention.line <= 1)

function tierOf(before: string, after: string, sinceAnnounced: number | undefined): Mention['tier'] | undefined {
  if (sinceAnnounced !== undefined && isEntry(before, after)) return 1
  if (REPLY_NAMES.test(before)) return SENDER_COMMAND.test(before) ? undefined : 3
  if (SENDER_COMMAND.test(before)) return undefined
  if (LABEL.test(before)) return 2
  if (FAILURE.test(before) || FAILURE.test(after)) return 4
  return sinceAnnounced !== undefined && sinceAnnounced >= 0 && sinceAnnounced < 4 ? 4 : undefined
}

// Alone on its line, or first on it and followed by what was said.
function isEntry(before: string, after: string): boolean {
  if (!/^[\s"'<>*•|·-]{0,40}(?:\d{1,3}[.)] {0,3})?[<"']{0,2}$/.test(before)) return false
  return /^[>"']{0,2}(?:\s{0,20}$|\s{0,3}[:;,]|<mailto:|\s{0,3}(?:\(|\[|\.\.\.|<|-{1,2} |=> )|\s{1,3}on [A-Z0-9]|\s{1,3}(?:User|Invalid|Unknown|Not|No|Mailbox|could|has|was|failed|does)\b)/i.test(
    after,
  )
}

const LABEL =
  /(?:recipient|address|user(?:id|name)?|mail ?box|deliver(?:y|ed)?(?: \w{1,10}){0,3}(?: attempts)?|message|mail|e-?mail|error-for|failed|(?:un)?deliverable|adressat|empf\S{1,3}nger|destinataire|destinatari\w|envoy\S{1,2}|rcpt|allowed size)(?: to| for| an| an die adresse| a| à| address)?(?:\(s\)|s)?\s{0,10}[:=]?\s{0,10}[<"'(]{0,2}$/i
const REPLY_NAMES = /(?:^|[\s>(:])(?:[45]\d\d[\s-]|RCPT TO)[^@]{0,120}$|(?:^|\s)(?:In: |>>> )[^@]{0,80}$/i
const COMMAND = /RCPT TO:\s{0,3}<?$/i
const SENDER_COMMAND =
  /MAIL\s{1,3}FROM:|(?:^|[\s(])(?:from|sender|reply-to|von|envelope-from)\s{0,3}[:=]?\s{0,3}[<"']{0,2}$/i
const FAILURE =
  /not (?:be )?(?:\w{1,12} )?deliver|undeliver|failed|failure|unable to|reject|refus|unknown|does ?n[o']t exist|not exist|no such|not listed|invalid|full|quota|exceed|cannot be|could not|not a valid|has not (?:yet )?been|nicht|impossible|no (?:se )?pudo|n[ãa]o|non |niet|nie |no (?:fue|ha)|protected by|not a member|addressed to|delayed/i
const CONTACT =
  /(?:contact|assistance|support|help ?desk|write to|questions?|ansprechpartner|wenden sie sich|kontakt)[^@]{0,60}[\s<"':]\S{1,100}@|@\S{1,100}[^@]{0,20}(?:for (?:help|assistance))/i
// "… to the following recipients:"; entries stand in the lines below.
const ANNOUNCED =
  /(?:following|these|folgende\w{0,2}|suivant\w{0,2}|siguiente\w{0,1}|seguent\w|volgende|seguinte\w{0,1}|nast[eę]puj\S{1,4}|下記|以下|next)[^@\n]{0,60}(?:recipient|address|adress|empf|destinat|ontvanger|adres|ア|user)|(?:recipients?|address(?:es|\(es\))?)[^@\n]{0,40}(?:fail|not)|did not reach|was not delivered to|could not be delivered|not yet been delivered|not delivered|message to:/i

/** A recipient without a domain, alone on a line behind "… to the following recipients …:". */
export function bareRecipient(lines: readonly string[]): string | undefined {
  for (const [i, line] of lines.entries()) {
    if (!ANNOUNCED.test(line.slice(0, LINE_CHARACTERS_MAX))) continue
    const below = lines.slice(i + 1, i + 6).find((next) => next.trim() !== '' && !next.trim().endsWith(':'))
    const word = /^\s{0,20}([\w.+-]{1,64})(?:\s{1,5}"[^@]{0,200})?$/.exec(below ?? '')?.[1]
    if (word !== undefined) return word
  }
  return undefined
}
