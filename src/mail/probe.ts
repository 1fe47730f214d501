/**
 * The answer to "do you know this recipient?" asked of a customer's own server (a callout). Law 4: only a 5yz to the
 * RCPT of our own probe teaches "unknown"; everything else that is not a 2yz teaches only "unreachable".
 */
import type { Obstacle } from './outcome.ts'
import type { RemoteReply } from './reply.ts'

export type ProbeAnswer =
  | { readonly kind: 'known'; readonly reply: RemoteReply }
  | { readonly kind: 'unknown'; readonly reply: RemoteReply }
  | {
      readonly kind: 'unreachable'
      readonly obstacle: Obstacle
      readonly text: string
      /** `recipient`: the server was asked and did not want to say; others may be asked about. Otherwise the server. */
      readonly about?: 'recipient' | 'server'
      /** A 5yz to MAIL: this reverse-path is not welcome there. */
      readonly senderRefused?: RemoteReply
    }
