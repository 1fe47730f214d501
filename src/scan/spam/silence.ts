/**
 * What could not be asked about a message, as signs: they weigh nothing, and tell a score that lacks something from one that
 * does not. Unknown is not no.
 */
import type { SymbolTable } from './contract.ts'

export const SILENCE = {
  READER_SILENT: {
    family: 'text',
    weight: 0,
    en: 'the message itself was not read',
    de: 'die Nachricht selbst wurde nicht gelesen',
  },
  AUTHENTICATION_SILENT: {
    family: 'authentication',
    weight: 0,
    en: 'whether it comes from its sender’s servers could not be found out in time',
    de: 'ob sie von Servern ihres Absenders kommt, ließ sich nicht rechtzeitig klären',
  },
  CLIENT_SILENT: {
    family: 'connection',
    weight: 0,
    en: 'what is known of the server that brought it could not be asked in time',
    de: 'was über den einliefernden Server bekannt ist, ließ sich nicht rechtzeitig erfragen',
  },
  LISTS_SILENT: {
    family: 'lists',
    weight: 0,
    en: 'lists of bad links did not answer in time',
    de: 'Listen übler Links haben nicht rechtzeitig geantwortet',
  },
  MEMORY_SILENT: {
    family: 'reputation',
    weight: 0,
    en: 'earlier mail of this sender could not be looked up',
    de: 'frühere Post dieses Absenders ließ sich nicht nachschlagen',
  },
  ENGINES_SILENT: {
    family: 'engines',
    weight: 0,
    en: 'another spam filter did not answer in time',
    de: 'ein anderer Spamfilter hat nicht rechtzeitig geantwortet',
  },
} as const satisfies SymbolTable

/** Who can be silent, as `SpamResult.silent` names them. */
export type Source = 'reader' | 'authentication' | 'client' | 'lists' | 'memory' | 'engines'

export const SILENT_SYMBOLS: Readonly<Record<Source, keyof typeof SILENCE>> = {
  reader: 'READER_SILENT',
  authentication: 'AUTHENTICATION_SILENT',
  client: 'CLIENT_SILENT',
  lists: 'LISTS_SILENT',
  memory: 'MEMORY_SILENT',
  engines: 'ENGINES_SILENT',
}
