/** The spam filters beside us, as the configuration names them. */
import { readFile } from 'node:fs/promises'
import type { Config, SpamEngineConfig } from '#config/config.ts'
import { readSecret } from '#config/secret.ts'
import { type SpamEngineSettings, SpamEngines } from '#scan/spam/engines/engines.ts'
import { rspamd } from '#scan/spam/engines/rspamd.ts'
import { spamd } from '#scan/spam/engines/spamd.ts'
import type { Clock } from '#sys/clock.ts'

/** Undefined: there are none. */
export function spamEnginesOf(
  { spam, hostname }: Pick<Config, 'spam' | 'hostname'>,
  clock: Clock,
): SpamEngines | undefined {
  if (spam.engines.length === 0) return undefined
  return new SpamEngines(
    spam.engines.map((engine) => settingsOf(engine, hostname)),
    clock,
  )
}

function settingsOf(engine: SpamEngineConfig, hostname: string): SpamEngineSettings {
  const settings = { ...engine, trust: engine.weight }
  if (engine.kind === 'spamd') return { ...settings, symbol: 'ENGINE_SPAMD', ask: spamd({ ...engine, hostname }) }
  const { settingsId, password } = engine
  const ask = rspamd({
    hostname,
    ...(settingsId !== undefined && { settingsId }),
    ...(password && { password: () => passwordFrom(password) }),
  })
  return { ...settings, symbol: 'ENGINE_RSPAMD', ask }
}

type PasswordPlace = NonNullable<Extract<SpamEngineConfig, { kind: 'rspamd' }>['password']>

async function passwordFrom(place: PasswordPlace): Promise<string> {
  const readText = (path: string) => readFile(path, 'utf8')
  const read = await readSecret({ ...place }, 'password', { environment: process.env, readText })
  if (!read.ok) throw new Error(`its password: ${read.fault}`)
  return read.secret.reveal()
}
