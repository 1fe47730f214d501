/**
 * What a notice says, before it is text or HTML: blocks of inline pieces. Both forms are made of the same document, so
 * that nobody reads less than another. Nothing in it is trusted: each form makes every string harmless itself.
 */

/** `code`: to be typed as it stands. `foreign`: words of others, shown as a quotation. `line`: starts a new line. */
export type Piece =
  | string
  | { readonly code: string }
  | { readonly foreign: string }
  | { readonly address: string }
  | { readonly kind: 'line' }
export type Pieces = readonly Piece[]

export const code = (value: string): Piece => ({ code: value })
export const foreign = (value: string): Piece => ({ foreign: value })
export const address = (value: string): Piece => ({ address: value })
export const LINE: Piece = { kind: 'line' }

export interface Table {
  readonly kind: 'table'
  readonly caption: string
  readonly columns: readonly string[]
  /** As many cells as columns. The first one names the row. */
  readonly rows: readonly (readonly Pieces[])[]
}

export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly pieces: Pieces }
  | { readonly kind: 'list'; readonly items: readonly Pieces[] }
  /** Names and values, in two columns. */
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [name: string, value: Pieces])[] }
  /** What a command does, and the command. */
  | { readonly kind: 'commands'; readonly rows: readonly (readonly [purpose: string, command: string])[] }
  | Table

export interface Document {
  readonly language: 'de' | 'en'
  /** The title, and the Subject. */
  readonly subject: string
  readonly blocks: readonly Block[]
}

export const heading = (text: string): Block => ({ kind: 'heading', text })
export const paragraph = (...pieces: Piece[]): Block => ({ kind: 'paragraph', pieces })
export const list = (...items: Pieces[]): Block => ({ kind: 'list', items })
