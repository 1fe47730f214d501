/**
 * A real process on a real disk is killed (SIGKILL) in the middle of its work, again and again, in one folder. It says
 * on standard output what it has promised; after each kill the folder must hold it.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { traceIds } from '#mail/trace-id.ts'
import { systemClock } from '#sys/clock.ts'
import { systemDisk } from '#sys/disk.ts'
import { readSpoolFolder } from './folder.ts'
import { openSpool } from './spool.ts'

const KILLS = Number(process.env['SPOOL_TEST_KILLS'] ?? 20)
const PRODUCERS = 16
const say = (what: string, id: string): unknown => writeSync(1, `${what} ${id}\n`)

/** Acknowledged `A`; about to be settled `V`; that is known to be on disk `S`. */
async function victim(folder: string): Promise<void> {
  const alarm = (event: unknown) => process.stderr.write(`${JSON.stringify(event)}\n`)
  const options = { folder, disk: systemDisk, clock: systemClock, segmentOctets: 256 * 1024, freeOctetsMin: 0, alarm }
  const spool = await openSpool(options)
  const nextId = traceIds(1, Date.now, Math.random)
  const produce = async (producer: number) => {
    for (let i = 0, before = ''; ; i++) {
      const id = nextId()
      const envelope = { reversePath: { kind: 'null' }, recipients: [{ forwardPath: { kind: 'postmaster' } }] } as const
      const reception = { clientAddress: '::1', greetingName: 'x', protocol: 'SMTP', receivedMs: 0 }
      const message = { id, tenant: 't', route: 't/r', reception }
      const body = Buffer.alloc(200 + ((i * 977) % 9000), id)
      await spool.append({ ...message, envelope: { ...envelope, body: '7bit', smtputf8: false } }, content([body]), 0)
      say('A', id)
      if (before) say('S', before)
      before = ''
      if ((i + producer) % 7 === 0) continue
      say('V', id)
      spool.change(id, { kind: 'drop', atMs: 0, text: '' })
      before = id
    }
  }
  await Promise.all(Array.from({ length: PRODUCERS }, (_, producer) => produce(producer)))
}

class Account {
  readonly live = new Set<string>()
  readonly settled = new Set<string>()
  acknowledged = 0

  hear(line: string): void {
    const [what, id = ''] = line.split(' ')
    if (what === 'A') {
      this.live.add(id)
      this.acknowledged++
    } else this.live.delete(id)
    if (what === 'S') this.settled.add(id)
  }
}

async function killOnce(folder: string, account: Account, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [import.meta.filename, 'victim', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let heard = ''
  child.stdout.setEncoding('latin1')
  child.stdout.on('data', (text: string) => {
    heard += text
  })
  const ended = once(child, 'close')
  const early = ended.then(() => Promise.reject(new Error('the victim ended before it was killed')))
  await Promise.race([once(child.stdout, 'data'), early])
  early.catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  child.kill('SIGKILL')
  await ended
  for (const line of heard.split('\n').slice(0, -1)) account.hear(line)
}

async function check(folder: string, account: Account): Promise<void> {
  const found = await readSpoolFolder(folder, systemDisk)
  for (const id of account.live) {
    const read = await found.read(id as never)
    assert.ok(read.kind === 'stored', `${id} was acknowledged and is ${read.kind}`)
    assert.ok(Buffer.concat(read.message.content.chunks).toString('latin1').startsWith(id))
  }
  for (const { id } of found.entries) assert.ok(!account.settled.has(id), `${id} was settled and came back`)
  assert.ok(
    found.findings.every((finding) => finding.kind === 'torn'),
    JSON.stringify(found.findings),
  )
  await found.close()
}

if (process.argv[2] === 'victim') await victim(process.argv[3]!)
else {
  test(`${KILLS} kills: nothing acknowledged is lost, nothing settled comes back`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spool-kill-'))
    const account = new Account()
    for (let i = 0; i < KILLS; i++) {
      await killOnce(folder, account, (i * 37) % 120)
      await check(folder, account)
    }
    assert.ok(account.acknowledged > KILLS * 10)
    assert.ok(account.live.size > KILLS)
    await rm(folder, { recursive: true })
  })
}
