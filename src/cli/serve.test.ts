import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { controlRequest } from './serve/control-socket.ts'
import { controlPath } from './serve.ts'

const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
const MAIN = `
  import { readFileSync } from 'node:fs'
  import { reportError } from ${url('./exit.ts')}
  import { serve } from ${url('./serve.ts')}
  const log = (line) => console.error(line)
  const [folder] = process.argv.slice(2)
  const load = async () => JSON.parse(readFileSync(folder + '/plan.json', 'utf8'))
  const control = async (request, { supervisor, reload }) => {
    if (request === 'reload') return reload()
    return (await supervisor.askAll('greeting', request)).map(({ kind, body, text }) => ({ kind, body, text }))
  }
  const started = async () => () => log('closed')
  try {
    process.exit(await serve({ program: { module: folder + '/worker.mjs', args: [] }, load, control, started, log }))
  } catch (error) {
    process.exit(reportError(error, log))
  }`
/** Listens on the port of its settings and says its greeting to everyone. */
const WORKER = `
  import net from 'node:net'
  import { runWorker } from ${url('./serve/worker.ts')}
  runWorker(async ({ index, settings, reusePort }) => {
    let { greeting, port } = settings
    const server = net.createServer((socket) => socket.on('error', () => {}).end(greeting + index))
    return {
      listen: () => new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen({ port, host: '127.0.0.1', reusePort }, resolve)
      }),
      async reload(next) { greeting = next.greeting },
      async drain() { server.close() },
      async ask() { return { greeting, pid: process.pid } },
      status: () => ({ sessions: 0, lagMs: 0 }),
    }
  })`

interface Plan {
  readonly workers?: number
  readonly greeting?: string
  readonly listenOn?: number
}
async function program(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'serve-'))
  const dataFolder = join(folder, 'data')
  await writeFile(join(folder, 'main.mjs'), MAIN)
  await writeFile(join(folder, 'worker.mjs'), WORKER)
  await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$1" >> ${folder}/notified\n`, { mode: 0o755 })
  const port = await freePort()
  const plan = ({ workers = 2, greeting = 'hello', listenOn = port }: Plan = {}) => {
    const listeners = [{ host: '127.0.0.1', port: listenOn }]
    const text = JSON.stringify({ dataFolder, workers, listeners, settings: { greeting, port: listenOn } })
    return writeFile(join(folder, 'plan.json'), text)
  }
  await plan()
  const children: ChildProcess[] = []
  const start = () => {
    const env = { ...process.env, NOTIFY_SOCKET: '/nowhere', PATH: `${folder}:${process.env['PATH']}` }
    const child = spawn(process.execPath, [join(folder, 'main.mjs'), folder], {
      env,
      stdio: ['ignore', 'inherit', 'pipe'],
    })
    children.push(child)
    return new Started(child)
  }
  t.after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await rm(folder, { recursive: true, maxRetries: 5, retryDelay: 50 })
  })
  const ask = (request: unknown) => controlRequest(controlPath(dataFolder), request)
  const notified = async () => (await readFile(join(folder, 'notified'), 'utf8')).trim().split('\n')
  return { folder, dataFolder, port, plan, start, ask, notified }
}

class Started {
  readonly child: ChildProcess
  readonly exit: Promise<unknown[]>
  log = ''
  #changed = (): void => {}
  constructor(child: ChildProcess) {
    this.child = child
    this.exit = once(child, 'close')
    child.stderr?.on('data', (bytes) => {
      this.log += bytes
      this.#changed()
    })
    child.once('close', () => this.#changed())
  }
  async logged(text: string): Promise<void> {
    while (!this.log.includes(text)) {
      assert.equal(this.child.exitCode, null, this.log)
      await new Promise<void>((resolve) => (this.#changed = resolve))
    }
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  return port
}
async function greeting(port: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  let text = ''
  for await (const bytes of socket) text += bytes
  return text
}

test('from start to drain: ready, served, reloaded, and exit code 0 on SIGTERM', async (t) => {
  const { port, plan, start, ask, dataFolder, notified } = await program(t)
  const running = start()
  await running.logged('ready: 2 workers')
  assert.match(await greeting(port), /^hello[01]$/)
  assert.equal((await stat(join(dataFolder, 'spool', '1'))).mode & 0o777, 0o700)
  const answers = (await ask('x')) as { body: { greeting: string } }[]
  assert.deepEqual(
    answers.map(({ body }) => body.greeting),
    ['hello', 'hello'],
  )

  await plan({ greeting: 'changed', workers: 3 })
  running.child.kill('SIGHUP')
  await running.logged('takes effect at the next start')
  await running.logged('reloaded')
  assert.match(await greeting(port), /^changed[01]$/)

  running.child.kill('SIGTERM')
  assert.deepEqual(await running.exit, [0, null])
  assert.match(running.log, /closed\n$/)
  assert.deepEqual(await notified(), ['READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1'])
  await assert.rejects(ask('x'), /is not running/)
})

test('a reload that fails leaves everything as it is', async (t) => {
  const { folder, port, start, ask } = await program(t)
  const running = start()
  await running.logged('ready')
  await writeFile(join(folder, 'plan.json'), 'nonsense')
  running.child.kill('SIGHUP')
  await running.logged('not reloaded, the old settings hold')
  await assert.rejects(ask('reload'), { exitCode: 70 })
  assert.match(await greeting(port), /^hello/)
})

test('workers killed by kill -9 one after the other: somebody answers all the time', async (t) => {
  const { port, start, ask } = await program(t)
  const running = start()
  await running.logged('ready')
  for (const victim of [0, 1, 0]) {
    const workers = (await ask('x')) as { body: { pid: number } }[]
    process.kill(workers[victim]!.body.pid, 'SIGKILL')
    await running.logged(`worker ${victim} (pid ${workers[victim]!.body.pid}) ended: signal SIGKILL`)
    assert.match(await greeting(port), /^hello/)
    while (((await ask('x')) as { kind: string }[]).some(({ kind }) => kind === 'failed')) await setTimeout(20)
  }
})

test('the supervisor killed by kill -9: its workers end, and the next start takes over', async (t) => {
  const { port, start } = await program(t)
  const first = start()
  await first.logged('ready')
  first.child.kill('SIGKILL')
  await first.exit
  const second = start()
  await second.logged('ready')
  assert.match(await greeting(port), /^hello/)
  second.child.kill('SIGINT')
  assert.deepEqual(await second.exit, [0, null])
})

test('what keeps it from starting is one line and an exit code', async (t) => {
  const { port, plan, start, dataFolder } = await program(t)
  const lineOf = async (started: Started): Promise<[unknown, string]> => [(await started.exit)[0], started.log]
  // Another relay of the same user would share its ports with ours, if ours did not look first.
  const taken = net.createServer().listen({ port, host: '127.0.0.1', reusePort: true })
  await once(taken, 'listening')
  const [code, line] = await lineOf(start())
  assert.equal(code, 69)
  assert.match(line, new RegExp(`^vorposten: port ${port} on 127.0.0.1 is in use\\. [^\\n]+\\n$`))
  await new Promise((resolve) => taken.close(resolve))

  const running = start()
  await running.logged('ready')
  await plan({ listenOn: await freePort() })
  const [secondCode, secondLine] = await lineOf(start())
  assert.equal(secondCode, 69)
  assert.match(secondLine, /^vorposten: another Vorposten is running on .*control\.sock\. [^\n]+\n$/)
  running.child.kill('SIGTERM')
  await running.exit

  await rm(dataFolder, { recursive: true })
  await writeFile(dataFolder, '')
  const [thirdCode, thirdLine] = await lineOf(start())
  assert.equal(thirdCode, 73)
  assert.match(thirdLine, /^vorposten: .* is in the way[^\n]+\n$/)
})
