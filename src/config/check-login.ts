/**
 * A login is sent to no one but the server that it is for: by TLS, with a certificate that was verified, to hosts that the
 * operator has named.
 */
import type { RouteSettings } from './schema-tenant.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

export function checkLogin(settings: RouteSettings, path: SettingPath, yaml: YamlText): void {
  const { login, tls, 'use-mx': useMx, 'ca-file': caFile } = settings
  if (caFile !== undefined && tls !== 'verified') {
    yaml.report('error', [...path, 'ca-file'], `is of no use with tls: ${tls}`, { allowed: 'tls: verified beside it' })
  }
  if (login === undefined) return
  const at = [...path, 'login']
  if (useMx) {
    const message = 'would be sent to whatever host a recipient’s domain names'
    yaml.report('error', at, message, { allowed: 'a route with hosts' }, 'key')
  }
  if (tls !== 'verified') {
    const message = `would be sent to a server that nobody has verified (tls: ${tls})`
    yaml.report(
      'error',
      at,
      message,
      { allowed: 'tls: verified beside it; ca-file for an authority of your own' },
      'key',
    )
  }
  const ways = [login['password-file'], login['password-env']].filter((way) => way !== undefined)
  if (ways.length !== 1) {
    yaml.report('error', at, 'needs exactly one of password-file, password-env', {}, 'key')
  }
}
