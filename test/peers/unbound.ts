/**
 * unbound as Debian ships it, unpacked: a recursive, validating name server on loopback whose world is a few zones of the
 * test, some of them signed with DNSSEC by ldns. It asks nobody outside. `install` beside this file puts both here.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Endpoint } from '#mail/session.ts'
import { type Child, startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { type TempFolder, tempFolder } from '../harness/temp-folder.ts'
import { waitFor } from '../harness/wait-for.ts'

const CACHE = new URL('../../.cache/peers', import.meta.url).pathname
const UNBOUND = `${CACHE}/unbound/usr/sbin/unbound`
const LDNS = `${CACHE}/ldnsutils/usr/bin`

/** For the `skip` option of a test; in CI a missing unbound is a fault. */
export function withoutUnbound(): string | false {
  const there = existsSync(UNBOUND) && existsSync(`${LDNS}/ldns-signzone`)
  return process.env['CI'] || there ? false : "needs Debian's unbound: run test/peers/install as root"
}

export interface ZoneSource {
  /** Without a dot at the end. */
  readonly name: string
  /** Lines of a zone file below the SOA: `mx 60 IN A 127.0.0.1`. */
  readonly records: readonly string[]
  readonly signed?: boolean
  /** After signing: a text of the zone file and what stands there instead, so that signatures do not match. */
  readonly forged?: readonly [string, string]
}

export interface Unbound extends AsyncDisposable {
  readonly endpoint: Endpoint
}

/** `elsewhere`: zones and the ports on 127.0.0.1 at which they are answered. */
export async function startUnbound(
  zones: readonly ZoneSource[],
  elsewhere: Readonly<Record<string, number>> = {},
): Promise<Unbound> {
  const folder = tempFolder('unbound')
  const port = await freePort()
  const anchors = zones.map((zone) => writeZone(folder, zone)).join('')
  writeFileSync(`${folder.path}/anchors`, anchors)
  writeFileSync(`${folder.path}/unbound.conf`, configuration(folder.path, port, zones, elsewhere))
  const child = startChild(UNBOUND, ['-d', '-p', '-c', `${folder.path}/unbound.conf`])
  await waitFor('unbound to start', () => started(child), { context: () => child.lines.join('\n') })
  return {
    endpoint: { address: '127.0.0.1', port },
    async [Symbol.asyncDispose]() {
      await child.stop()
      folder.remove()
    },
  }
}

function started(child: Child): boolean {
  if (!child.running) throw new Error(`unbound ended at once\n${child.lines.join('\n')}`)
  return child.lines.some((line) => line.includes('start of service'))
}

/** The trust anchor, if the zone is signed. */
function writeZone(folder: TempFolder, { name, records, signed, forged }: ZoneSource): string {
  const file = `${folder.path}/${name}.zone`
  const soa = `@ 3600 IN SOA ns.${name}. hostmaster.${name}. 1 3600 600 86400 60`
  const lines = [`$ORIGIN ${name}.`, soa, `@ 3600 IN NS ns.${name}.`, 'ns 3600 IN A 127.0.0.1', ...records]
  writeFileSync(file, `${lines.join('\n')}\n`)
  if (signed !== true) return ''
  const run = (command: string, args: string[]) =>
    execFileSync(`${LDNS}/${command}`, args, { cwd: folder.path, encoding: 'utf8' })
  const key = run('ldns-keygen', ['-a', 'ED25519', '-k', name]).trim()
  run('ldns-signzone', ['-f', file, file, key])
  const text = readFileSync(file, 'utf8')
  if (forged) writeFileSync(file, text.replace(...forged))
  return readFileSync(`${folder.path}/${key}.key`, 'utf8')
}

const configuration = (
  folder: string,
  port: number,
  zones: readonly ZoneSource[],
  elsewhere: Readonly<Record<string, number>>,
): string => `server:
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  interface: 127.0.0.1@${port}
  do-ip6: no
  num-threads: 1
  access-control: 127.0.0.0/8 allow
  module-config: "validator iterator"
  trust-anchor-file: "${folder}/anchors"
  do-not-query-localhost: no
  cache-max-ttl: 1
  local-zone: "test." nodefault
${zones
  .map(
    ({ name }) => `auth-zone:
  name: "${name}."
  zonefile: "${folder}/${name}.zone"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no`,
  )
  .join('\n')}
${Object.entries(elsewhere)
  .map(([name, at]) => `forward-zone:\n  name: "${name}."\n  forward-addr: 127.0.0.1@${at}`)
  .join('\n')}
stub-zone:
  name: "."
  stub-addr: 127.0.0.1@1
`
