/** Routes whose servers speak TLS from the first octet: only where no clear text is wanted, and on ports that do so. */
import type { RouteSettings } from './schema-tenant.ts'
import { hostPortText } from './units.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

// RFC 8314 §3.3
export const IMPLICIT_TLS_PORT = 465
/** Registered for servers that greet in clear: SMTP, submission. */
const CLEAR_PORTS: readonly number[] = [25, 587]

export function checkImplicitTls(settings: RouteSettings, path: SettingPath, yaml: YamlText): void {
  const { hosts = [], tls, 'implicit-tls': implicit, 'use-mx': useMx } = settings
  const at = [...path, 'implicit-tls']
  if (implicit && useMx) {
    yaml.report('error', at, 'is not what mail servers of the Internet do', { allowed: 'a route with hosts' }, 'key')
  }
  if (implicit && tls !== 'required' && tls !== 'verified') {
    const message = `says that all is encrypted, and tls: ${tls} does not`
    yaml.report('error', at, message, { allowed: 'tls: verified or tls: required beside it' }, 'key')
  }
  for (const [i, { name, port }] of hosts.entries()) {
    if (port === undefined) continue
    const text = hostPortText(name, port)
    if (implicit && CLEAR_PORTS.includes(port)) {
      const hint = 'the port is 465, or remove implicit-tls'
      yaml.report('warning', [...path, 'hosts', i], `${text}: servers greet in clear there, and want STARTTLS`, {
        hint,
      })
    } else if (!implicit && port === IMPLICIT_TLS_PORT) {
      const hint = 'say implicit-tls: true, with tls: verified'
      yaml.report('warning', [...path, 'hosts', i], `${text}: servers begin with TLS there (RFC 8314 §3.3)`, { hint })
    }
  }
}
