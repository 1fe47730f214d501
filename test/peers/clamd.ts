/**
 * ClamAV's clamd as Debian ships it, unpacked, with a database of two hashes: ClamAV's own test file, which stands in each
 * of the files of `clamav-testfiles`, and EICAR's. It asks nobody outside. `install` beside this file puts it here.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { type Child, startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { tempFolder } from '../harness/temp-folder.ts'

const CACHE = new URL('../../.cache/peers', import.meta.url).pathname
const CLAMD = `${CACHE}/clamav-daemon/usr/sbin/clamd`
const TEST_FILES = `${CACHE}/clamav-testfiles/usr/share/clamav-testfiles`

/** MD5, octets, name (ClamAV's `hdb`). */
const HASHES = `aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File
44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature
`
/** EICAR's at the beginning of a file, whatever stands behind it (`ndb`): line ends of a mail, for example. */
const BEGINNINGS = `Eicar-Test-Signature:0:0:${Buffer.from(
  `X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`,
).toString('hex')}
`

/** For the `skip` option of a test; in CI a missing clamd is a fault. */
export function withoutClamd(): string | false {
  const there = existsSync(CLAMD) && existsSync(TEST_FILES)
  return process.env['CI'] || there ? false : "needs Debian's clamd: run test/peers/install as root"
}

/** Paths of the files of `clamav-testfiles`: each holds the same harmless program, in another wrapping. */
export const clamavTestFiles = (): string[] => readdirSync(TEST_FILES).map((name) => `${TEST_FILES}/${name}`)

export interface ClamdPeer extends AsyncDisposable {
  readonly path: string
  readonly port: number
  readonly child: Child | undefined
  stop(): Promise<void>
  kill9(): Promise<void>
  start(): Promise<void>
}

/** `settings`: further lines of clamd.conf(5). */
export async function startClamd(settings: readonly string[] = []): Promise<ClamdPeer> {
  const folder = tempFolder('clamd')
  const port = await freePort()
  const path = `${folder.path}/clamd.socket`
  mkdirSync(`${folder.path}/database`)
  writeFileSync(`${folder.path}/database/t.hdb`, HASHES)
  writeFileSync(`${folder.path}/database/t.ndb`, BEGINNINGS)
  const lines = [
    'Foreground yes',
    `DatabaseDirectory ${folder.path}/database`,
    `LocalSocket ${path}`,
    'FixStaleSocket yes',
    `TCPSocket ${port}`,
    'TCPAddr 127.0.0.1',
    `TemporaryDirectory ${folder.path}`,
    'MaxThreads 4',
    // Else it says OK to what is nested deeper than it looks.
    'AlertExceedsMax yes',
    'MaxRecursion 30',
    ...settings,
  ]
  writeFileSync(`${folder.path}/clamd.conf`, `${lines.join('\n')}\n`)
  let child: Child | undefined
  const peer: ClamdPeer = {
    path,
    port,
    get child() {
      return child
    },
    async start() {
      child = startChild(CLAMD, ['-c', `${folder.path}/clamd.conf`])
      await child.line(/Self checking|SelfCheck/)
    },
    async stop() {
      await child?.stop()
    },
    async kill9() {
      await child?.kill9()
    },
    async [Symbol.asyncDispose]() {
      await peer.stop()
      folder.remove()
    },
  }
  await peer.start()
  return peer
}
