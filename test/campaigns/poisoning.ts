/**
 * Attempts to make us believe that somebody does not exist who does: every way in which a customer's server can fail to
 * answer a question, or answer another one than was asked, and every trick of a hostile submitter. Afterwards not one
 * address may be recorded as unknown, and who was known must still be.
 *
 * Each way has a domain and a server of its own, so that one server's breaker does not hide another's fault.
 */
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { type Behaviour, CLOSE, RESET, SILENCE, type Sink, type SinkOptions, startSink } from '../harness/sink.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { type Account, type CampaignOptions, Faults } from './campaign.ts'
import { FloodSession } from './flood.ts'

/** Runs below this do without the ways in which a server stays silent: a session waits half a minute for each. */
export const SILENCE_MESSAGES_MIN = 1_000
/** A session with more refused recipients hears the same for all. */
const RCPTS_PER_SESSION = 10
const EXISTS = /^(?:anna|u\d+)@/
const EVIL = 'evil@enemy.test'
const TRICKED_DOMAINS = 2

interface Way {
  readonly name: string
  readonly behaviour: Behaviour
  readonly options?: SinkOptions
  readonly route?: { readonly [key: string]: unknown }
  readonly isSlow?: boolean
}

const at = (stage: keyof Behaviour, act: string | typeof CLOSE): Behaviour => ({ [stage]: act })
const NULL_ONLY = (reply: string): Behaviour => ({
  mail: ({ line }) => (line.includes('<>') ? reply : undefined),
})
/** A server that knows everybody here, and refuses others as servers do. */
const HONEST: Behaviour = {
  rcpt: ({ recipient = '' }) => (EXISTS.test(recipient) ? undefined : '550 5.1.1 no such user here'),
}

const FAULTS_AT_RCPT = [
  '450 4.2.0 greylisted',
  '451 4.3.0 later',
  '452 4.2.2 mailbox full',
  '421 4.7.0 too many of you',
  '552 5.2.2 mailbox full',
  '552 mailbox full',
  '552 5.3.4 too large',
  '554 5.7.1 client host blocked by a list',
  '550 5.7.1 access denied',
  '550 5.7.25 no reverse name',
  '550 5.3.2 system is not accepting',
  '550 5.1.8 sender address rejected',
  '550 5.5.0 protocol',
  '530 5.7.0 authenticate first',
  '501 5.5.4 what',
  '503 5.5.1 MAIL first',
  '554 no SMTP service here',
]

const CUT_AT_RCPT = {
  closed: CLOSE,
  reset: RESET,
  'half a refusal': { raw: '550 5.1', afterwards: 'close' },
  'a refusal without end': { raw: '550-5.1.1 no such user\r\n', afterwards: 'close' },
  'two codes': { raw: '550-5.1.1 no\r\n250 yes\r\n', afterwards: 'close' },
} as const

function ways(tls: NonNullable<SinkOptions['tls']>): Way[] {
  const named = (prefix: string, replies: readonly string[], behaviour: (reply: string) => Behaviour): Way[] =>
    replies.map((reply) => ({ name: `${prefix} ${reply}`, behaviour: behaviour(reply) }))
  const secret = { options: { tls }, route: { tls: 'required' } }
  return [
    ...named('RCPT', FAULTS_AT_RCPT, (reply) => at('rcpt', reply)),
    ...Object.entries(CUT_AT_RCPT).map(([name, act]) => ({ name, behaviour: at('rcpt', act) })),
    ...named('MAIL', ['550 5.7.1 no', '554 5.1.1 no', '501 5.1.7 no', '451 4.3.0 no', '421 4.3.2 no'], (reply) =>
      at('mail', reply),
    ),
    ...named('null MAIL', ['550 5.7.1 no bounces', '553 5.1.1 who are you'], NULL_ONLY),
    ...named('greeting', ['554 5.7.1 go away', '421 4.3.2 not now', '550 5.1.1 no'], (reply) => at('connect', reply)),
    ...named('EHLO', ['550 5.7.1 no', '554 5.1.1 no'], (reply) => ({ ehlo: reply, helo: reply })),
    { name: 'closed at once', behaviour: at('connect', CLOSE) },
    { name: 'reset at once', behaviour: at('connect', RESET) },
    { name: 'STARTTLS refused', behaviour: at('starttls', '454 4.7.0 no TLS today'), ...secret },
    { name: 'STARTTLS refused for good', behaviour: at('starttls', '550 5.1.1 no TLS for you'), ...secret },
    { name: 'STARTTLS, closed', behaviour: at('starttls', CLOSE), ...secret },
    {
      name: 'STARTTLS, then plain text',
      behaviour: { starttls: { raw: '220 go\r\n550 5.1.1 no such user\r\n', afterwards: 'close' } },
      ...secret,
    },
    { name: 'no STARTTLS where it is required', behaviour: {}, route: { tls: 'required' } },
    { name: 'silence at RCPT', behaviour: at('rcpt', SILENCE), isSlow: true },
    { name: 'silence at the greeting', behaviour: at('connect', SILENCE), isSlow: true },
    {
      name: 'a refusal that comes too late',
      behaviour: { rcpt: { reply: '550 5.1.1 no', afterMs: 40_000 } },
      isSlow: true,
    },
  ]
}

export async function poisoning({ messages, told }: CampaignOptions): Promise<Account> {
  const tls = selfSignedCertificate({ names: ['sink.test'], fromMs: Date.now() - 60_000, days: 1 })
  const chosen = ways(tls).filter(({ isSlow }) => isSlow !== true || messages >= SILENCE_MESSAGES_MIN)
  const sinks = await Promise.all(chosen.map(({ options }) => startSink(HONEST, options)))
  await using relay = await startVorposten({ config: relayConfig(chosen, sinks), workers: 2 })
  try {
    const each = Math.max(2, Math.floor(messages / (chosen.length + 1)))
    const known = await Promise.all(chosen.map((_, i) => isTaken(relay, `anna@d${i}.test`)))
    await submitterTricks(relay, sinks, each)
    told('the tricks have been played; the servers fail')
    await Promise.all(chosen.map(({ behaviour }, i) => startedAgain(sinks[i]!, behaviour)))
    const replies = await Promise.all(chosen.map((_, i) => askMany(relay, i, each)))
    told('the servers are well again; the account')
    await Promise.all(sinks.map((sink) => startedAgain(sink, HONEST)))
    const later = await Promise.all(chosen.map((_, i) => askMany(relay, i, each)))
    return await account({ chosen, relay, known, replies, later, messages })
  } finally {
    await Promise.all(sinks.map((sink) => sink.stop()))
  }
}

function relayConfig(chosen: readonly Way[], sinks: readonly Sink[]) {
  const route = (i: number) => ({ hosts: [`127.0.0.1:${sinks[i]!.port}`], ...chosen[i]!.route })
  return {
    listeners: [{ name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`], 'exempt-from-limits': '127.0.0.0/8' }],
    tenants: {
      bakery: {
        routes: Object.fromEntries(sinks.map((_, i) => [`r${i}`, route(i)])),
        domains: Object.fromEntries(sinks.map((_, i) => [`d${i}.test`, { route: `r${i}`, recipients: 'live' }])),
      },
    },
  }
}

/** Without its old connections: what a server says at the beginning counts, too. */
async function startedAgain(sink: Sink, behaviour: Behaviour): Promise<void> {
  await sink.stop()
  sink.behave(behaviour)
  await sink.start()
}

async function isTaken({ port }: Vorposten, mailbox: string): Promise<boolean> {
  using session = await FloodSession.open(port)
  await session.ask('MAIL FROM:<friend@far.test>\r\n')
  return (await session.ask(`RCPT TO:<${mailbox}>\r\n`)).startsWith('250')
}

/** Recipients that all exist, asked for while their server fails. */
async function askMany({ port }: Vorposten, domain: number, count: number): Promise<string[]> {
  const texts: string[] = []
  for (let first = 0; first < count; first += RCPTS_PER_SESSION) {
    using session = await FloodSession.open(port)
    await session.ask('MAIL FROM:<friend@far.test>\r\n')
    for (let i = first; i < Math.min(count, first + RCPTS_PER_SESSION); i++) {
      texts.push(await session.ask(`RCPT TO:<u${i}@d${domain}.test>\r\n`))
    }
  }
  return texts
}

/** Of the first two domains, whose servers are honest for now. */
async function submitterTricks(relay: Vorposten, [server]: readonly Sink[], rounds: number): Promise<void> {
  server!.behave({
    rcpt: ({ reversePath, line }) => (reversePath === EVIL ? refusalOfSender(line) : HONEST_RCPT(line)),
    dot: ({ reversePath }) => (reversePath === EVIL ? '550 5.1.1 no such user: spam' : undefined),
  })
  for (let i = 0; i < rounds; i++) {
    await refusedByContent(relay, i)
    await gone(relay, i)
    for (const path of ODD_PATHS) await ask(relay, path, i)
  }
}

/** Servers speak of senders and of sizes at RCPT, too. */
const REFUSALS_OF_SENDERS = [
  '550 5.7.1 your sender is blocked',
  '550 5.1.8 sender domain does not exist',
  '550 5.1.7 sender address rejected',
  '552 5.3.4 message too large',
  '554 5.7.1 access denied',
]
const refusalOfSender = (line: string): string | undefined => {
  const number = Number(/<u(\d+)@/.exec(line)?.[1] ?? Number.NaN)
  return REFUSALS_OF_SENDERS[number % (REFUSALS_OF_SENDERS.length + 1)]
}
const HONEST_RCPT = (line: string): string | undefined => {
  const [, mailbox = ''] = /<([^>]*)>/.exec(line) ?? []
  return EXISTS.test(mailbox) ? undefined : '550 5.1.1 no such user here'
}

/** Passed on in the session, with a sender and a content that the customer's server refuses for good. */
async function refusedByContent({ port }: Vorposten, number: number): Promise<void> {
  using session = await FloodSession.open(port)
  const content = 'Subject: spam\r\n\r\nspam\r\n'
  for (const to of [`u${number}@d0.test`, 'anna@d0.test']) await session.send({ from: EVIL, to, content })
}

/** Disconnects while the question is under way. */
async function gone({ port }: Vorposten, number: number): Promise<void> {
  const session = await FloodSession.open(port)
  const sent = session.ask(`MAIL FROM:<${EVIL}>\r\nRCPT TO:<u${number}@d1.test>\r\nRCPT TO:<anna@d1.test>\r\n`)
  await sent
  session.vanish()
}

/** All of them mean anna, or nobody that could be recorded; none may be taken for another. */
const ODD_PATHS = [
  '"anna"@d1.test',
  '"an\\na"@d1.test',
  '@enemy.test:anna@d1.test',
  'ANNA@D1.TEST',
  '<anna@d1.test>',
  'anna@d1.test> ORCPT=rfc822;nobody@d1.test',
  'anna@d1.test.',
  'anna@d1.test> NOTIFY=NEVER',
]
async function ask({ port }: Vorposten, path: string, number: number): Promise<void> {
  using session = await FloodSession.open(port)
  await session.ask(number % 2 === 0 ? `MAIL FROM:<${EVIL}> SIZE=1000000\r\n` : 'MAIL FROM:<>\r\n')
  await session.ask(`RCPT TO:<${path}${path.includes('> ') ? '' : '>'}\r\n`)
}

interface Shown {
  readonly counts?: { readonly known: number; readonly unknown: number }
}

interface Outcome {
  readonly chosen: readonly Way[]
  readonly relay: Vorposten
  /** Was anna known before? Not where her server cannot be asked at all. */
  readonly known: readonly boolean[]
  readonly replies: readonly (readonly string[])[]
  readonly later: readonly (readonly string[])[]
  readonly messages: number
}

async function account({ chosen, relay, known, replies, later, messages }: Outcome): Promise<Account> {
  const faults = new Faults()
  const isRefused = (text: string) => text.startsWith('5')
  for (const [i, { name }] of chosen.entries()) {
    faults.none(`${name}: refused for good`, replies[i]!.filter(isRefused))
    faults.none(`${name}: refused for good, later`, later[i]!.filter(isRefused))
    if (known[i] && !(await isTaken(relay, `anna@d${i}.test`))) faults.found.push(`${name}: anna is not known any more`)
  }
  // A process for each: the short form looks at those of the tricks only.
  const looked = messages >= SILENCE_MESSAGES_MIN ? chosen : chosen.slice(0, TRICKED_DOMAINS)
  let unknown = 0
  for (const [i, { name }] of looked.entries()) {
    const { counts } = (await relay.command('recipients', 'show', `d${i}.test`, '--json')).json() as Shown
    if (counts === undefined) faults.found.push(`d${i}.test is not shown`)
    unknown += counts?.unknown ?? 0
    faults.equal(`${name}: recorded as unknown`, counts?.unknown ?? 0, 0)
  }
  const all = replies.flat()
  return {
    figures: {
      'ways to fail': chosen.length,
      'questions about people who exist': all.length,
      'answered 4yz': all.filter((text) => text.startsWith('4')).length,
      'answered 4yz when all is well again': later.flat().filter((text) => text.startsWith('4')).length,
      'wrong negatives': unknown + [...all, ...later.flat()].filter(isRefused).length,
    },
    faults: faults.found,
  }
}
