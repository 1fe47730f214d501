/**
 * What a sink (the next hop that a test plays) does at each step. The default is to accept everything.
 */

/** `dot` is the reply to the content, also after the last BDAT; with LMTP it is asked once per recipient. */
export type Stage =
  | 'connect'
  | 'helo'
  | 'ehlo'
  | 'starttls'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'bdat'
  | 'dot'
  | 'rset'
  | 'noop'
  | 'quit'
  | 'other'

/** A string is a reply without its last CRLF. */
export type Act =
  | string
  | {
      readonly reply?: string
      /** Octets instead of a reply, as they are: for hostile servers. */
      readonly raw?: string
      readonly afterMs?: number
      /** After what was said: `close` in order (FIN), or `reset` (RST). */
      readonly afterwards?: 'close' | 'reset'
    }

/** Never answers; the connection stays open. */
export const SILENCE: Act = {}
export const CLOSE: Act = { afterwards: 'close' }
export const RESET: Act = { afterwards: 'reset' }

export interface Step {
  /** The command line without CRLF; empty at `connect` and at `dot`. */
  readonly line: string
  /** 1 for the first connection that this sink ever took. */
  readonly session: number
  /** Without brackets; `''` is the null path. */
  readonly reversePath: string
  /** At `rcpt` the recipient in question, at an LMTP `dot` the one to be answered for, else undefined. */
  readonly recipient?: string
}

export type Behaviour = { readonly [S in Stage]?: Act | ((step: Step) => Act | undefined) }

/** A server that knows these mailboxes and refuses all others at RCPT. */
export const knows = (...mailboxes: readonly string[]): Behaviour => ({
  rcpt: ({ recipient = '' }) => (mailboxes.includes(recipient) ? undefined : '550 5.1.1 no such user here'),
})

/** The first `times` steps act so, the later ones by default. */
export function atFirst(times: number, act: Act): () => Act | undefined {
  let left = times
  return () => (left-- > 0 ? act : undefined)
}

export function actAt(behaviour: Behaviour, stage: Stage, step: Step): Act | undefined {
  const act = behaviour[stage]
  return typeof act === 'function' ? act(step) : act
}
