/**
 * The login and the authorities of a route: what the configuration names, and what stands in the files that it names, which
 * are read after everything else is sound.
 */
import { X509Certificate } from 'node:crypto'
import { PASSWORD_OCTETS_MAX } from '#auth/sasl/exchange.ts'
import type { Route } from '#tenant/directory.ts'
import type { RouteDraft } from './draft.ts'
import { readText } from './file-text.ts'
import { type Environment, readSecret, SECRET_OCTETS_MAX } from './secret.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

/** A bundle of all authorities of a system has some 200 KiB. */
const AUTHORITIES_OCTETS_MAX = 1024 * 1024

/** What is still to be read into the route that the config already holds. */
export interface RouteFiles {
  readonly path: SettingPath
  readonly password?: { readonly section: Readonly<Record<string, unknown>>; readonly into: { password: Uint8Array } }
  readonly authorities?: { readonly file: string; readonly into: { pem: string } }
}

export function loginOf(
  { settings, path }: RouteDraft,
  at: (path: string) => string,
  files: RouteFiles[],
): Pick<Route, 'login' | 'authorities'> {
  const { login: written, 'ca-file': caFile } = settings ?? {}
  const authorities = caFile === undefined ? undefined : { pem: '' }
  if (authorities !== undefined) files.push({ path, authorities: { file: at(caFile!), into: authorities } })
  if (written === undefined) return authorities === undefined ? {} : { authorities }
  const { name, mechanisms, 'password-file': file, 'password-env': variable } = written
  const login = { name, password: new Uint8Array(), ...(mechanisms && { mechanisms }) }
  const section = file === undefined ? { 'password-env': variable } : { 'password-file': at(file) }
  files.push({ path, password: { section, into: login } })
  return { login, ...(authorities && { authorities }) }
}

export async function readRouteFiles(
  { path, password, authorities }: RouteFiles,
  environment: Environment,
  yaml: YamlText,
): Promise<void> {
  if (password !== undefined) {
    const read = await readSecret(password.section, 'password', { environment, readText: fileText })
    const octets = read.ok ? Buffer.from(read.secret.reveal()) : undefined
    const fault = octets === undefined ? (read.ok ? '' : read.fault) : passwordFault(octets)
    if (fault !== undefined) yaml.report('error', [...path, 'login'], fault, {}, 'key')
    else password.into.password = octets!
  }
  if (authorities !== undefined) {
    const file = await readText(authorities.file, AUTHORITIES_OCTETS_MAX)
    const fault = file.ok ? authoritiesFault(file.text) : file.fault
    if (fault !== undefined) yaml.report('error', [...path, 'ca-file'], `${authorities.file} ${fault}`)
    else if (file.ok) authorities.into.pem = file.text
  }
}

function passwordFault(octets: Buffer): string | undefined {
  if (octets.length > PASSWORD_OCTETS_MAX) return `the password is longer than ${PASSWORD_OCTETS_MAX} octets`
  const unusable = 'the password holds a control character; the file must have the password on one line and no more'
  return octets.some((octet) => octet < 0x20 || octet === 0x7f) ? unusable : undefined
}

function authoritiesFault(pem: string): string | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) return 'holds no certificate in PEM form'
  try {
    for (const block of blocks) new X509Certificate(block)
  } catch {
    return 'holds a certificate that cannot be read'
  }
  return undefined
}

async function fileText(path: string): Promise<string> {
  const file = await readText(path, SECRET_OCTETS_MAX)
  if (file.ok) return file.text
  throw Object.assign(new Error(file.fault), { code: file.fault })
}
