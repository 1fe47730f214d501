/** What DNS lists say. Weights are the operator's, list by list; those here are what a list of good name deserves. */
import type { SymbolTable } from '../contract.ts'

export const LIST_SYMBOLS = {
  LIST_CLIENT_BLOCKED: {
    family: 'lists',
    weight: 4,
    en: 'a DNS list warns of the server that it came from',
    de: 'eine DNS-Liste warnt vor dem Server, von dem sie kam',
  },
  LIST_CLIENT_WELCOME: {
    family: 'lists',
    weight: -3,
    en: 'a DNS list vouches for the server that it came from',
    de: 'eine DNS-Liste verbürgt sich für den Server, von dem sie kam',
  },
  LIST_SENDER_BLOCKED: {
    family: 'lists',
    weight: 4,
    en: 'a DNS list warns of a domain that it claims to come from',
    de: 'eine DNS-Liste warnt vor einer Domain, von der sie kommen will',
  },
  LIST_LINK_BLOCKED: {
    family: 'lists',
    weight: 5,
    en: 'a DNS list warns of a domain that it links to',
    de: 'eine DNS-Liste warnt vor einer Domain, auf die sie verweist',
  },
  LIST_UNKNOWN: {
    family: 'lists',
    weight: 0,
    en: 'a DNS list did not say, in time or at all',
    de: 'eine DNS-Liste hat nicht rechtzeitig oder gar nicht geantwortet',
  },
} as const satisfies SymbolTable
