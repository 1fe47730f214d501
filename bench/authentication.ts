/**
 * What the authentication of one message costs: our evaluators and mailauth's, on the same messages, with the same answers of
 * DNS from memory. CPU time of the whole process per message in microseconds, the best of several rounds, because a busy machine
 * only ever adds.
 *
 *     node bench/authentication.ts [--rounds 10] [--corpus ../shared/data/mail-2025-labelled/ham.tar.gz]
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { authenticate as mailauth } from 'mailauth'
import { ed25519Pair, RECORDS, rsaPair } from '#auth/dkim/testing.ts'
import { authenticate } from '#auth/verify/authenticate.ts'
import { signedElsewhere, textDns } from '#auth/verify/testing.ts'
import { content } from '#mail/content.ts'
import { authenticationResults } from '#mime/authentication-results.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { systemClock } from '#sys/clock.ts'
import { readArchive } from '../test/corpora/archive.ts'

const PER_ROUND = 50
/** Messages before the first round, so that the compiler has done its work. */
const WARM_UP = 1_000
const CORPUS_MESSAGES_MAX = 300
const CLIENT = '192.0.2.1'
const SENDER = 'anna@bakery.test'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' }, corpus: { type: 'string' } } })
const rounds = Number(values.rounds)

const ZONE: Record<string, string> = {
  ...Object.fromEntries(RECORDS),
  'bakery.test': `v=spf1 ip4:198.51.100.0/24 include:spf.bakery.test -all`,
  'spf.bakery.test': `v=spf1 ip4:${CLIENT} -all`,
  '_dmarc.bakery.test': 'v=DMARC1; p=reject',
}
const dns = textDns(ZONE)

const HEADER =
  'Received: from mail.bakery.test ([192.0.2.1])\r\n\tby relay.test with ESMTP; Tue, 24 Nov 2026 12:00:00 +0000\r\n' +
  'From: Anna Baker <anna@bakery.test>\r\nTo: Bob <bob@elsewhere.test>\r\nSubject: rolls for tomorrow\r\n' +
  'Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@bakery.test>\r\nMIME-Version: 1.0\r\n' +
  'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
const LINE = 'Sixty rolls, four loaves of rye, and the cake for Tuesday, please.\r\n'
const messageOf = (octets: number): string => HEADER + LINE.repeat(Math.ceil((octets - HEADER.length) / LINE.length))

async function ours(message: Buffer): Promise<string> {
  const whole = content([message])
  const session = {
    clientAddress: CLIENT,
    greetingName: 'mail.bakery.test',
    sender: { localPart: 'anna', domain: 'bakery.test' },
  }
  const found = await authenticate(
    { session, content: whole, header: readHeaderSection(whole) },
    { clock: systemClock, dns },
  )
  return authenticationResults('relay.test', found)
}

async function theirs(message: Buffer): Promise<string> {
  const resolver = async (name: string, type: string): Promise<unknown[]> => {
    const text = type === 'TXT' ? ZONE[name] : undefined
    if (text === undefined) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' })
    return [[text]]
  }
  const options = {
    ip: CLIENT,
    helo: 'mail.bakery.test',
    sender: SENDER,
    mta: 'relay.test',
    disableBimi: true,
    resolver,
  }
  const { headers } = await mailauth(message, options as never)
  return headers
}

type Way = (message: Buffer) => Promise<string>

async function best(messages: readonly Buffer[], way: Way): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    for (const message of messages) await way(message)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / messages.length)
  }
  return least
}

async function compare(what: string, messages: readonly Buffer[]): Promise<void> {
  const [own, other] = [await best(messages, ours), await best(messages, theirs)]
  console.log(
    `${what.padEnd(44)} ours ${own.toFixed(0).padStart(6)} µs   mailauth ${other.toFixed(0).padStart(6)} µs   ${(other / own).toFixed(1)}×`,
  )
}

const many = (message: string): Buffer[] => Array.from({ length: PER_ROUND }, () => Buffer.from(message, 'latin1'))

const [warm] = many(await signedElsewhere(messageOf(4096), { privateKey: rsaPair.privateKey, selector: 'r1' }))
for (let i = 0; i < WARM_UP; i++) for (const way of [ours, theirs]) await way(warm!)

for (const octets of [4096, 65_536, 1_048_576]) {
  const message = messageOf(octets)
  const rsa = await signedElsewhere(message, { privateKey: rsaPair.privateKey, selector: 'r1' })
  const both = await signedElsewhere(rsa, { privateKey: ed25519Pair.privateKey, selector: 'e1' })
  await compare(`${octets} octets, not signed`, many(message))
  await compare(`${octets} octets, RSA-2048`, many(rsa))
  if (octets === 4096) await compare(`${octets} octets, RSA-2048 and Ed25519`, many(both))
}

const { corpus } = values
if (corpus !== undefined && existsSync(corpus)) {
  const files = readArchive(new URL(corpus, `file://${process.cwd()}/`)).slice(0, CORPUS_MESSAGES_MAX)
  const messages = files.map(({ octets }) => Buffer.from(octets.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1'))
  await compare(`${messages.length} messages of ${corpus.split('/').slice(-2).join('/')}`, messages)
}
