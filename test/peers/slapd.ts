/**
 * OpenLDAP's slapd as Debian ships it, unpacked: a directory of one company on loopback, with StartTLS, which can go away
 * and come back. Its data stay between stops. `install` beside this file puts it on the machine.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { type Child, runToEnd, startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { type TempFolder, tempFolder } from '../harness/temp-folder.ts'

const ROOT = new URL('../../.cache/peers/slapd', import.meta.url).pathname
const SLAPD = `${ROOT}/usr/sbin/slapd`

export const BASE = 'dc=bakery,dc=test'
export const BIND_DN = 'cn=relay,dc=bakery,dc=test'
export const PASSWORD = 'flour and water'

/** For the `skip` option of a test; in CI a missing slapd is a fault. */
export function withoutSlapd(): string | false {
  return process.env['CI'] || existsSync(SLAPD) ? false : "needs Debian's slapd: run test/peers/install as root"
}

export interface Person {
  readonly uid: string
  readonly mail: readonly string[]
  /** As in Active Directory: `SMTP:first@x`, `smtp:other@x`, `x500:…`. */
  readonly proxyAddresses?: readonly string[]
}

export interface Slapd extends AsyncDisposable {
  /** `ldap://localhost:…` */
  readonly url: string
  /** With `localhost` in it; an authority of its own. */
  readonly certificateFile: string
  /** What it was asked, one line each. */
  log(): readonly string[]
  /** The directory has these people and no others. While it is stopped. */
  load(people: readonly Person[]): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
}

/** Started, with these people. */
export async function startSlapd(people: readonly Person[]): Promise<Slapd> {
  const slapd = new RunningSlapd(tempFolder('slapd'), await freePort())
  await slapd.load(people)
  await slapd.start()
  return slapd
}

class RunningSlapd implements Slapd {
  readonly certificateFile: string
  readonly #folder: TempFolder
  readonly #port: number
  #child: Child | undefined
  #earlier: readonly string[] = []
  #loads = 0

  constructor(folder: TempFolder, port: number) {
    this.#folder = folder
    this.#port = port
    this.certificateFile = `${folder.path}/certificate.pem`
    const tls = selfSignedCertificate({ names: ['localhost'], fromMs: Date.now() - 60_000, days: 1 })
    writeFileSync(`${folder.path}/key.pem`, tls.keyPem)
    writeFileSync(this.certificateFile, tls.certificatePem)
  }

  get url(): string {
    return `ldap://localhost:${this.#port}`
  }

  log(): readonly string[] {
    return [...this.#earlier, ...(this.#child?.lines ?? [])]
  }

  async load(people: readonly Person[]): Promise<void> {
    if (this.#child) throw new Error('slapd must be stopped to be loaded')
    const { path } = this.#folder
    const data = `${path}/data${++this.#loads}`
    mkdirSync(data)
    writeFileSync(`${path}/slapd.conf`, configuration(path, data))
    writeFileSync(`${path}/people.ldif`, ldif(people))
    // slapadd is slapd under another name.
    await runToEnd('/usr/bin/env', [
      LIBRARIES,
      SLAPD,
      '-Tadd',
      '-q',
      '-f',
      `${path}/slapd.conf`,
      '-l',
      `${path}/people.ldif`,
    ])
  }

  async start(): Promise<void> {
    const args = [LIBRARIES, SLAPD, '-f', `${this.#folder.path}/slapd.conf`, '-h', `ldap://127.0.0.1:${this.#port}`]
    const child = startChild('/usr/bin/env', [...args, '-d', 'stats'])
    this.#child = child
    await child.line(/slapd starting/)
  }

  async stop(): Promise<void> {
    await this.#child?.stop()
    this.#earlier = this.log()
    this.#child = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    this.#folder.remove()
  }
}

const LIBRARIES = `LD_LIBRARY_PATH=${ROOT}/usr/lib/x86_64-linux-gnu:${ROOT}/usr/lib/aarch64-linux-gnu`

const configuration = (folder: string, data: string): string => `include ${ROOT}/etc/ldap/schema/core.schema
include ${ROOT}/etc/ldap/schema/cosine.schema
include ${ROOT}/etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.4203.666.11.99 NAME 'mailPerson' SUP top AUXILIARY MAY proxyAddresses )
modulepath ${ROOT}/usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
TLSCertificateFile ${folder}/certificate.pem
TLSCertificateKeyFile ${folder}/key.pem
# As Active Directory: what is asked without pages ends here.
sizelimit size.soft=1000 size.hard=1000 size.prtotal=unlimited size.pr=1000
disallow bind_anon
require bind
database mdb
maxsize 268435456
dbnosync
suffix "${BASE}"
rootdn "cn=admin,${BASE}"
directory ${data}
access to attrs=userPassword by anonymous auth
access to * by dn.exact="${BIND_DN}" read
`

function ldif(people: readonly Person[]): string {
  const entries = [
    [`dn: ${BASE}`, 'objectClass: dcObject', 'objectClass: organization', 'dc: bakery', 'o: Bakery'],
    [
      `dn: ${BIND_DN}`,
      'objectClass: organizationalRole',
      'objectClass: simpleSecurityObject',
      'cn: relay',
      `userPassword: ${PASSWORD}`,
    ],
    ...people.map(({ uid, mail, proxyAddresses = [] }) => [
      `dn: uid=${uid},${BASE}`,
      'objectClass: inetOrgPerson',
      'objectClass: mailPerson',
      `uid: ${uid}`,
      `cn: ${uid}`,
      `sn: ${uid}`,
      ...mail.map((address) => `mail: ${address}`),
      ...proxyAddresses.map((address) => `proxyAddresses: ${address}`),
    ]),
  ]
  return `${entries.map((lines) => lines.join('\n')).join('\n\n')}\n`
}
