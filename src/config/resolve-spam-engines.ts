/** Spam filters beside us, as the program uses their settings, and what does not fit together in them. */
import type { SpamEngineConfig } from './config.ts'
import type { Draft } from './draft.ts'
import type { SpamEnginesWritten } from './schema-spam-engines.ts'
import type { YamlText } from './yaml-text.ts'

/** `at`: a path as it is from the folder of the configuration file. */
export const spamEnginesConfig = (
  written: SpamEnginesWritten,
  at: (path: string) => string,
): readonly SpamEngineConfig[] =>
  Object.entries(written).map(([name, engine]) => {
    const { kind, servers, weight, user } = engine
    const { 'settings-id': settingsId, 'password-file': file, 'password-env': variable } = engine
    return {
      ...{ name, servers, weight },
      connectionsMax: engine['connections-max'],
      connectMsMax: engine['connect-time-max'],
      timeMsMax: engine['time-max'],
      octetsMax: engine['size-max'],
      ...(kind === 'spamd'
        ? { kind, ...(user !== undefined && { user }) }
        : {
            kind,
            ...(settingsId !== undefined && { settingsId }),
            ...(file !== undefined && { password: { 'password-file': at(file) } }),
            ...(variable !== undefined && { password: { 'password-env': variable } }),
          }),
    }
  })

const OF_RSPAMD = ['settings-id', 'password-file', 'password-env'] as const
const OF_SPAMD = ['user'] as const

export function checkSpamEngines({ relay }: Draft, yaml: YamlText): void {
  for (const [name, engine] of Object.entries(relay.spam?.engines ?? {})) {
    const path = ['spam', 'engines', name]
    const foreign = engine.kind === 'rspamd' ? OF_SPAMD : OF_RSPAMD
    for (const key of foreign)
      if (engine[key] !== undefined)
        yaml.report('error', [...path, key], `an engine of the kind ${engine.kind} has none`)
    if (engine['password-file'] !== undefined && engine['password-env'] !== undefined)
      yaml.report('error', path, 'needs exactly one of password-file, password-env', {}, 'key')
  }
}
