/** What the documents of all kinds of notices need beside the facts. */
import type { Figures, Language } from './figures.ts'
import type { Count, Words } from './words.ts'

export interface Telling {
  readonly language: Language
  readonly hostname: string
  readonly words: Words
  readonly figures: Figures
  readonly count: (n: number) => Count
}
