/**
 * From the greeting to the first job: EHLO (RFC 5321 §3.2) or LHLO (RFC 2033 §4.1), HELO where EHLO is unknown, STARTTLS
 * (RFC 3207) as the route wants it, and EHLO again after it.
 *
 * A 5yz to the greeting, EHLO or HELO speaks of the host, not of a message: the message is deferred and other hosts are
 * tried, so that a block list entry at the customer's server does not turn mail away for good (docs/deviations.md).
 */
import type { RemoteReply } from '#mail/reply.ts'
import { type Capabilities, capabilities, NO_CAPABILITIES } from './capabilities.ts'
import type { ClientSettings, SessionFault } from './contract.ts'
import { meaning, type Step } from './steps.ts'
import { replyTo } from './transaction.ts'

export type OpeningStep = Extract<Step, 'greeting' | 'ehlo' | 'helo' | 'starttls'>

export type OpeningMove =
  | { readonly kind: 'say'; readonly line: string; readonly step: OpeningStep; readonly offered?: Capabilities }
  | { readonly kind: 'start-tls' }
  | { readonly kind: 'ready'; readonly offered?: Capabilities }
  /** Say QUIT and go. */
  | { readonly kind: 'give-up'; readonly fault: SessionFault }

/** The reply was not `misplaced`, and not 421. */
export function openingMove(
  step: OpeningStep,
  reply: RemoteReply,
  settings: ClientSettings,
  tls: boolean,
): OpeningMove {
  const means = meaning(step, reply)
  switch (step) {
    case 'greeting':
      return means === 'go-on' ? hello(settings) : giveUp(step, reply)
    case 'ehlo':
      if (means === 'go-on') return afterHello(capabilities(reply), settings, tls)
      // RFC 5321 §3.2: a server that does not know EHLO gets HELO. LMTP has no older form.
      return means === 'permanent' && settings.protocol === 'smtp' ? helo(settings) : giveUp(step, reply)
    case 'helo':
      return means === 'go-on' ? afterHello(NO_CAPABILITIES, settings, tls) : giveUp(step, reply)
    case 'starttls':
      if (means === 'go-on') return { kind: 'start-tls' }
      // RFC 3207 §4.1: the session goes on in clear, if the route allows that.
      return settings.tls === 'opportunistic' ? { kind: 'ready' } : giveUp(step, reply, 'tls')
  }
}

export function hello({ protocol, greetingName }: ClientSettings): OpeningMove {
  return { kind: 'say', line: `${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} ${greetingName}`, step: 'ehlo' }
}

const helo = ({ greetingName }: ClientSettings): OpeningMove => ({
  kind: 'say',
  line: `HELO ${greetingName}`,
  step: 'helo',
})

function afterHello(offered: Capabilities, settings: ClientSettings, tls: boolean): OpeningMove {
  if (tls || settings.tls === 'never') return { kind: 'ready', offered }
  if (offered.startTls) return { kind: 'say', line: 'STARTTLS', step: 'starttls', offered }
  if (settings.tls === 'opportunistic') return { kind: 'ready', offered }
  return { kind: 'give-up', fault: { obstacle: 'tls', text: 'TLS is required and the server does not offer STARTTLS' } }
}

function giveUp(step: Step, reply: RemoteReply, obstacle: 'refused-for-now' | 'tls' = 'refused-for-now'): OpeningMove {
  return { kind: 'give-up', fault: { obstacle, reply, text: replyTo(step, reply) } }
}
