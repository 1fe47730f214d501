/**
 * SpamAssassin's spamd as Debian ships it, from a folder of its own, with those of its rules that need no network (`-L`), and
 * with nothing that it would learn.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { type Daemon, startDaemon } from './daemon.ts'

const SPAMD = '/usr/sbin/spamd'
/** It compiles its rules, on a busy machine. */
const START_MS_MAX = 60_000

/** For the `skip` option of a test; in CI a missing spamd is a fault. */
export function withoutSpamd(): string | false {
  return process.env['CI'] || existsSync(SPAMD) ? false : "needs Debian's spamd: run test/peers/install as root"
}

export interface SpamdPeer extends Daemon {
  readonly path: string
  readonly port: number
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
  const all = [...args, ...listens, ...children, ...as, ...lines.map((line) => `--cf=${line}`)]
  const daemon = await startDaemon({
    name: 'spamd',
    folder,
    launch: () => startChild(SPAMD, all, { env: { ...process.env, LC_ALL: 'C' } }),
    isReady: ({ lines: said }) => said.some((line) => line.includes('server started')),
    startMsMax: START_MS_MAX,
  })
  return { ...daemon, path, port }
}
