/**
 * Values that do not belong into the file. Any value may hold `${ENV:NAME}`, which the environment replaces. A secret
 * `x` may be given in three ways, exactly one of them: `x` itself, `x-env` (the name of a variable) or `x-file` (a
 * path; systemd's LoadCredential= puts one there). A secret in memory shows itself to nobody by accident: logs and JSON
 * get `***`.
 */
import { inspect } from 'node:util'

export type Environment = Readonly<Record<string, string | undefined>>

const VARIABLE = /\$\{ENV:([A-Za-z_][A-Za-z0-9_]*)\}/g

export type Expanded = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: string }

/** Replaces each `${ENV:NAME}`. What comes from a variable is not expanded again. */
export function expandEnvironment(text: string, environment: Environment): Expanded {
  if (!text.includes('${ENV:')) return { ok: true, text }
  const unset: string[] = []
  const expanded = text.replace(VARIABLE, (_, name: string) => {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (value === undefined) unset.push(name)
    return value ?? ''
  })
  if (unset.length > 0) return { ok: false, fault: `the environment variable ${unset.join(', ')} is not set` }
  if (text.replace(VARIABLE, '').includes('${ENV:')) {
    return { ok: false, fault: `a variable is written \${ENV:NAME}, with letters, digits and _ in its name` }
  }
  return { ok: true, text: expanded }
}

/** A secret in memory. `reveal` is the only way to the value. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '***'
  }
  toJSON(): string {
    return '***'
  }
  [inspect.custom](): string {
    return '***'
  }
}

export type SecretRead = { readonly ok: true; readonly secret: Secret } | { readonly ok: false; readonly fault: string }

export interface SecretSources {
  readonly environment: Environment
  /** Rejects with a Node error (`code` such as ENOENT). */
  readonly readText: (path: string) => Promise<string>
}

/** A secret file holds one line; more than this is some other file. */
export const SECRET_OCTETS_MAX = 64 * 1024

/** Reads the secret called `name` from a section's values; one line end at the end of a file is not part of it. */
export async function readSecret(
  section: Readonly<Record<string, unknown>>,
  name: string,
  sources: SecretSources,
): Promise<SecretRead> {
  const ways = [name, `${name}-env`, `${name}-file`].filter((key) => section[key] !== undefined)
  const [way] = ways
  if (way === undefined || ways.length > 1) {
    return { ok: false, fault: `needs exactly one of ${name}, ${name}-env, ${name}-file` }
  }
  const written = String(section[way])
  if (way === name) return made(written, name)
  if (way === `${name}-env`) {
    const value = Object.hasOwn(sources.environment, written) ? sources.environment[written] : undefined
    return value === undefined
      ? { ok: false, fault: `the environment variable ${written} is not set` }
      : made(value, written)
  }
  return fromFile(written, sources)
}

async function fromFile(path: string, sources: SecretSources): Promise<SecretRead> {
  try {
    return made((await sources.readText(path)).replace(/\r?\n$/, ''), path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    return { ok: false, fault: `the file ${path} cannot be read (${code})` }
  }
}

function made(value: string, where: string): SecretRead {
  if (value === '') return { ok: false, fault: `${where} is empty` }
  if (Buffer.byteLength(value) > SECRET_OCTETS_MAX) return { ok: false, fault: `${where} is longer than 64 KiB` }
  return { ok: true, secret: new Secret(value) }
}
