import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EXIT, UserError } from '#cli/exit.ts'
import { controlRequest, controlServer } from './control-socket.ts'

let folder = ''
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'control-'))))
after(() => rm(folder, { recursive: true }))

test('a request and its answer; the socket is its owner’s alone', async (t) => {
  const path = join(folder, 'a.sock')
  const server = await controlServer(path, async (request) => ({ asked: request, text: 'ä\n'.repeat(100_000) }))
  t.after(() => server.close())
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const answers = await Promise.all([1, 2, 3].map((n) => controlRequest(path, { command: 'queue', n })))
  assert.deepEqual(answers[2], { asked: { command: 'queue', n: 3 }, text: 'ä\n'.repeat(100_000) })
})

test('a refusal arrives as what it was; a defect says that it is one', async (t) => {
  const path = join(folder, 'b.sock')
  const server = await controlServer(path, async (request) => {
    if (request === 'defect') throw new TypeError('oops')
    throw new UserError('no message of this name', 'See queue list.', EXIT.config)
  })
  t.after(() => server.close())
  await assert.rejects(controlRequest(path, 'x'), (error: UserError) => {
    assert.ok(error instanceof UserError)
    assert.deepEqual([error.line, error.exitCode], ['no message of this name. See queue list.', EXIT.config])
    return true
  })
  await assert.rejects(controlRequest(path, 'defect'), { message: 'oops', exitCode: EXIT.software })
})

test('nobody is there: one line and an exit code', async () => {
  const path = join(folder, 'none.sock')
  await assert.rejects(controlRequest(path, {}), (error: UserError) => {
    assert.match(
      error.line,
      /^Vorposten is not running: nothing answers on .*none\.sock\. Start it \(vorposten serve\)/,
    )
    assert.equal(error.exitCode, EXIT.unavailable)
    return true
  })
  const long = join(folder, 'x'.repeat(100))
  await assert.rejects(controlRequest(long, {}), { message: /longer than 107 octets/, exitCode: EXIT.config })
})

test('only one server per path; a socket left by a dead process is replaced', async (t) => {
  const path = join(folder, 'c.sock')
  const left = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', left])
  assert.ok((await stat(path)).isSocket(), 'left behind')
  const server = await controlServer(path, async () => 'new')
  t.after(() => server.close())
  assert.equal(await controlRequest(path, {}), 'new')
  await assert.rejects(
    controlServer(path, async () => 'second'),
    { message: /another Vorposten is running/ },
  )
  assert.equal(await controlRequest(path, {}), 'new')
})

test('strange requests cost nothing: no line, too long a line, no JSON', async (t) => {
  const path = join(folder, 'd.sock')
  const server = await controlServer(path, async () => 'fine')
  t.after(() => server.close())
  const raw = async (text: string): Promise<string> => {
    const socket = net.connect({ path, allowHalfOpen: true }).on('error', () => {})
    let answer = ''
    socket.on('data', (bytes) => (answer += bytes))
    socket.end(text)
    await new Promise((resolve) => socket.once('close', resolve))
    return answer
  }
  assert.equal(await raw('no line end'), '')
  assert.equal(await raw('x'.repeat(1_000_000)), '')
  assert.match(await raw('{nonsense\n'), /"ok":false/)
  assert.equal(await controlRequest(path, {}), 'fine')
})
