/**
 * What a DKIM signature costs: ours and mailauth's, for one message of each size and each kind of key; what the canonical
 * hash is of it; and what signing in the thread pool does to a thread that waits. Microseconds, the best of several rounds,
 * because a busy machine only ever adds.
 *
 *     node bench/dkim.ts [--rounds 20]
 */
import { sign as nodeSign } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { makeKey } from '#auth/dkim/keys.ts'
import { prepare, type SigningKey, signatureField } from '#auth/dkim/signature.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '#mime/header-section.ts'

const SIZES = [4096, 65_536]
const PER_ROUND = 40
/** Sessions that sign at the same time. */
const SESSIONS = 20

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } })
const rounds = Number(values.rounds)

const HEADER =
  'Received: from mail.bakery.test ([192.0.2.1])\r\n\tby relay.test with ESMTP; Tue, 24 Nov 2026 12:00:00 +0000\r\n' +
  'From: Anna Baker <anna@bakery.test>\r\nTo: Bob <bob@elsewhere.test>\r\nSubject: rolls for tomorrow\r\n' +
  'Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@bakery.test>\r\nMIME-Version: 1.0\r\n' +
  'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
const LINE = 'Sixty rolls, four loaves of rye, and the cake for Tuesday, please.\r\n'

const messageOf = (octets: number): Buffer =>
  Buffer.from(HEADER + LINE.repeat(Math.ceil((octets - HEADER.length) / LINE.length)))

async function best(work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const from = performance.now()
    for (let i = 0; i < PER_ROUND; i++) await work()
    least = Math.min(least, ((performance.now() - from) * 1000) / PER_ROUND)
  }
  return least
}

const show = (what: string, microseconds: number): void =>
  console.log(what.padEnd(58), microseconds.toFixed(0).padStart(7))

async function keys(): Promise<Record<string, SigningKey>> {
  const of = async (algorithm: SigningKey['algorithm'], selector: string): Promise<SigningKey> => ({
    ...{ domain: 'bakery.test', selector, algorithm },
    privateKey: await makeKey(algorithm),
  })
  return { 'RSA-2048': await of('rsa-sha256', 'r'), Ed25519: await of('ed25519-sha256', 'e') }
}

async function perMessage(named: Record<string, SigningKey>): Promise<void> {
  for (const octets of SIZES) {
    const message = messageOf(octets)
    const whole = content([message])
    const header = readHeaderSection(whole)
    show(`${octets}: canonical fields and body hash alone`, await best(() => prepare(whole, header)))
    for (const [name, key] of Object.entries(named)) {
      const ours = async () => {
        const prepared = prepare(whole, header)
        if (prepared.ok) await signatureField(prepared, key, { signedSeconds: 1_800_000_000 })
      }
      const { domain: signingDomain, selector, algorithm, privateKey } = key
      const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
      const data = [{ signingDomain, selector, algorithm, privateKey: pem }]
      const options = { canonicalization: 'relaxed/relaxed', signTime: new Date(), signatureData: data }
      show(`${octets}: ours, ${name}`, await best(ours))
      show(`${octets}: mailauth, ${name}`, await best(() => dkimSign(message, options as never)))
    }
  }
}

/** Many at a time, on this thread or in the pool: signatures per second, and how late a timer of 1 ms is meanwhile. */
async function atATime({ privateKey }: SigningKey): Promise<void> {
  const text = Buffer.alloc(1500, 'x')
  const inPool = () =>
    new Promise<void>((resolve, reject) =>
      nodeSign('sha256', text, privateKey, (error) => (error ? reject(error) : resolve())),
    )
  const here = () =>
    new Promise<void>((resolve) => setImmediate(() => resolve(void nodeSign('sha256', text, privateKey))))
  for (const [name, work] of [
    ['in the pool', inPool],
    ['on this thread', here],
  ] as const) {
    let rate = 0
    let cpu = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds / 2; round++) {
      const used = process.cpuUsage()
      const from = performance.now()
      await Promise.all(
        Array.from({ length: SESSIONS }, async () => {
          for (let i = 0; i < PER_ROUND; i++) await work()
        }),
      )
      const { user, system } = process.cpuUsage(used)
      rate = Math.max(rate, (SESSIONS * PER_ROUND * 1000) / (performance.now() - from))
      cpu = Math.min(cpu, (user + system) / (SESSIONS * PER_ROUND))
    }
    console.log(
      `${SESSIONS} sessions, RSA-2048 ${name}: ${rate.toFixed(0)} signatures/s, ${cpu.toFixed(0)} µs CPU each`,
    )
  }
}

const named = await keys()
await perMessage(named)
await atATime(named['RSA-2048']!)
