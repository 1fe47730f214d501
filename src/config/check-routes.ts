/**
 * Next hops that cannot be right: ourselves (a mail loop), and LMTP on port 25 (RFC 2033 §5).
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { checkImplicitTls, IMPLICIT_TLS_PORT } from './check-implicit-tls.ts'
import { checkLogin } from './check-login.ts'
import type { Draft, RouteDraft } from './draft.ts'
import type { RouteSettings } from './schema-tenant.ts'
import { canonicalAddress, type HostPort, hostPortText, readFullDomain } from './units.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

const SMTP_PORT = 25
/** No port is assigned to LMTP; servers listen on 24, "any private mail system". */
const LMTP_PORT = 24

/** The port of a host that names none. */
export const defaultPort = (protocol: RouteSettings['protocol'], implicitTls = false): number =>
  implicitTls ? IMPLICIT_TLS_PORT : protocol === 'lmtp' ? LMTP_PORT : SMTP_PORT

export interface OwnAddresses {
  readonly hostname: string | undefined
  readonly listeners: readonly { readonly address: string; readonly port: number }[]
  /** Addresses of this machine, canonical. */
  readonly machine: readonly string[]
}

export function ownAddresses({ relay }: Draft, machine: readonly string[]): OwnAddresses {
  const listeners = (relay.listeners ?? []).flatMap((listener) => listener.addresses)
  return { hostname: relay.hostname, listeners, machine: machine.map((text) => canonicalAddress(text) ?? text) }
}

export function checkRoute(route: RouteDraft, own: OwnAddresses, yaml: YamlText): void {
  const { settings, path } = route
  if (settings === undefined) return
  const port = defaultPort(settings.protocol, settings['implicit-tls'])
  if (settings.hosts) {
    const hosts = settings.hosts.map((host) => ({ ...host, port: host.port ?? port }))
    checkHosts(hosts, settings.protocol, [...path, 'hosts'], own, yaml)
  }
  checkUseMx(settings, path, yaml)
  checkImplicitTls(settings, path, yaml)
  checkLogin(settings, path, yaml)
  checkSources(settings, path, own, yaml)
  if (settings.retry.first > settings.retry.max) {
    yaml.report('error', [...path, 'retry', 'first'], 'is longer than retry.max', { allowed: 'at most retry.max' })
  }
}

function checkUseMx(settings: RouteSettings, path: SettingPath, yaml: YamlText): void {
  const { hosts, protocol, 'use-mx': useMx } = settings
  if (hosts === undefined && !useMx) {
    yaml.report('error', path, 'does not say where its mail goes', { allowed: 'hosts, or use-mx: true' }, 'key')
  } else if (hosts !== undefined && useMx) {
    yaml.report('error', [...path, 'use-mx'], 'stands beside hosts', { hint: 'remove one of them' }, 'key')
  }
  if (useMx && protocol === 'lmtp') {
    const message = 'mail servers of the Internet do not speak LMTP (RFC 2033 §5)'
    yaml.report('error', [...path, 'protocol'], message, { allowed: 'smtp' })
  }
  checkTlsByDomain(settings, [...path, 'tls-by-domain'], yaml)
}

function checkTlsByDomain(settings: RouteSettings, path: SettingPath, yaml: YamlText): void {
  const written = settings['tls-by-domain']
  if (written !== undefined && !settings['use-mx']) {
    const hint = 'say tls for the route itself'
    yaml.report('error', path, 'is of no use without use-mx: the route has one way to its hosts', { hint }, 'key')
  }
  for (const domain of Object.keys(written ?? {})) {
    if (readFullDomain(domain) !== undefined) continue
    const allowed = 'a domain such as example.org'
    yaml.report('error', [...path, domain], `${JSON.stringify(domain)} is not a domain`, { allowed }, 'key')
  }
}

// It may be configured a moment later (a floating address); until then nothing leaves from it.
function checkSources(settings: RouteSettings, path: SettingPath, own: OwnAddresses, yaml: YamlText): void {
  for (const [i, { address }] of (settings['source-addresses'] ?? []).entries()) {
    if (own.machine.includes(address) || own.machine.length === 0 || isLoopback(address)) continue
    const hint = 'connections from there will fail until it is configured'
    yaml.report('warning', [...path, 'source-addresses', i], `${address} is no address of this machine`, { hint })
  }
}

/** Also for a domain's own hosts. */
export function checkHosts(
  hosts: readonly HostPort[],
  protocol: RouteSettings['protocol'],
  path: SettingPath,
  own: OwnAddresses,
  yaml: YamlText,
): void {
  for (const [i, host] of hosts.entries()) {
    const port = host.port ?? defaultPort(protocol)
    const text = hostPortText(host.name, port)
    if (protocol === 'lmtp' && port === SMTP_PORT) {
      yaml.report('error', [...path, i], `${text}: LMTP must not be spoken on port 25 (RFC 2033 §5)`)
    }
    if (isOwn(host.name, port, own)) {
      const hint = 'name the tenant’s server here, not the relay'
      yaml.report('error', [...path, i], `${text} is this relay itself: mail would go round in a loop`, { hint })
    }
  }
}

function isOwn(name: string, port: number, own: OwnAddresses): boolean {
  return own.listeners.some((listener) => {
    if (listener.port !== port) return false
    if (name === own.hostname || name === 'localhost') return name === own.hostname || takesLoopback(listener.address)
    const listening = canonicalAddress(listener.address)
    if (listening === name) return true
    return isIP(name) !== 0 && isEvery(listener.address) && (isLoopback(name) || own.machine.includes(name))
  })
}

const isEvery = (address: string): boolean => address === '0.0.0.0' || address === '::'
const isLoopback = (address: string): boolean => ipaddr.parse(address).range() === 'loopback'
const takesLoopback = (address: string): boolean => isEvery(address) || isLoopback(address)
