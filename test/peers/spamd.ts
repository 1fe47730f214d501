/**
 * SpamAssassin's spamd as Debian ships it, from a folder of its own, with those of its rules that need no network (`-L`), and
 * with nothing that it would learn.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { type Child, startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { waitFor } from '../harness/wait-for.ts'

const SPAMD = '/usr/sbin/spamd'
/** It compiles its rules, on a busy machine. */
const START_MS_MAX = 60_000

/** For the `skip` option of a test; in CI a missing spamd is a fault. */
export function withoutSpamd(): string | false {
  return process.env['CI'] || existsSync(SPAMD) ? false : "needs Debian's spamd: run test/peers/install as root"
}

export interface SpamdPeer extends AsyncDisposable {
  readonly path: string
  readonly port: number
  /** To all of its processes. */
  signal(signal: NodeJS.Signals): void
  kill9(): Promise<void>
  start(): Promise<void>
}

/** `rules`: lines of configuration beside Debian's. */
export async function startSpamd(rules: readonly string[] = []): Promise<SpamdPeer> {
  const folder = tempFolder('spamd')
  const port = await freePort()
  const path = `${folder.path}/spamd.socket`
  mkdirSync(`${folder.path}/home`)
  // It will not run as root.
  const as = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const listens = ['-i', `127.0.0.1:${port}`, '-i', path]
  const children = ['-m', '2', '--min-children=1']
  const lines = ['use_bayes 0', ...rules]
  writeFileSync(`${folder.path}/pid`, '')
  const args = ['-L', '-x', '-s', 'stderr', '-r', `${folder.path}/pid`, '-H', `${folder.path}/home`]
  let child: Child | undefined
  const peer: SpamdPeer = {
    path,
    port,
    async start() {
      const all = [...args, ...listens, ...children, ...as, ...lines.map((line) => `--cf=${line}`)]
      const started = startChild(SPAMD, all, { env: { ...process.env, LC_ALL: 'C' } })
      child = started
      await waitFor('spamd', () => ready(started), {
        msMax: START_MS_MAX,
        context: () => started.lines.join('\n'),
      })
    },
    signal: (signal) => void (child && process.kill(-child.pid, signal)),
    async kill9() {
      await child?.kill9()
    },
    async [Symbol.asyncDispose]() {
      await child?.kill9()
      folder.remove()
    },
  }
  await peer.start()
  return peer
}

function ready(child: Child): boolean {
  if (!child.running) throw new Error(`it ended at once\n${child.lines.join('\n')}`)
  return child.lines.some((line) => line.includes('server started'))
}
