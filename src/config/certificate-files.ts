/**
 * Certificates and keys that the listeners name: there, readable, in PEM, belonging together. What still works but will
 * be noticed (run out, another name, a key that everyone may read) is a warning.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { CertificateConfig, ListenerConfig } from './config.ts'
import { readText } from './file-text.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

/** A chain of certificates has some KiB. */
const PEM_OCTETS_MAX = 1024 * 1024

export async function checkCertificates(
  listeners: readonly ListenerConfig[],
  yaml: YamlText,
  nowMs: number,
): Promise<void> {
  for (const [i, listener] of listeners.entries()) {
    for (const [j, files] of listener.certificates.entries()) {
      await checkPair(files, ['listeners', i, 'certificates', j], yaml, nowMs)
    }
  }
}

async function checkPair(files: CertificateConfig, path: SettingPath, yaml: YamlText, nowMs: number): Promise<void> {
  const certificate = await readPem(files.certificateFile, [...path, 'certificate'], yaml, {
    what: 'a certificate',
    read: (pem) => new X509Certificate(pem),
  })
  const key = await readPem<KeyObject>(files.keyFile, [...path, 'key'], yaml, {
    what: 'a private key without a password',
    read: createPrivateKey,
  })
  if (key !== undefined && ((await stat(files.keyFile)).mode & 0o004) !== 0) {
    yaml.report('warning', [...path, 'key'], `${files.keyFile} may be read by everyone on this machine`)
  }
  if (certificate === undefined) return
  checkValidity(certificate, files, path, yaml, nowMs)
  if (key !== undefined && !certificate.checkPrivateKey(key)) {
    yaml.report('error', [...path, 'key'], `${files.keyFile} is not the key of ${files.certificateFile}`)
  }
}

interface Pem<T> {
  readonly what: string
  /** Throws what OpenSSL says. */
  readonly read: (pem: string) => T
}

async function readPem<T>(file: string, path: SettingPath, yaml: YamlText, pem: Pem<T>): Promise<T | undefined> {
  const text = await readText(file, PEM_OCTETS_MAX)
  if (!text.ok) {
    yaml.report('error', path, `${file} ${text.fault}`)
    return undefined
  }
  try {
    return pem.read(text.text)
  } catch {
    yaml.report('error', path, `${file} does not hold ${pem.what} in PEM form`)
    return undefined
  }
}

function checkValidity(
  certificate: X509Certificate,
  files: CertificateConfig,
  path: SettingPath,
  yaml: YamlText,
  nowMs: number,
): void {
  const at = [...path, 'certificate']
  const until = certificate.validToDate
  if (until.getTime() < nowMs) yaml.report('warning', at, `${files.certificateFile} ran out on ${day(until)}`)
  const from = certificate.validFromDate
  if (from.getTime() > nowMs) yaml.report('warning', at, `${files.certificateFile} is not valid before ${day(from)}`)
  for (const [i, name] of files.names.entries()) {
    // A star stands for one label (RFC 9525 §6.3); any label will do to ask.
    if (certificate.checkHost(name.replace('*', 'any')) !== undefined) continue
    yaml.report('warning', [...path, 'names', i], `${files.certificateFile} is not a certificate of ${name}`)
  }
}

const day = (date: Date): string => date.toISOString().slice(0, 10)
