/**
 * c-icap as Debian ships it, unpacked, with its antivirus service in front of a clamd: each run from a folder of its own, on
 * loopback. `install` beside this file puts it here.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { withoutClamd } from './clamd.ts'
import { type Daemon, isListening, startDaemon } from './daemon.ts'

const PEERS = new URL('../../.cache/peers', import.meta.url).pathname
const SERVER = `${PEERS}/c-icap/usr/bin/c-icap`
const MODULES = `${PEERS}/libc-icap-mod-virus-scan/usr/lib/x86_64-linux-gnu/c_icap`

/** For the `skip` option of a test; in CI a missing c-icap is a fault. */
export function withoutCIcap(): string | false {
  if (!process.env['CI'] && !(existsSync(SERVER) && existsSync(MODULES)))
    return "needs Debian's c-icap: run test/peers/install as root"
  return withoutClamd()
}

export interface CIcapPeer extends Daemon {
  readonly port: number
  /** For the antivirus service. */
  readonly service: string
}

/** `clamd`: the path of the socket of the clamd that looks. Of what it does not scan it lets everything through. */
export async function startCIcap(
  clamd: string,
  { types = 'TEXT DATA EXECUTABLE ARCHIVE GRAPHICS STREAM DOCUMENT', sizeMax = '5M' } = {},
): Promise<CIcapPeer> {
  const folder = tempFolder('c-icap')
  const port = await freePort()
  const lines = [
    `PidFile ${folder.path}/pid`,
    `CommandsSocket ${folder.path}/control`,
    `Port 127.0.0.1:${port}`,
    ...['StartServers 1', 'MaxServers 1', 'MinSpareThreads 1', 'MaxSpareThreads 10', 'ThreadsPerChild 10'],
    `TmpDir ${folder.path}`,
    'DebugLevel 1',
    `ModulesDir ${PEERS}/c-icap/usr/lib/x86_64-linux-gnu/c_icap`,
    `ServicesDir ${PEERS}/c-icap/usr/lib/x86_64-linux-gnu/c_icap`,
    `TemplateDir ${PEERS}/libc-icap-mod-virus-scan/usr/share/c_icap/templates/`,
    'TemplateDefaultLanguage en',
    `LoadMagicFile ${PEERS}/c-icap/etc/c-icap/c-icap.magic`,
    `ServerLog ${folder.path}/server.log`,
    `AccessLog ${folder.path}/access.log`,
    `Module common ${MODULES}/clamd_mod.so`,
    `clamd_mod.ClamdSocket ${clamd}`,
    `Service antivirus_module ${MODULES}/virus_scan.so`,
    `virus_scan.ScanFileTypes ${types}`,
    `virus_scan.MaxObjectSize ${sizeMax}`,
    // Else it begins its answer before it has looked, and does so where it is told to send nothing early, too (0).
    ...['virus_scan.SendPercentData 5', 'virus_scan.StartSendPercentDataAfter 100M'],
    'virus_scan.DefaultEngine clamd',
  ]
  writeFileSync(`${folder.path}/c-icap.conf`, `${lines.join('\n')}\n`)
  const env = { ...process.env, LD_LIBRARY_PATH: `${PEERS}/libicapapi5/usr/lib/x86_64-linux-gnu` }
  const daemon = await startDaemon({
    name: 'c-icap',
    folder,
    launch: () => startChild(SERVER, ['-N', '-D', '-f', `${folder.path}/c-icap.conf`], { env }),
    isReady: () => isListening(port),
  })
  return { ...daemon, port, service: '/virus_scan' }
}
