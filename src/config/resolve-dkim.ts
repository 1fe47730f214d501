/** The keys that sign, as the program uses their settings. */
import type { DkimConfig } from './config.ts'
import type { KeySecret } from './resolve-outbound.ts'
import type { DkimSettings } from './schema-dkim.ts'
import { settingText, type YamlText } from './yaml-text.ts'

interface Context {
  readonly yaml: YamlText
  readonly at: (path: string) => string
}

export function dkimConfig(settings: DkimSettings, { yaml, at }: Context, secrets: KeySecret[]): DkimConfig {
  const { 'master-key': written, 'dns-server': dnsServer, 'keep-published': keepPublishedMs } = settings
  const masterKeys = new Map<number, Uint8Array>()
  if (written !== undefined) {
    const path = ['dkim', 'master-key']
    const file = written['secret-file']
    secrets.push({
      number: 0,
      section: file === undefined ? written : { ...written, 'secret-file': at(file) },
      position: yaml.locate(path),
      setting: settingText(path),
      keys: masterKeys,
    })
  }
  return { masterKeys, keepPublishedMs, ...(dnsServer !== undefined && { dnsServer }) }
}
