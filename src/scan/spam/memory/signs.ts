/** What the memory of the spam filter can say. */
import type { SymbolTable } from '../contract.ts'

export const MEMORY_SYMBOLS = {
  REPUTATION_GOOD: {
    family: 'reputation',
    weight: -3,
    en: 'earlier mail of this sender was wanted',
    de: 'frühere Post dieses Absenders war erwünscht',
  },
  REPUTATION_BAD: {
    family: 'reputation',
    weight: 3,
    en: 'earlier mail of this sender was spam',
    de: 'frühere Post dieses Absenders war Spam',
  },
  REPUTATION_NEW_SENDER: {
    family: 'reputation',
    weight: 0,
    en: 'nothing is known of this sender yet',
    de: 'über diesen Absender ist noch nichts bekannt',
  },
  REPUTATION_UNREADABLE: {
    family: 'reputation',
    weight: 0,
    en: 'what is known of this sender could not be read',
    de: 'was über diesen Absender bekannt ist, ließ sich nicht lesen',
  },
  KNOWN_CORRESPONDENT: {
    family: 'reputation',
    weight: -3,
    en: 'somebody here has written to this sender',
    de: 'jemand von hier hat diesem Absender geschrieben',
  },
  KNOWN_ANSWER: {
    family: 'reputation',
    weight: -2,
    en: 'answers a message that somebody here has written',
    de: 'antwortet auf eine Nachricht, die jemand von hier geschrieben hat',
  },
  KNOWN_UNPROVEN: {
    family: 'reputation',
    weight: 0,
    en: 'says that it comes from somebody whom people here have written to; nothing proves it',
    de: 'gibt sich als Post von jemandem aus, dem von hier geschrieben wurde; nichts beweist es',
  },
  KNOWN_PLAYED: {
    family: 'reputation',
    weight: 1,
    en: 'says that it comes from somebody whom people here have written to; that sender’s domain disowns it',
    de: 'gibt sich als Post von jemandem aus, dem von hier geschrieben wurde; dessen Domain erkennt sie nicht an',
  },
  DUPLICATE_OF_SPAM: {
    family: 'duplicates',
    weight: 3,
    en: 'people have called nearly the same text spam',
    de: 'fast denselben Text haben Menschen als Spam gemeldet',
  },
  DUPLICATE_MANY_SENDERS: {
    family: 'duplicates',
    weight: 2,
    en: 'nearly the same text comes from many senders that have nothing to do with each other',
    de: 'fast derselbe Text kommt von vielen Absendern, die nichts miteinander zu tun haben',
  },
} as const satisfies SymbolTable
