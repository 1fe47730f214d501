import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_LIMITS } from '#smtp/server/limits.ts'
import type { VirusPolicy } from '#tenant/virus-policy.ts'
import type { Config } from './config.ts'
import { parseConfig } from './parse.ts'
import { problemText } from './problem.ts'

const SMALLEST = `hostname: mx1.relay.example
tenants:
  bakery:
    domains:
      bakery.example:
        deliver-to: mail.bakery.example
`

function sound(text: string): Config {
  const result = parseConfig(text, 'v.yaml')
  assert.ok(result.ok, result.ok ? '' : result.problems.map(problemText).join('\n'))
  return result.config
}

function problems(text: string): string[] {
  const result = parseConfig(text, 'v.yaml')
  return (result.ok ? result.warnings : result.problems).map(problemText)
}

test('the smallest useful file: who we are, one domain, where its mail goes', () => {
  const config = sound(SMALLEST)
  assert.equal(config.hostname, 'mx1.relay.example')
  assert.equal(config.dataFolder, '/var/lib/vorposten')
  assert.deepEqual(config.domains, [
    {
      name: 'bakery.example',
      tenant: { name: 'bakery', language: 'en' },
      route: {
        id: 'bakery/bakery.example',
        tenant: 'bakery',
        protocol: 'smtp',
        hosts: [{ name: 'mail.bakery.example', port: 25, preference: 10 }],
        tls: 'opportunistic',
        connectionsMax: 20,
        deliveriesPerConnectionMax: 100,
        retryFirstMs: 300_000,
        retryMaxMs: 3_600_000,
        lifetimeMs: 432_000_000,
        probeIntervalMs: 30_000,
      },
      recipients: { kind: 'live' },
      commit: 'cut-through',
      policyClass: 'default',
      contentOctetsMax: DEFAULT_LIMITS.contentOctetsMax,
    },
  ])
  const [listener] = config.listeners
  assert.deepEqual(listener?.addresses, [
    { address: '0.0.0.0', port: 25 },
    { address: '::', port: 25 },
  ])
  assert.deepEqual(listener?.limits, DEFAULT_LIMITS)
  assert.deepEqual(config.http, { address: { address: '127.0.0.1', port: 9425 } })
})

test('every setting, written by people, arrives resolved', () => {
  const config = sound(`
hostname: MX1.relay.example
data-folder: data
workers: 2
log: {format: both, destination: /var/log/vorposten.log}
http: {address: off}
name-servers: [127.0.0.1, "[::1]:5353"]
destinations: {allow-networks: 10.0.0.0/8, own-names: mx2.relay.example, mta-sts-port: 8443}
listeners:
  - name: mx
    addresses: 127.0.0.1:2525
    certificates: {names: "*.relay.example", certificate: tls/mx.crt, key: /etc/tls/mx.key}
    proxy-from: [10.0.0.0/8, 192.0.2.7]
    line-ends: normalise
    early-talker-delay: 2s
    exempt-from-limits: 2001:db8::/32
    limits: {recipients-max: 200, command-time-max: 10m}
limits: {content-size-max: 25MB, recipients-max: 500, sessions-max: 100, new-per-minute-per-client-max: 7}
spool: {segment-size: 1MiB, free-space-min: 2GB}
tenants: {}
`)
  const [mx] = config.listeners
  assert.equal(config.hostname, 'mx1.relay.example')
  assert.match(config.dataFolder, /^\/.*\/data$/)
  assert.deepEqual(
    [config.workers, config.log, config.http, config.spool],
    [
      2,
      { format: 'both', destination: { path: '/var/log/vorposten.log' } },
      { address: 'off' },
      { segmentOctets: 2 ** 20, freeOctetsMin: 2e9 },
    ],
  )
  assert.deepEqual(config.nameServers, [
    { address: '127.0.0.1', port: 53 },
    { address: '::1', port: 5353 },
  ])
  assert.deepEqual(config.destinations, {
    allowNetworks: ['10.0.0.0/8'],
    ownNames: ['mx2.relay.example'],
    mtaStsPort: 8443,
  })
  assert.equal(mx?.certificates[0]?.names[0], '*.relay.example')
  assert.match(mx?.certificates[0]?.certificateFile ?? '', /^\/.*\/tls\/mx\.crt$/)
  assert.deepEqual(mx?.proxyFrom, ['10.0.0.0/8', '192.0.2.7'])
  assert.deepEqual([mx?.lineEnds, mx?.earlyTalkerDelayMs, mx?.exemptFromLimits], ['normalise', 2000, ['2001:db8::/32']])
  assert.deepEqual(
    [mx?.limits.recipientsMax, mx?.limits.commandMsMax, mx?.limits.contentOctetsMax, mx?.limits.errorsMax],
    [200, 600_000, 25_000_000, DEFAULT_LIMITS.errorsMax],
    'of the listener, of the listener, of all, by default',
  )
  assert.equal(mx?.clientLimits.newPerMinutePerClientMax, 7)
  assert.equal(config.limits.sessionsMax, 100)
})

test('tenants, routes and domains arrive as the directory has them', () => {
  const config = sound(`
hostname: mx1.relay.example
tenants:
  bakery:
    postmaster: Postmaster@Bakery.example
    language: de
    routes:
      main:
        hosts: [mail.bakery.example:2525, {host: backup.bakery.example, preference: 20}]
        tls: verified
        connections-max: 3
        deliveries-per-connection-max: 7
        retry: {first: 1m, max: 2h}
        lifetime: 4d
        greeting-name: out.relay.example
        source-addresses: [{address: 192.0.2.7}, {address: 192.0.2.8, greeting-name: out8.relay.example}]
      store: {hosts: "[2001:db8::1]", protocol: lmtp}
    domains:
      Bäckerei.example: {route: main, recipients: {listed: [Anna, 0815, '"a b"', info@bäckerei.example]}, policy: strict}
      "*.bakery.example": {route: store, recipients: live, commit: spool, size-max: 1MB}
`)
  const [main, store] = config.routes
  assert.deepEqual(main?.hosts, [
    { name: 'mail.bakery.example', port: 2525, preference: 10 },
    { name: 'backup.bakery.example', port: 25, preference: 20 },
  ])
  assert.deepEqual(
    [main?.id, main?.tls, main?.connectionsMax, main?.deliveriesPerConnectionMax, main?.greetingName],
    ['bakery/main', 'verified', 3, 7, 'out.relay.example'],
  )
  assert.deepEqual([main?.retryFirstMs, main?.retryMaxMs, main?.lifetimeMs], [60_000, 7_200_000, 345_600_000])
  assert.deepEqual(main?.sources, [
    { address: '192.0.2.7' },
    { address: '192.0.2.8', greetingName: 'out8.relay.example' },
  ])
  assert.deepEqual(store?.hosts, [{ name: '2001:db8::1', port: 24, preference: 10 }], 'the port of LMTP')
  const [named, below] = config.domains
  assert.deepEqual([named?.name, named?.policyClass, named?.route], ['xn--bckerei-5wa.example', 'strict', main])
  assert.deepEqual(named?.recipients.kind === 'listed' && [...named.recipients.keys].toSorted(), [
    '0815@xn--bckerei-5wa.example',
    'a b@xn--bckerei-5wa.example',
    'anna@xn--bckerei-5wa.example',
    'info@xn--bckerei-5wa.example',
    'postmaster@xn--bckerei-5wa.example',
  ])
  assert.deepEqual([below?.name, below?.commit, below?.contentOctetsMax], ['*.bakery.example', 'spool', 1_000_000])
  assert.equal(named?.tenant.language, 'de')
})

test('policies of the virus wall: level on level; of mail that leaves nothing is stripped', () => {
  const config = sound(`
hostname: mx1.relay.example
virus: {policy: {encrypted: reject, macros: strip}}
tenants:
  bakery:
    routes: {main: {hosts: mail.bakery.example}}
    virus: {malware: strip}
    outbound: {route: main, from-networks: 192.0.2.7}
    domains:
      bakery.example: {route: main, virus: {encrypted: tag}, virus-by-recipient: [{recipients: [Jobs, hr*], macros: tag}]}
      cafe.example: {route: main}
`)
  const [bakery, cafe] = config.domains
  const said = (virus?: VirusPolicy) => virus && [virus.malware, virus.encrypted, virus.macros]
  assert.deepEqual(said(bakery?.virus), ['strip', 'tag', 'strip'])
  assert.deepEqual(said(cafe?.virus), ['strip', 'reject', 'strip'])
  assert.deepEqual(said(bakery?.virusByRecipient?.exact.get('jobs')), ['strip', 'tag', 'tag'])
  assert.deepEqual(said(bakery?.virusByRecipient?.beginnings.get('hr')), ['strip', 'tag', 'tag'])
  assert.deepEqual(said(config.tenants[0]?.outbound?.virus), ['reject', 'reject', 'reject'])
  assert.deepEqual(bakery?.virusByRecipient?.exact.get('jobs')?.from, {
    malware: 'tenants.bakery.virus',
    encrypted: 'tenants.bakery.domains."bakery.example".virus',
    macros: 'tenants.bakery.domains."bakery.example".virus-by-recipient.0',
  })
  assert.deepEqual(structuredClone(config), config, 'may be handed to a worker process')
})

test('all problems are told at once, in the order of the file, with place, value, what is allowed and a guess', () => {
  const text = `hostnam: mx1.relay.example
limits: {command-time-max: 5, recipients-max: 50}
spool:
listeners:
  name: mx
  addresses: [25, "0.0.0.0:25"]
  proxy-from: 10.1.2.3/8
  tls: startls
tenants:
  Bakery:
    postmaster: nobody
    routes: {main: {host: x.example}}
    domains: {bakery: {route: main}}
`
  assert.deepEqual(
    problems(text).map((problem) => problem.replaceAll('\n    ', ' | ')),
    [
      'v.yaml:1:1: error: hostnam: "hostnam" is not a setting | allowed: hostname, data-folder, workers, log, http, callout-sender, name-servers, destinations, listeners, limits, notices, dsn, spool, dkim, authentication, virus, spam, tls-reports, feedback, holds, quarantine, tenants | did you mean hostname?',
      'v.yaml:1:1: error: hostname: is missing | allowed: a host name such as mx1.relay.example',
      'v.yaml:2:28: error: limits.command-time-max: "5" is not allowed here | allowed: a duration such as 250ms, 30s, 5m, 4h or 5d, from 1s to 1h | the unit is missing, as in 30s or 5m',
      'v.yaml:2:47: error: limits.recipients-max: "50" is not allowed here | allowed: a whole number from 100 to 50000',
      'v.yaml:3:1: error: spool: has no value | allowed: a mapping (key: value)',
      'v.yaml:6:15: error: listeners.0.addresses.0: "25" is not allowed here | allowed: an address with its port, such as 0.0.0.0:25 or "[::]:25" | a port alone is not enough: write 0.0.0.0:25 and "[::]:25"',
      'v.yaml:7:15: error: listeners.0.proxy-from.0: "10.1.2.3/8" is not allowed here | allowed: a network such as 10.0.0.0/8 or 2001:db8::/32, or one address | did you mean 10.0.0.0/8?',
      'v.yaml:8:8: error: listeners.0.tls: "startls" is not allowed here | allowed: none, starttls, implicit | did you mean starttls?',
      'v.yaml:10:3: error: tenants.Bakery: "Bakery" is not a name | allowed: a name of a-z, 0-9 and -, up to 63 characters',
      'v.yaml:11:17: error: tenants.Bakery.postmaster: "nobody" is not allowed here | allowed: an address such as postmaster@bakery.example | there is no @',
      'v.yaml:12:21: error: tenants.Bakery.routes.main.host: "host" is not a setting | allowed: hosts, use-mx, mx-port, protocol, tls, implicit-tls, tls-by-domain, ca-file, login, connections-max, rate-max, probe-interval, deliveries-per-connection-max, retry, lifetime, greeting-name, source-addresses | did you mean hosts?',
      'v.yaml:13:15: error: tenants.Bakery.domains.bakery: "bakery" is not a domain | allowed: a domain such as bakery.example, or "*.bakery.example" for all its subdomains',
    ],
  )
})

test('a file that is not YAML, not a mapping, empty or too large is one problem', () => {
  assert.match(problems('a: [').join('\n'), /^v\.yaml:\d+:\d+: error: this is not YAML/)
  assert.match(problems('').join('\n'), /^v\.yaml:1:1: error: the file has no value/)
  assert.match(problems('- a').join('\n'), /^v\.yaml:1:1: error: the file is not a mapping/)
  assert.match(problems(`#${'x'.repeat(64 * 2 ** 20)}`).join('\n'), /larger than 64 MiB/)
})

test('a file that is wrong in one way very often does not print for ever', () => {
  const result = parseConfig(`${SMALLEST}${Array.from({ length: 1500 }, (_, i) => `x${i}: 1\n`).join('')}`, 'v.yaml')
  assert.ok(!result.ok)
  assert.equal(result.problems.length, 1001)
  // The tenant has no postmaster: one more, a warning.
  assert.equal(result.problems.at(-1)?.message, 'and 502 more problems')
})

test('ten thousand domains are read and every one is there', () => {
  const tenants = Array.from({ length: 1000 }, (_, i) => {
    const domains = Array.from({ length: 10 }, (_, j) => `d${j}.t${i}.example: {route: main}`)
    return `  t${i}: {routes: {main: {hosts: mail.t${i}.example}}, domains: {${domains.join(', ')}}}\n`
  })
  const config = sound(`hostname: mx1.relay.example\ntenants:\n${tenants.join('')}`)
  assert.equal(config.domains.length, 10_000)
  assert.equal(config.routes.length, 1000)
  assert.deepEqual(structuredClone(config), config, 'may be handed to a worker process')
})
