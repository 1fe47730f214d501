/**
 * Limits of delivery (law 8), each with its unit and its reason. All may be overridden for tests.
 */
import { CLIENT_LIMITS, type ClientLimits } from '#smtp/client/limits.ts'

export interface DeliverLimits {
  /** For TCP to connect: several SYN retransmissions; longer does not help. */
  readonly connectMsMax: number
  /** A connection that nobody used for so long says QUIT: servers hang up not much later, and slots are scarce. */
  readonly idleMsMax: number
  /** After a host could not be reached: first pause, doubling to the largest. */
  readonly backOffFirstMs: number
  readonly backOffMaxMs: number
  /** RFC 5321 §5.1: at least two addresses of a host are tried. */
  readonly addressesPerHostMax: number
  /** Attempts that wait for a connection of one route; beyond it they hear `busy` at once. */
  readonly waitingMax: number
  /** Connections for probes per route, beside those for deliveries: a full queue must not stop recipient checks. */
  readonly probeConnectionsMax: number
  /** Probes over one connection before it is closed; servers grow suspicious of endless sessions. */
  readonly probesPerConnectionMax: number
  /** A server that refused `<>` is asked with another reverse-path for so long, then with `<>` again. */
  readonly nullRefusedMs: number
  /** TLS sessions kept for resumption, all hosts together; some 2 KB each. */
  readonly tlsSessionsMax: number
  /** Connections, waits and pauses are looked at so often; every time-out may come that much later. */
  readonly tickMs: number
  readonly client: ClientLimits
}

export const DELIVER_LIMITS: DeliverLimits = {
  connectMsMax: 30_000,
  idleMsMax: 30_000,
  backOffFirstMs: 5_000,
  backOffMaxMs: 5 * 60_000,
  addressesPerHostMax: 4,
  waitingMax: 10_000,
  probeConnectionsMax: 2,
  probesPerConnectionMax: 100,
  nullRefusedMs: 24 * 3_600_000,
  tlsSessionsMax: 1_000,
  tickMs: 1_000,
  client: CLIENT_LIMITS,
}
