/**
 * What a DKIM signature costs: ours and mailauth's, for one message of each size and each kind of key, and what of it the
 * canonical hash is. Microseconds, the best of several rounds, because a busy machine only ever adds. And where the
 * signature is better computed, in the thread pool beside the spool's syncs or on the thread that serves the sessions.
 *
 *     node bench/dkim.ts [--rounds 20]
 */
import { sign as nodeSign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { makeKey } from '#auth/dkim/keys.ts'
import { prepare, type SigningKey, signatureField } from '#auth/dkim/signature.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { median } from './options.ts'

const SIZES = [4096, 65_536]
const PER_ROUND = 40
const SESSIONS = 20
const ROUND_MS = 1000

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

/**
 * Sessions as the relay has them: each signs, and then waits for a group commit, whose write and sync go through the same
 * thread pool. What is shown is the median of the rounds, in which the three ways take turns.
 */
async function besideSpool({ privateKey }: SigningKey): Promise<void> {
  const text = Buffer.alloc(1500, 'x')
  const ways = {
    'nothing signed': async () => {},
    'signed in the pool': () =>
      new Promise<void>((resolve, reject) =>
        nodeSign('sha256', text, privateKey, (error) => (error ? reject(error) : resolve())),
      ),
    'signed on this thread': async () => void nodeSign('sha256', text, privateKey),
  }
  const folder = mkdtempSync(join(process.env['VORPOSTEN_BENCH_FOLDER'] ?? tmpdir(), 'dkim-bench-'))
  const log = new GroupLog(await open(join(folder, 'log'), 'w'))
  const rows: Record<string, number[][]> = {}
  for (let round = 0; round < Math.max(1, rounds / 2); round++) {
    for (const [name, work] of Object.entries(ways)) (rows[name] ??= []).push(await sessions(work, log))
  }
  await log.close()
  rmSync(folder, { recursive: true })
  for (const [name, all] of Object.entries(rows)) {
    const [rate, cpu, p50, p95] = [0, 1, 2, 3].map((i) => median(all.map((row) => row[i]!)).toFixed(i < 2 ? 0 : 1))
    console.log(`${SESSIONS} sessions, ${name}: ${rate} messages/s, ${cpu} µs CPU, p50 ${p50} ms, p95 ${p95} ms`)
  }
}

async function sessions(work: () => Promise<void>, log: GroupLog): Promise<number[]> {
  const times: number[] = []
  const used = process.cpuUsage()
  const from = performance.now()
  const session = async (): Promise<void> => {
    while (performance.now() - from < ROUND_MS) {
      const began = performance.now()
      await work()
      await log.append()
      times.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: SESSIONS }, session))
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage(used)
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)]!
  return [times.length / seconds, (user + system) / times.length, at(0.5), at(0.95)]
}

/** Appends 4 KB for each that waits, in one write and one sync. */
class GroupLog {
  readonly #file: FileHandle
  #waiting: (() => void)[] = []
  #isBusy = false
  #at = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  append(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (!this.#isBusy) void this.#commit()
    })
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #commit(): Promise<void> {
    this.#isBusy = true
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      const batch = this.#waiting
      this.#waiting = []
      await this.#file.write(Buffer.alloc(4096 * batch.length, 'y'), 0, undefined, this.#at)
      await this.#file.datasync()
      this.#at = (this.#at + 4096 * batch.length) % (64 * 1024 * 1024)
      for (const resolve of batch) resolve()
    }
    this.#isBusy = false
  }
}

const named = await keys()
await perMessage(named)
await besideSpool(named['RSA-2048']!)
