/** Every symbol that the filter can say, by name: rules of the reading thread, and what is said on the path. */
import { CLASSIFIER_SYMBOLS } from './classifier/signs.ts'
import type { SymbolTable } from './contract.ts'
import { ENGINES } from './engines/symbols.ts'
import { AUTHENTICATION_SYMBOLS } from './evidence/authentication.ts'
import { LIST_SYMBOLS } from './lists/symbols.ts'
import { MEMORY_SYMBOLS } from './memory/signs.ts'
import { RULES } from './rules.ts'
import { SILENCE } from './silence.ts'

export const SYMBOLS: SymbolTable = Object.assign(
  {},
  SILENCE,
  AUTHENTICATION_SYMBOLS,
  ...RULES.map(({ symbols }) => symbols),
  CLASSIFIER_SYMBOLS,
  ENGINES,
  MEMORY_SYMBOLS,
  LIST_SYMBOLS,
) as SymbolTable
