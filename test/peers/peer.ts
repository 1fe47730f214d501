/**
 * Foreign mail servers as Debian ships them, each run from its own folder, in the foreground, on loopback: as the next
 * hop of a domain (it knows its users and refuses all others at RCPT) or as a client that relays everything to us.
 * `install` beside this file puts them on the machine.
 *
 * Whatever a peer accepts, it sends by SMTP to `relayTo`: a sink that counts, or the relay under test. Without `relayTo`
 * (Postfix and Exim) it is the last stop, with a Maildir for each of its users.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type KeyAndCertificate, selfSignedCertificate } from '#sys/self-signed.ts'
import type { Child } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { smtpTalk } from '../harness/smtp-talk.ts'
import { type TempFolder, tempFolder } from '../harness/temp-folder.ts'
import { waitFor } from '../harness/wait-for.ts'

export interface PeerOptions {
  /** The port on 127.0.0.1 to which everything goes that it accepts. Absent: into mailboxes of its own, see `mail`. */
  readonly relayTo?: number
  /** Absent: it takes every recipient. Present: these mailboxes and no others. */
  readonly accept?: { readonly domain: string; readonly users: readonly string[] }
  /** Takes mail only from who logs in so, by TLS (Exim, Postfix). */
  readonly login?: { readonly name: string; readonly password: string }
  /** TLS from the first octet, as on port 465 (Exim, Postfix). */
  readonly implicitTls?: true
  /** The name in its certificate; `exim.test` and the like if absent. */
  readonly certificateName?: string
  readonly port?: number
  /** Where it listens; 127.0.0.1 if absent. */
  readonly address?: string
  /** One of its own if absent. */
  readonly tls?: KeyAndCertificate
}

export interface Peer extends AsyncDisposable {
  readonly name: PeerName
  readonly port: number
  /** Self-signed, so its own authority. */
  readonly certificateFile: string
  /** What it has logged, over all its starts. */
  log(): readonly string[]
  /** The first line of its log that matches. */
  logged(pattern: RegExp): Promise<string>
  /** What is in the Maildir of this local part. */
  mail(localPart: string): readonly Buffer[]
  /** From now on, mail with this word in its Subject is refused at the dot, as by a spam filter. Undefined: none is. */
  filter(word: string | undefined): void
  /** Try everything in its queue now. */
  flush(): Promise<void>
  /** As an outage: nothing listens until `start`; its queue is kept. */
  stop(): Promise<void>
  start(): Promise<void>
}

export type PeerName = 'postfix' | 'exim' | 'opensmtpd'

/** What differs between the three. */
export interface PeerKind {
  readonly name: PeerName
  /** Writes configuration and queue into the folder, once. */
  prepare(settings: PeerSettings): void
  /** What is to stand in the file of the filter. */
  filter?(word: string | undefined): string
  run(settings: PeerSettings): Child
  flush(settings: PeerSettings, child: Child): Promise<void>
  log(settings: PeerSettings, child: Child): readonly string[]
}

/** Its mailboxes and the word of its filter, in its folder. */
export const mailFolder = (folder: string): string => `${folder}/mail`
export const filterFile = (folder: string): string => `${folder}/filter`

export interface PeerSettings extends PeerOptions {
  readonly address: string
  readonly port: number
  readonly folder: string
  readonly keyFile: string
  readonly certificateFile: string
}

const EXECUTABLES: {
  readonly [N in PeerName | 'saslpasswd2']: { readonly files: readonly string[]; readonly aptPackage: string }
} = {
  postfix: { files: ['/usr/sbin/postfix'], aptPackage: 'postfix' },
  exim: { files: [unpacked('exim4-daemon-heavy/usr/sbin/exim4')], aptPackage: 'exim4-daemon-heavy' },
  saslpasswd2: { files: [unpacked('sasl2-bin/usr/sbin/saslpasswd2')], aptPackage: 'sasl2-bin' },
  opensmtpd: {
    files: [unpacked('opensmtpd/usr/sbin/smtpd'), unpacked('opensmtpd/usr/sbin/smtpctl')],
    aptPackage: 'opensmtpd',
  },
}

/** Below the cache folder of the checkout, where `install` unpacks what cannot be installed beside the others. */
function unpacked(path: string): string {
  return new URL(`../../.cache/peers/${path}`, import.meta.url).pathname
}

export const executable = (name: keyof typeof EXECUTABLES, index = 0): string => EXECUTABLES[name].files[index] ?? ''

/**
 * For the `skip` option of a test: false if the peer can run, else why not. In CI nothing is skipped: there a missing
 * peer is a failed installation, and the test that needs it fails.
 */
export function without(name: keyof typeof EXECUTABLES): string | false {
  const { files, aptPackage } = EXECUTABLES[name]
  if (process.env['CI']) return false
  if (!files.every((file) => existsSync(file))) return `needs Debian's ${aptPackage}: run test/peers/install as root`
  return process.getuid?.() === 0 ? false : `needs root: ${name} drops its privileges by itself`
}

export async function startPeer(kind: PeerKind, options: PeerOptions): Promise<Peer> {
  const folder = tempFolder(kind.name)
  const settings: PeerSettings = {
    ...options,
    address: options.address ?? '127.0.0.1',
    port: options.port ?? (await freePort()),
    folder: folder.path,
    keyFile: `${folder.path}/key.pem`,
    certificateFile: `${folder.path}/certificate.pem`,
  }
  const names = [options.certificateName ?? `${kind.name}.test`]
  const tls = options.tls ?? selfSignedCertificate({ names, fromMs: Date.now() - 60_000, days: 1 })
  writeFileSync(settings.keyFile, tls.keyPem)
  writeFileSync(settings.certificateFile, tls.certificatePem)
  mkdirSync(mailFolder(folder.path))
  writeFileSync(filterFile(folder.path), kind.filter?.(undefined) ?? '')
  kind.prepare(settings)
  const peer = new RunningPeer(kind, settings, folder)
  await peer.start()
  return peer
}

class RunningPeer implements Peer {
  readonly #kind: PeerKind
  readonly #settings: PeerSettings
  readonly #folder: TempFolder
  #child: Child | undefined
  #earlier: readonly string[] = []

  constructor(kind: PeerKind, settings: PeerSettings, folder: TempFolder) {
    this.#kind = kind
    this.#settings = settings
    this.#folder = folder
  }

  get name(): PeerName {
    return this.#kind.name
  }

  get certificateFile(): string {
    return this.#settings.certificateFile
  }

  get port(): number {
    return this.#settings.port
  }

  log(): readonly string[] {
    return this.#child ? [...this.#earlier, ...this.#kind.log(this.#settings, this.#child)] : this.#earlier
  }

  logged(pattern: RegExp): Promise<string> {
    const find = () => this.log().find((line) => pattern.test(line))
    return waitFor(`${pattern} in the log of ${this.name}`, find, { context: () => this.log().slice(-40).join('\n') })
  }

  mail(localPart: string): readonly Buffer[] {
    const folder = `${mailFolder(this.#folder.path)}/${localPart}/new`
    return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`)) : []
  }

  filter(word: string | undefined): void {
    if (this.#kind.filter === undefined) throw new Error(`${this.name} has no filter here`)
    writeFileSync(filterFile(this.#folder.path), this.#kind.filter(word))
  }

  async flush(): Promise<void> {
    if (this.#child) await this.#kind.flush(this.#settings, this.#child)
  }

  async start(): Promise<void> {
    const child = this.#kind.run(this.#settings)
    this.#child = child
    const context = () => [...child.lines, ...this.log()].slice(-40).join('\n')
    const up = async () => {
      if (!child.running) throw new Error(`${this.name} ended at once\n${context()}`)
      return greets(this.#settings)
    }
    await waitFor(`the greeting of ${this.name}`, up, { context })
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

async function greets({ address, port, implicitTls }: PeerSettings): Promise<boolean> {
  try {
    using talk = await smtpTalk(port, { host: address })
    if (implicitTls) await talk.secure()
    await talk.expect(/^220 /)
    await talk.quit()
    return true
  } catch {
    return false
  }
}
