/**
 * Known correspondents: people of the tenant have written to them. An authenticated author counts; whoever only says that he is one
 * of them gets nothing for it, and loses if the domain disowns him.
 *
 * | the author | sign |
 * |---|---|
 * | authenticated, was written to | KNOWN_CORRESPONDENT; two thirds, if on one day only |
 * | authenticated, somebody at his domain was written to (not where anybody has an address) | KNOWN_CORRESPONDENT, one third |
 * | authenticated, answers a Message-ID of the tenant's | KNOWN_ANSWER; Message-IDs are no secret (archives of lists have them), so for others it is nothing |
 * | not authenticated, was written to | KNOWN_UNPROVEN, or KNOWN_PLAYED if DMARC fails |
 *
 * Automatic mail, bulk mail and mail with the null path make no correspondents: an absence note would make one of every spammer.
 */
import { registrant } from '#mail/registrable-domain.ts'
import type { Said } from '../contract.ts'
import { FREE_MAIL } from '../data/free-mail.ts'
import { domainOf, isAuthenticated, type MemoryFacts } from './facts.ts'

/** One tenant's memory: on how many days it wrote there; 0: it did not. */
export type WroteTo = (kind: CorrespondentKind, name: string) => number
export type CorrespondentKind = 'to-address' | 'to-domain' | 'message'

export function correspondentSigns({ about, trail: { author, answers } }: MemoryFacts, wroteTo: WroteTo): Said[] {
  if (author === undefined) return []
  const domain = domainOf(author)
  const days = wroteTo('to-address', author)
  const toDomain = FREE_MAIL.has(domain) ? 0 : wroteTo('to-domain', registrant(domain))
  if (!isAuthenticated(author, about.authenticated)) {
    if (days === 0) return []
    const isDisowned = about.authenticated?.dmarc === 'fail'
    return [{ symbol: isDisowned ? 'KNOWN_PLAYED' : 'KNOWN_UNPROVEN', detail: author }]
  }
  const said: Said[] = []
  if (days > 0) said.push({ symbol: 'KNOWN_CORRESPONDENT', strength: days > 1 ? 1 : 2 / 3, detail: author })
  else if (toDomain > 0) said.push({ symbol: 'KNOWN_CORRESPONDENT', strength: 1 / 3, detail: domain })
  const answered = answers.find((id) => wroteTo('message', id) > 0)
  if (answered !== undefined) said.push({ symbol: 'KNOWN_ANSWER', detail: answered })
  return said
}
