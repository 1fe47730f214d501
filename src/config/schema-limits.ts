/**
 * Limits (law 8): each has a name, a unit and a reason. In the file they are called as in the code, with `size` where
 * the code says `Octets` and `time` where it says `Ms`, because the value carries its unit.
 */
import type { z } from 'zod'
import { DEFAULT_LIMITS } from '#smtp/server/limits.ts'
import { count, duration, prose, section, size } from './setting.ts'
import { durationText, sizeText } from './units.ts'

/** `ServerLimits` of `smtp/server/contract.ts`. */
const serverShape = {
  'command-size-max': size('512B', '64KiB')
    .prefault(sizeText(DEFAULT_LIMITS.commandOctetsMax))
    .describe(
      prose(
        'Longest command line, with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512 octets; the parameters of',
        'SMTPUTF8 and DSN add to it. A longer one is answered with 500.',
      ),
    ),
  'content-size-max': size('64KiB', '2GiB')
    .prefault(sizeText(DEFAULT_LIMITS.contentOctetsMax))
    .describe(
      prose(
        'Largest message content, announced with SIZE (RFC 1870). At least 64 KiB (RFC 5321 §4.5.3.1.7). A',
        'domain may take less (`size-max`), never more. A larger one is answered with 552.',
      ),
    ),
  'text-line-size-max': size('1000B', '1MiB')
    .prefault(sizeText(DEFAULT_LIMITS.textLineOctetsMax))
    .describe(
      prose(
        'Longest line of content, with its CRLF; content with a longer one is refused. RFC 5321 §4.5.3.1.6',
        'asks for 1000 octets at least. Much mail of today has longer ones (HTML in one line), and a refusal',
        'would hit it.',
      ),
    ),
  'recipients-max': count(100, 50_000)
    .prefault(DEFAULT_LIMITS.recipientsMax)
    .describe('Recipients of one transaction; at least 100 (RFC 5321 §4.5.3.1.8). Further ones hear 452.'),
  'errors-max': count(1, 1000)
    .prefault(DEFAULT_LIMITS.errorsMax)
    .describe(
      prose(
        'Commands in error in one session before it is closed with 421: whoever errs more often is no mail',
        'server.',
      ),
    ),
  'transactions-max': count(1, 1_000_000)
    .prefault(DEFAULT_LIMITS.transactionsMax)
    .describe('Transactions in one session, announced with LIMITS (RFC 9422); then 421, so that load spreads again.'),
  'pending-size-max': size('4KiB', '16MiB')
    .prefault(sizeText(DEFAULT_LIMITS.pendingOctetsMax))
    .describe(
      prose(
        'Pipelined input (RFC 2920) kept while a decision is open. Beyond it we stop reading until there is',
        'room.',
      ),
    ),
  'command-time-max': duration('1s', '1h')
    .prefault(durationText(DEFAULT_LIMITS.commandMsMax))
    .describe('Longest silence while we wait for a command. RFC 5321 §4.5.3.2.7 asks for at least 5 minutes.'),
  'data-block-time-max': duration('1s', '1h')
    .prefault(durationText(DEFAULT_LIMITS.dataBlockMsMax))
    .describe('Longest silence while content arrives. Senders allow 3 minutes for a block (RFC 5321 §4.5.3.2.5).'),
  'session-time-max': duration('1m', '1d')
    .prefault(durationText(DEFAULT_LIMITS.sessionMsMax))
    .describe('Longest session in all: a bound for clients that send one octet at a time.'),
}

const clientShape = {
  'sessions-per-client-max': count(1, 100_000)
    .prefault(50)
    .describe('Sessions at a time from one client address, per worker. Further ones hear 421.'),
  'sessions-per-network-max': count(1, 1_000_000)
    .prefault(200)
    .describe(
      prose(
        'Sessions at a time from one network (IPv4 /24, IPv6 /64), per worker: one sender with many addresses',
        'is one sender.',
      ),
    ),
  'new-per-minute-per-client-max': count(1, 1_000_000)
    .prefault(300)
    .describe('New sessions in a minute from one client address, per worker. Further ones hear 421.'),
  'new-per-minute-per-network-max': count(1, 1_000_000)
    .prefault(1000)
    .describe('New sessions in a minute from one network, per worker.'),
}

const relayShape = {
  'sessions-max': count(1, 1_000_000)
    .prefault(20_000)
    .describe('Sessions at a time, per worker; further ones hear 421. An idle session takes about 10 KB.'),
  'content-memory-max': size('1MiB', '1TiB')
    .prefault('256MiB')
    .describe(
      prose('Content in memory at a time, per worker. At this point new content hears 452 until some is', 'committed.'),
    ),
  'hops-max': count(10, 1000)
    .prefault(100)
    .describe('Received fields in a message before it is taken for a loop. RFC 5321 §6.3 asks for at least 100.'),
}

export const limitSettings = section({ ...serverShape, ...clientShape, ...relayShape })

type Overridable = typeof serverShape & typeof clientShape
/** The same without defaults: what a listener does not say is taken from the common limits. */
const overridableShape = Object.fromEntries(
  Object.entries({ ...serverShape, ...clientShape }).map(([name, limit]) => [
    name,
    limit
      .unwrap()
      .exactOptional()
      .describe(limit.description ?? ''),
  ]),
) as { [Name in keyof Overridable]: z.ZodExactOptional<ReturnType<Overridable[Name]['unwrap']>> }

export const listenerLimitSettings = section(overridableShape)

export type LimitSettings = z.output<typeof limitSettings>
