import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '#sys/clock.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'

const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
/** Does what its settings and questions say; answers with what it knows. */
const WORKER = `
  import { runWorker } from ${url('./worker.ts')}
  import { UserError } from ${url('../exit.ts')}
  runWorker(async (context, desk) => {
    let settings = context.settings
    if (settings.crash) process.exit(1)
    if (settings.fault) throw new UserError('certificate file x does not exist', 'Correct the path.', 78)
    return {
      async listen() {},
      async reload(next) {
        if (next.fault) throw new Error('cannot')
        settings = next
      },
      async drain() {
        await new Promise((resolve) => setTimeout(resolve, settings.drainMs ?? 0))
      },
      async ask(about, body) {
        if (about === 'whoami') return { pid: process.pid, ...context, settings, body }
        if (about === 'desk') return desk(body.about, body.body, body.msMax)
        if (about === 'silence') return new Promise(() => {})
        throw new Error('unknown: ' + about)
      },
      status: () => ({ sessions: 7, lagMs: 1 }),
    }
  })`

interface Known {
  readonly pid: number
  readonly index: number
  readonly spoolFolders: string[]
  readonly settings: object
  readonly reusePort: boolean
  readonly ticketKeys: Uint8Array
  readonly body: unknown
}

async function supervised(t: TestContext, given: Partial<SupervisorOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'supervisor-'))
  for (const index of [0, 1, 2]) await mkdir(join(folder, 'spool', String(index)), { recursive: true })
  const module = join(folder, 'worker.mjs')
  await writeFile(module, WORKER)
  const lines: string[] = []
  let changed = (): void => {}
  const supervisor = new Supervisor({
    workers: 2,
    dataFolder: folder,
    settings: {},
    ticketKeys: Buffer.alloc(48, 5),
    program: { module, args: [] },
    clock: systemClock,
    log: (line) => {
      lines.push(line)
      changed()
    },
    ...given,
  })
  t.after(async () => {
    supervisor.stop(2000)
    await supervisor.ended
    await rm(folder, { recursive: true })
  })
  const logged = async (pattern: RegExp): Promise<void> => {
    while (!lines.some((line) => pattern.test(line))) await new Promise<void>((resolve) => (changed = resolve))
  }
  const whoami = async (): Promise<Known[]> => {
    const answers = await supervisor.askAll('whoami', new Map([['a', 1]]))
    return answers.map((answer) => (answer.kind === 'answer' ? (answer.body as Known) : assert.fail(answer.text)))
  }
  return { supervisor, folder, lines, logged, whoami }
}
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}

test('workers start with their context, answer, take new settings, and end when told', async (t) => {
  const { supervisor, folder, whoami } = await supervised(t, { settings: { a: 1 } })
  await supervisor.start()
  assert.ok(supervisor.ready)
  const [zero, one] = await whoami()
  assert.deepEqual([zero?.index, one?.index], [0, 1])
  assert.deepEqual(zero?.spoolFolders, [join(folder, 'spool/0'), join(folder, 'spool/2')])
  assert.deepEqual([zero?.settings, zero?.reusePort, zero?.body], [{ a: 1 }, true, new Map([['a', 1]])])
  assert.equal(Buffer.from(one!.ticketKeys).toString('hex'), '05'.repeat(48))

  await supervisor.reload({ a: 2 })
  assert.deepEqual(
    (await whoami()).map(({ settings }) => settings),
    [{ a: 2 }, { a: 2 }],
  )
  await assert.rejects(supervisor.reload({ fault: true }), /2 of 2 workers did not take the new settings: cannot/)

  assert.equal((await supervisor.askAll('nonsense', 0))[1]?.kind, 'failed')
  const [silent] = await supervisor.askAll('silence', 0, 50)
  assert.deepEqual(silent, { kind: 'failed', worker: 0, text: 'no answer within 50 ms', unclear: true })
  await until(() => supervisor.health().every(({ sessions }) => sessions === 7))

  supervisor.stop()
  assert.equal(await supervisor.ended, undefined)
  assert.deepEqual(
    supervisor.health().map(({ state }) => state),
    ['dead', 'dead'],
  )
})

test('a worker asks the desk, and hears its answer, its refusal, or after a while nothing', async (t) => {
  const desk = async (worker: number, about: string, body: unknown): Promise<unknown> => {
    if (about === 'limits/take') return { worker, body }
    if (about === 'limits/never') return new Promise(() => {})
    throw new Error('not today')
  }
  const { supervisor } = await supervised(t, { desk })
  await supervisor.start()
  const ask = async (about: string) => (await supervisor.askAll('desk', { about, body: 7, msMax: 100 }))[1]
  assert.deepEqual(await ask('limits/take'), { kind: 'answer', worker: 1, body: { worker: 1, body: 7 } })
  assert.deepEqual(await ask('limits/give'), {
    kind: 'failed',
    worker: 1,
    text: 'the supervisor, asked about limits/give: not today',
  })
  assert.match(JSON.stringify(await ask('limits/never')), /no answer within 100 ms/)
})

test('one worker is asked, another one each time, and the next one where it does not answer', async (t) => {
  const { supervisor } = await supervised(t)
  await supervisor.start()
  const asked = async () => ((await supervisor.askOne('whoami', 0)) as Known | undefined)?.index
  assert.deepEqual([await asked(), await asked(), await asked()], [0, 1, 0])
  assert.equal(await supervisor.askOne('nonsense', 0), undefined)
  const [zero] = supervisor.health()
  process.kill(zero!.pid, 'SIGKILL')
  await until(() => supervisor.health()[0]!.state !== 'ready')
  assert.deepEqual([await asked(), await asked()], [1, 1])
})

test('what must not be done twice goes on to the next worker only where it cannot have been done', async (t) => {
  const desk = async () => new Promise(() => {})
  const { supervisor } = await supervised(t, { desk })
  await supervisor.start()
  const refused = await supervisor.askOnce('nonsense', 0)
  assert.deepEqual([refused?.kind, refused?.worker], ['failed', 1])
  assert.ok(refused?.kind === 'failed' && refused.unclear === undefined)
  const silent = await supervisor.askOnce('desk', { about: 'limits/never', body: 7, msMax: 300 }, 50)
  assert.ok(silent?.kind === 'failed' && silent.unclear && silent.worker === 1, JSON.stringify(silent))
})

test('a worker that is killed is replaced: same index, same folders, the settings of the last reload', async (t) => {
  const { supervisor, whoami, logged } = await supervised(t)
  await supervisor.start()
  await supervisor.reload({ a: 2 })
  const [before] = await whoami()
  const pending = supervisor.askAll('silence', 0, 500)
  process.kill(before!.pid, 'SIGKILL')
  assert.deepEqual((await pending)[0], { kind: 'failed', worker: 0, text: 'worker 0 ended', unclear: true })
  await logged(/^worker 0 \(pid \d+\) ended: signal SIGKILL; a new one starts in 100 ms$/)
  await until(() => supervisor.ready)
  const [after] = await whoami()
  assert.notEqual(after?.pid, before?.pid)
  assert.deepEqual([after?.index, after?.spoolFolders, after?.settings], [0, before?.spoolFolders, { a: 2 }])
  assert.equal(supervisor.health()[0]?.restarts, 1)
})

test('a worker that hangs is killed and replaced', async (t) => {
  let lateMs = 0
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + lateMs }
  const { supervisor, whoami, logged } = await supervised(t, { clock })
  await supervisor.start()
  const [zero] = await whoami()
  process.kill(zero!.pid, 'SIGSTOP')
  // Everyone else's next heartbeat comes after the jump.
  lateMs = 60_000
  assert.ok(!supervisor.live)
  await logged(/^worker 0 .* was silent for 30000 ms and is killed$/)
  await logged(/^worker 0 .* ended: signal SIGKILL/)
  await until(() => supervisor.ready)
})

test('a worker that says why it cannot start ends the program with that', async (t) => {
  const { supervisor } = await supervised(t, { settings: { fault: true } })
  await assert.rejects(supervisor.start(), {
    name: 'UserError',
    message: 'certificate file x does not exist',
    exitCode: 78,
  })
  assert.equal((await supervisor.ended)?.message, 'certificate file x does not exist')
})

test('workers that die over and over: the program gives up and says so', async (t) => {
  const timers: number[] = []
  const after = (ms: number, call: () => void) => {
    timers.push(ms)
    return systemClock.after(ms < 20_000 ? Math.min(ms, 1000) / 100 : ms, call)
  }
  const { supervisor } = await supervised(t, {
    workers: 1,
    settings: { crash: true },
    clock: { ...systemClock, after },
  })
  await assert.rejects(supervisor.start(), {
    message: 'worker 0 died 8 times in a row just after its start (exit code 1)',
    exitCode: 70,
  })
  assert.deepEqual(
    timers.filter((ms) => ms < 1000),
    [100, 200, 400, 800],
  )
  await supervisor.ended
})

test('a drain that takes too long is cut', async (t) => {
  const { supervisor } = await supervised(t, { settings: { drainMs: 60_000 } })
  await supervisor.start()
  supervisor.stop(50)
  assert.equal(await supervisor.ended, undefined)
})
