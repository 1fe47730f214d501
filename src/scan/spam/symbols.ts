/** Every symbol that the filter can say, by name: rules of the reading thread, and what is said on the path. */
import type { SymbolTable } from './contract.ts'
import { LIST_SYMBOLS } from './lists/symbols.ts'
import { RULES } from './rules.ts'

export const SYMBOLS: SymbolTable = Object.assign(
  {},
  LIST_SYMBOLS,
  ...RULES.map(({ symbols }) => symbols),
) as SymbolTable
