/**
 * The default limits of a server session. A listener may set others; the reason for each figure stands beside it.
 */
import type { ServerLimits } from './contract.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const MIB_OCTETS = 1024 * 1024

export const DEFAULT_LIMITS: ServerLimits = {
  // 512 (RFC 5321 §4.5.3.1.4), and what the extensions add to it: ORCPT 500 (RFC 3461 §4.2), ENVID 100 (§4.4), SIZE 26
  // (RFC 1870 §3), BODY 17 (RFC 6152 §2), SMTPUTF8 10 (RFC 6531 §3.1), REQUIRETLS 11 (RFC 8689 §2). The next power of two
  // leaves room for senders that count differently.
  commandOctetsMax: 2048,
  // About what the large mailbox providers take; a relay that takes less refuses what its customers would have.
  contentOctetsMax: 50 * MIB_OCTETS,
  // RFC 5321 §4.5.3.1.6 asks for 1000 at least. The field sends far longer lines (HTML in one line), and a refusal would
  // be one because of content. Lines are not held in memory here; the bound keeps 10 MB header lines from the parsers
  // behind us.
  textLineOctetsMax: 16_384,
  // RFC 5321 §4.5.3.1.8 asks for 100 at least; list servers send in hundreds. 1000 take about 300 KB.
  recipientsMax: 1000,
  // A person at a terminal mistypes a few times, a script that is lost never stops.
  errorsMax: 20,
  // A session that goes on for ever never moves to another worker. RFC 9422 allows six digits.
  transactionsMax: 10_000,
  // Two reads of a socket (64 KiB each): TCP's own window keeps the rest.
  pendingOctetsMax: 128 * 1024,
  // RFC 5321 §4.5.3.2.7: at least 5 min.
  commandMsMax: 5 * MINUTE_MS,
  // A client may take 3 min for a block (RFC 5321 §4.5.3.2.5); being more patient than the other side costs little.
  dataBlockMsMax: 5 * MINUTE_MS,
  // The largest content over 56 kbit/s takes two hours; whoever drips octets longer than that is no sender.
  sessionMsMax: 2 * HOUR_MS,
}
