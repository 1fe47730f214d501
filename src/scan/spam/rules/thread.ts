/**
 * Conversations: a reply says to which message, and quotes it. Spam claims it now and then; it seldom knows a Message-ID and
 * never the words. What is said here speaks for a message.
 */
import type { SpamRules, SymbolTable } from '../contract.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  THREAD_REPLY: {
    family: 'header',
    weight: -2,
    en: 'answers a message, and says which',
    de: 'antwortet auf eine Nachricht und sagt, auf welche',
  },
  THREAD_QUOTES: {
    family: 'text',
    weight: -1,
    en: 'quotes what it answers',
    de: 'zitiert, worauf sie antwortet',
  },
} as const satisfies SymbolTable

const REPLY = /^\s{0,9}(?:\[[^\]]{0,60}\]\s{0,9})?(?:re|aw|sv|antw|vs|r|odp|rif|res)\s{0,3}(?:\[\d{1,3}\])?:/i
const IDS = /<[^<>\s]{1,400}@[^<>\s]{1,255}>/
const QUOTED = /^>[^\n]{0,998}\n/m
/** Of a text that is looked at. */
const TEXT_LENGTH_MAX = 20_000

export const threadRules: SpamRules = {
  symbols,
  *look({ header, subject, texts }: SpamMessage) {
    const named = `${header.value('in-reply-to')?.slice(0, 1_000) ?? ''} ${header.value('references')?.slice(0, 4_000) ?? ''}`
    if (!IDS.test(named) || !REPLY.test(subject)) return
    // Nobody answers themselves under somebody else's server; who forges it has the recipient's address for an author.
    if (header.recipients.some(({ address }) => address === header.from.address)) return
    yield { symbol: 'THREAD_REPLY' }
    if (texts.some(({ kind, text }) => kind === 'plain' && QUOTED.test(text.slice(0, TEXT_LENGTH_MAX))))
      yield { symbol: 'THREAD_QUOTES' }
  },
}
