/**
 * The configuration with which the relay is measured and tortured: takes everything for the given domains and relays it to
 * one port of this machine. All that makes mail durable stays at its default. As a program it prints the file:
 *
 *   node bench/relay-config.ts --port 2511 --sink-port 2611 --data-folder /tmp/x --commit spool
 */
import { parseArgs } from 'node:util'

export interface RelayConfig {
  readonly port: number
  readonly dataFolder: string
  readonly commit: 'spool' | 'cut-through'
  /** Domain to the port of its next hop. */
  readonly domains: Readonly<Record<string, number>>
  /** Wait after the first failed attempt, seconds; later ones never more than `retrySecondsMax`. */
  readonly retrySeconds?: number
  readonly retrySecondsMax?: number
  readonly connectionsMax?: number
  readonly workers?: number
  /** The listener takes mail of the first domain to anyone, which leaves by the way of that domain. */
  readonly outbound?: boolean
  /** `clamd`: the path of its socket, or a port. */
  readonly wall?: { readonly embedded?: boolean; readonly clamd?: string }
}

export function relayConfig(config: RelayConfig): string {
  const { retrySeconds = 300, retrySecondsMax = 3600, connectionsMax = 50 } = config
  const lines = [
    'hostname: relay.bench.test',
    `data-folder: ${config.dataFolder}`,
    `workers: ${config.workers ?? 'auto'}`,
    'http:',
    "  address: 'off'",
    'listeners:',
    `  - {name: bench, addresses: '127.0.0.1:${config.port}', tls: none${config.outbound ? ', service: outbound' : ''}}`,
    // A session of the load tools lasts as long as the run.
    'limits: {transactions-max: 1000000}',
    // The relays beside it ask nobody, either.
    'authentication: false',
    ...wallLines(config.wall),
    'tenants:',
    '  bench:',
    ...(config.outbound ? ['    outbound: {from-networks: 127.0.0.1, route: hop-0}'] : []),
    '    routes:',
  ]
  const domains = Object.entries(config.domains)
  domains.forEach(([, port], i) => {
    lines.push(
      `      hop-${i}:`,
      `        hosts: '127.0.0.1:${port}'`,
      '        tls: never',
      `        connections-max: ${connectionsMax}`,
      '        deliveries-per-connection-max: 1000',
      `        retry: {first: ${retrySeconds}s, max: ${retrySecondsMax}s}`,
    )
  })
  lines.push('    domains:')
  domains.forEach(([domain], i) => {
    lines.push(`      ${domain}: {route: hop-${i}, recipients: accept-all, commit: ${config.commit}}`)
  })
  return `${lines.join('\n')}\n`
}

function wallLines({ embedded = false, clamd }: NonNullable<RelayConfig['wall']> = {}): string[] {
  if (!embedded && clamd === undefined) return []
  const engines = clamd === undefined ? [] : [`  engines: {clamav: {servers: ['${clamd}']}}`]
  return ['virus:', ...(embedded ? ['  embedded: true'] : []), ...engines]
}

function main(): void {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      'sink-port': { type: 'string' },
      'data-folder': { type: 'string' },
      domain: { type: 'string', default: 'dest.test' },
      commit: { type: 'string', default: 'spool' },
      outbound: { type: 'boolean', default: false },
      embedded: { type: 'boolean', default: false },
      clamd: { type: 'string' },
    },
  })
  const { commit, outbound, embedded, clamd } = values
  if (commit !== 'spool' && commit !== 'cut-through') throw new Error(`no such commit: ${commit}`)
  const config = {
    port: Number(values.port),
    dataFolder: values['data-folder'] ?? '',
    commit,
    outbound,
    wall: { embedded, ...(clamd !== undefined && { clamd }) },
    domains: { [values.domain]: Number(values['sink-port']) },
  } as const
  process.stdout.write(relayConfig(config))
}

if (import.meta.main) main()
