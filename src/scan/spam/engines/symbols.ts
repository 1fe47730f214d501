/** What engines beside us say, as signs. */
import type { SymbolTable } from '../contract.ts'
import { WEIGHT_MAX } from './weight.ts'

export const ENGINES = {
  ENGINE_RSPAMD: {
    family: 'engines',
    weight: WEIGHT_MAX,
    en: 'what Rspamd thinks of it',
    de: 'was Rspamd davon hält',
  },
  ENGINE_SPAMD: {
    family: 'engines',
    weight: WEIGHT_MAX,
    en: 'what SpamAssassin thinks of it',
    de: 'was SpamAssassin davon hält',
  },
  ENGINE_DELAYS: {
    family: 'engines',
    weight: 0.5,
    en: 'a spam filter beside us would have it tried again later',
    de: 'ein Spamfilter neben uns ließe sie später noch einmal kommen',
  },
  ENGINE_SKIPPED: {
    family: 'engines',
    weight: 0,
    en: 'a spam filter beside us was not asked, or did not look',
    de: 'ein Spamfilter neben uns wurde nicht gefragt oder hat nicht hingesehen',
  },
  ENGINE_SILENT: {
    family: 'engines',
    weight: 0,
    en: 'a spam filter beside us did not answer',
    de: 'ein Spamfilter neben uns hat nicht geantwortet',
  },
} as const satisfies SymbolTable

export type EngineSymbol = keyof typeof ENGINES
