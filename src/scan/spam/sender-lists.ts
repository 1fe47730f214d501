/** What the tenant's own lists say of a sender, as signs. They weigh nothing: policy/spam.ts obeys them whatever the score is. */
import type { SymbolTable } from './contract.ts'

export const SENDER_LISTS = {
  ALLOWED: {
    family: 'reputation',
    weight: 0,
    en: 'is on the list of those who are let through, and has proved it',
    de: 'steht auf der Liste derer, die durchgelassen werden, und hat es belegt',
  },
  ALLOW_UNAUTHENTICATED: {
    family: 'reputation',
    weight: 0,
    en: 'says that it is from somebody on the list of those who are let through; nothing proves it, so it counts nothing',
    de: 'will von jemandem sein, der durchgelassen wird; nichts belegt es, also zählt es nichts',
  },
  BLOCKED: {
    family: 'reputation',
    weight: 0,
    en: 'is on the list of those who are refused',
    de: 'steht auf der Liste derer, die abgelehnt werden',
  },
} as const satisfies SymbolTable
