/**
 * Certificates of the listeners: PEM files, chosen by the name that the client asks for (SNI, RFC 6066 §3).
 *
 * A certificate serves the DNS names in its subjectAltName, wildcards for one label (RFC 9525 §6.3). The first of the
 * list is the default. Loading never touches what is in use: a reload makes a new object, sessions keep theirs.
 * Fails with `CertificateFault`, which says which file and what to do.
 */
import { randomUUID, X509Certificate } from 'node:crypto'
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import { selfSignedCertificate } from '#sys/self-signed.ts'
import { TLS_VERSION_MIN } from '#sys/socket.ts'

export interface CertificateFiles {
  /** PEM: the certificate, then its intermediates. */
  readonly certificateFile: string
  /** PEM, without pass phrase. May be the same file. */
  readonly keyFile: string
}

export class CertificateFault extends Error {
  override readonly name = 'CertificateFault'
  readonly advice: string

  constructor(message: string, advice: string) {
    super(message)
    this.advice = advice
  }
}

export class Certificates {
  readonly default: SecureContext
  /** The earliest end of a certificate, wall clock ms. */
  readonly validToMs: number
  readonly #exact: ReadonlyMap<string, SecureContext>
  readonly #wildcard: ReadonlyMap<string, SecureContext>

  private constructor(loaded: readonly Loaded[]) {
    const exact = new Map<string, SecureContext>()
    const wildcard = new Map<string, SecureContext>()
    for (const { names, context } of loaded) {
      for (const name of names) {
        const [table, key] = name.startsWith('*.') ? [wildcard, name.slice(2)] : [exact, name]
        if (!table.has(key)) table.set(key, context)
      }
    }
    this.default = loaded[0]!.context
    this.validToMs = Math.min(...loaded.map(({ validToMs }) => validToMs))
    this.#exact = exact
    this.#wildcard = wildcard
  }

  /** `ticketKeys`: 48 octets shared by all workers, so that a session can be resumed at another one. */
  static async load(files: readonly CertificateFiles[], ticketKeys: Buffer): Promise<Certificates> {
    if (files.length === 0) throw new TypeError('no certificate files')
    return new Certificates(await Promise.all(files.map((pair) => loadPair(pair, ticketKeys))))
  }

  readonly byName = (name: string): SecureContext | undefined => {
    const lower = name.toLowerCase()
    return this.#exact.get(lower) ?? this.#wildcard.get(lower.slice(lower.indexOf('.') + 1))
  }
}

interface Loaded {
  readonly names: readonly string[]
  readonly context: SecureContext
  readonly validToMs: number
}

/** Where clients are asked for certificates OpenSSL resumes no session without one: it would not know where it was verified. */
const SESSION_CONTEXT = 'vorposten'

async function loadPair({ certificateFile, keyFile }: CertificateFiles, ticketKeys: Buffer): Promise<Loaded> {
  const [cert, key] = await Promise.all([
    readPem(certificateFile, 'certificate'),
    certificateFile === keyFile ? undefined : readPem(keyFile, 'key'),
  ])
  try {
    const certificate = new X509Certificate(cert)
    return {
      names: dnsNames(certificate),
      context: createSecureContext({
        cert,
        key: key ?? cert,
        minVersion: TLS_VERSION_MIN,
        ticketKeys,
        sessionIdContext: SESSION_CONTEXT,
      }),
      validToMs: certificate.validToDate.getTime(),
    }
  } catch (error) {
    const text = `certificate ${certificateFile} with key ${keyFile}: ${(error as Error).message}`
    throw new CertificateFault(text, 'Both must be PEM, and the key must belong to the certificate.')
  }
}

async function readPem(file: string, what: 'certificate' | 'key'): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw new CertificateFault(`${what} file ${file} does not exist`, 'Correct the path, or leave it out for now.')
    }
    throw new CertificateFault(
      `${what} file ${file} cannot be read (${code})`,
      'Let the user that runs Vorposten read it.',
    )
  }
}

function dnsNames(certificate: X509Certificate): string[] {
  const names = certificate.subjectAltName?.matchAll(/DNS:([^,\s"]+)/g) ?? []
  return Array.from(names, ([, name]) => name!.toLowerCase())
}

const SELF_SIGNED_DAYS = 3650

/**
 * The self-signed certificate of this installation; made if there is none, or if it has expired. Key and certificate
 * share a file, so that workers which start at the same time cannot mix two pairs: whoever links it first wins.
 */
export async function selfSignedFiles(
  folder: string,
  hostname: string,
  nowMs: number,
): Promise<CertificateFiles & { readonly made: boolean }> {
  const file = join(folder, 'self-signed.pem')
  const files = { certificateFile: file, keyFile: file }
  const present = await readFile(file).catch(() => undefined)
  if (present && isCurrent(present, nowMs)) return { ...files, made: false }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { keyPem, certificatePem } = selfSignedCertificate({ names: [hostname], fromMs: nowMs, days: SELF_SIGNED_DAYS })
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, certificatePem + keyPem, { mode: 0o600 })
  if (present) {
    await rename(draft, file)
    return { ...files, made: true }
  }
  const made = await link(draft, file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
  await unlink(draft)
  return { ...files, made }
}

function isCurrent(certificatePem: Buffer, nowMs: number): boolean {
  try {
    return new X509Certificate(certificatePem).validToDate.getTime() > nowMs
  } catch {
    return false
  }
}
