/**
 * Limits of the client session (law 8), each with its unit and its reason. All may be overridden for tests and for
 * unusual routes. Times are silences: they start anew with every whole reply and every block that left.
 */

export interface ClientLimits {
  /** RFC 5321 §4.5.3.2.1: a busy server may accept the connection and greet late. */
  readonly greetingMsMax: number
  /** EHLO, HELO, LHLO, STARTTLS, RSET: the RFC names no figure; they have MAIL's. */
  readonly commandMsMax: number
  /** RFC 5321 §4.5.3.2.2. */
  readonly mailMsMax: number
  /** RFC 5321 §4.5.3.2.3: longer if the server expands lists. */
  readonly rcptMsMax: number
  /** RFC 5321 §4.5.3.2.4. */
  readonly dataMsMax: number
  /** RFC 5321 §4.5.3.2.5. */
  readonly dataBlockMsMax: number
  /** RFC 5321 §4.5.3.2.6: giving up early here makes duplicates. */
  readonly dotMsMax: number
  /** A handshake is three round trips and some arithmetic; who needs longer will not make it. */
  readonly tlsHandshakeMsMax: number
  /** Nothing depends on the reply to QUIT. */
  readonly quitMsMax: number
  /** One block of content per write: large enough for few calls, small enough that a slow peer holds little memory. */
  readonly dataBlockOctets: number
  /** Content up to this size may follow BDAT before the replies to RCPT are known; more would be wasted if refused. */
  readonly earlyContentOctetsMax: number
}

const SECOND = 1000
const MINUTE = 60 * SECOND

export const CLIENT_LIMITS: ClientLimits = {
  greetingMsMax: 5 * MINUTE,
  commandMsMax: 5 * MINUTE,
  mailMsMax: 5 * MINUTE,
  rcptMsMax: 5 * MINUTE,
  dataMsMax: 2 * MINUTE,
  dataBlockMsMax: 3 * MINUTE,
  dotMsMax: 10 * MINUTE,
  tlsHandshakeMsMax: 30 * SECOND,
  quitMsMax: 5 * SECOND,
  dataBlockOctets: 128 * 1024,
  earlyContentOctetsMax: 64 * 1024,
}

/** A reply line may have this many octets; RFC 5321 §4.5.3.1.5 says 512, servers in the field send more. */
export const REPLY_LINE_OCTETS_MAX = 2048
/** So much of a line's text is kept: it goes to logs, to the queue display and on to senders. */
export const REPLY_TEXT_OCTETS_MAX = 1000
/** Lines of one reply; EHLO replies of real servers have up to some thirty. */
export const REPLY_LINES_MAX = 128
