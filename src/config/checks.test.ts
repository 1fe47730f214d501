import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

/** Listeners on fixed addresses, so that no warning comes that is not asked for. */
function everyProblem(tenants: string, head = 'listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}'): string[] {
  const result = parseConfig(`hostname: mx1.relay.example\n${head}\ntenants:\n${tenants}`, 'v', {
    machine: ['203.0.113.7', '2001:DB8::7'],
  })
  return (result.ok ? result.warnings : result.problems).map(problemLine)
}

/** Without what each tenant here has that names no postmaster. */
const problems = (...text: [tenants: string, head?: string]): string[] =>
  everyProblem(...text).filter((line) => !line.includes('has no postmaster'))

/** One tenant with one domain that is delivered to these hosts. */
const to = (hosts: string): string => `  bakery: {domains: {bakery.example: {deliver-to: ${hosts}}}}\n`
const every = (port: number): string => `listeners: {name: mx, addresses: "0.0.0.0:${port}", tls: none}`

test('a domain that two tenants claim is an error that names both places', () => {
  const text = `  bakery: {domains: {bücher.example: {deliver-to: a.example}}}
  school: {domains: {XN--bcher-kva.example: {deliver-to: b.example}}}\n`
  assert.deepEqual(problems(text), [
    'v:5:22: error: tenants.school.domains."XN--bcher-kva.example": xn--bcher-kva.example already belongs to bakery; the first one: v:4:22',
  ])
  const twice = `  bakery: {domains: {Bakery.example: {deliver-to: a.example}, bakery.example: {deliver-to: a.example}}}\n`
  assert.match(problems(twice).join(), /v:4:63: error: .* bakery\.example is declared twice; the first one: v:4:22/)
})

test('a domain inside the wildcard of another tenant is a warning, inside one’s own is none', () => {
  const wildcard = `  hoster: {domains: {"*.hoster.example": {deliver-to: a.example}, own.hoster.example: {deliver-to: a.example}}}\n`
  assert.deepEqual(problems(wildcard), [])
  const other = `${wildcard}  shop: {domains: {deep.shop.hoster.example: {deliver-to: b.example}}}\n`
  assert.match(problems(other).join(), /warning: .* is taken out of the wildcard of hoster; the first one: v:4:22/)
})

test('a route with use-mx is for mail that leaves, and has no hosts beside', () => {
  const outbound = 'outbound: {from-networks: 10.0.0.0/8, route: out}'
  const tenant = (route: string, more = outbound) =>
    `  bakery: {routes: {out: ${route}, main: {hosts: a.example}}, domains: {bakery.example: {route: main}}, ${more}}\n`
  const door =
    'listeners: [{name: mx, addresses: 192.0.2.1:25, tls: none}, {name: out, addresses: 192.0.2.1:26, tls: none, service: outbound}]'
  const told = (text: string) => problems(text, door).join('\n')
  assert.equal(told(tenant('{use-mx: true}')), '')
  assert.match(told(tenant('{use-mx: true, hosts: b.example}')), /use-mx: stands beside hosts; remove one of them/)
  assert.match(
    told(tenant('{tls: never}')),
    /routes\.out: does not say where its mail goes; allowed: hosts, or use-mx: true/,
  )
  assert.match(told(tenant('{use-mx: true, protocol: lmtp}')), /do not speak LMTP/)
  const served = `  bakery: {routes: {out: {use-mx: true}}, domains: {bakery.example: {route: out}}, ${outbound}}\n`
  assert.match(
    told(served),
    /domains\."bakery\.example"\.route: out finds hosts by MX, and the MX of a domain that we serve/,
  )
  const ways = (more: string) => tenant('{use-mx: true}', outbound.replace('}', `, ${more}}`))
  assert.equal(told(ways('domain-routes: {Partner.example: main}, null-path-route: main')), '')
  assert.match(told(ways('domain-routes: {partner.example: mian}')), /bakery has no route "?mian"?.*did you mean main/)
  assert.match(told(ways('null-path-route: mian')), /null-path-route: bakery has no route/)
  assert.match(told(ways('domain-routes: {partner: main}')), /"?partner"? is not a domain/)
  assert.equal(told(ways('domain-routes: {"*.partner.example": main, .example: main, partner.example: main}')), '')
  const twice = told(ways('domain-routes: {"*.Partner.example": main, .partner.example: main}'))
  assert.match(twice, /\*\.partner\.example is declared twice; the first one/)
  for (const none of ['"*"', '"."', '"*.*.example"', '"a*.example"', '"*partner.example"', '"*..example"']) {
    assert.match(told(ways(`domain-routes: {${none}: main}`)), /is not a domain/, none)
  }
})

test('source addresses should be of this machine', () => {
  const route = (addresses: string) =>
    `  bakery: {routes: {main: {hosts: a.example, source-addresses: ${addresses}}}, domains: {bakery.example: {route: main}}}\n`
  assert.deepEqual(
    problems(route('[{address: 203.0.113.7}, {address: "2001:db8::7", greeting-name: six.example}]')),
    [],
  )
  assert.match(
    problems(route('{address: 203.0.113.8}')).join(),
    /warning: .*source-addresses\.0: 203\.0\.113\.8 is no address of this machine/,
  )
})

test('a domain says where its mail goes, once', () => {
  const domain = (settings: string): string =>
    `  bakery: {routes: {main: {hosts: a.example}}, domains: {one.example: {route: main}, bakery.example: ${settings}}}\n`
  assert.deepEqual(problems(domain('{route: main}')), [])
  assert.match(
    problems(domain('{commit: spool}')).join(),
    /error: .* does not say where its mail goes; allowed: route:/,
  )
  assert.match(problems(domain('{route: main, deliver-to: b.example}')).join(), /error: .* stands beside a route/)
  assert.match(
    problems(domain('{route: mian}')).join(),
    /error: .* bakery has no route "mian"; allowed: main; did you mean main\?/,
  )
})

test('names of tenants and routes are parts of ids, so few characters are allowed', () => {
  const text = `  bake/ry: {routes: {Main: {hosts: a.example}}, domains: {bakery.example: {route: Main}}}\n`
  assert.deepEqual(problems(text), [
    'v:4:3: error: tenants.bake/ry: "bake/ry" is not a name; allowed: a name of a-z, 0-9 and -, up to 63 characters',
    'v:4:22: error: tenants.bake/ry.routes.Main: "Main" is not a name; allowed: a name of a-z, 0-9 and -, up to 63 characters',
    'v:4:83: error: tenants.bake/ry.domains."bakery.example".route: "Main" is not allowed here; allowed: a name of a-z, 0-9 and -, up to 63 characters',
  ])
})

test('a route of another tenant cannot be used, one that nobody uses is a warning', () => {
  const text = `  bakery: {routes: {main: {hosts: a.example}}}
  school: {domains: {school.example: {route: main}}}\n`
  assert.deepEqual(problems(text), [
    'v:4:21: warning: tenants.bakery.routes.main: nothing uses this route',
    'v:5:46: error: tenants.school.domains."school.example".route: school has no route "main"; allowed: a name under tenants.school.routes',
  ])
})

test('a next hop that is the relay itself is an error', () => {
  const loop = /error: .* is this relay itself: mail would go round in a loop/
  assert.match(problems(to('192.0.2.1')).join(), loop, 'the address of a listener')
  assert.match(problems(to('[good.example, {host: "192.0.2.1:25"}]')).join(), /deliver-to\.1: 192\.0\.2\.1:25 is this/)
  assert.match(problems(to('mx1.relay.example')).join(), loop, 'the name of the relay')
  assert.match(problems(to('127.0.0.1'), every(25)).join(), loop, 'loopback, where every address is listened to')
  assert.match(problems(to('localhost'), every(25)).join(), loop)
  assert.match(problems(to('203.0.113.7'), every(25)).join(), loop, 'an address of this machine')
  assert.match(problems(to('"2001:db8:0::7"'), every(25)).join(), loop, 'in whatever spelling')
  const route = '  bakery: {routes: {main: {hosts: 192.0.2.1}}, domains: {bakery.example: {route: main}}}\n'
  assert.match(problems(route).join(), loop)
})

test('another port or another machine is no loop', () => {
  assert.deepEqual(problems(to('192.0.2.1:2525')), [])
  assert.deepEqual(problems(to('192.0.2.2')), [])
  assert.deepEqual(problems(to('127.0.0.1')), [])
  assert.deepEqual(problems(to('203.0.113.8'), every(25)), [])
  assert.deepEqual(problems(to('localhost:2526'), every(2525)), [])
})

test('LMTP on port 25 is an error, elsewhere not', () => {
  const route = (host: string): string =>
    `  bakery: {routes: {main: {protocol: lmtp, hosts: ${host}}}, domains: {bakery.example: {route: main}}}\n`
  assert.match(problems(route('"a.example:25"')).join(), /error: .*LMTP must not be spoken on port 25 \(RFC 2033 §5\)/)
  assert.deepEqual(problems(route('a.example')), [])
  assert.deepEqual(problems(route('"a.example:2525"')), [])
})

test('recipients must be addresses of their domain; accept-all is a warning that names R1', () => {
  const domain = (name: string, recipients: string): string =>
    `  bakery: {domains: {${name}: {deliver-to: a.example, recipients: ${recipients}}}}\n`
  assert.match(problems(domain('bakery.example', 'accept-all')).join(), /warning: .*\(R1\)$/)
  assert.match(problems(domain('bakery.example', '{listed: []}')).join(), /warning: .* only postmaster exists/)
  const wrong = problems(domain('bakery.example', '{listed: [anna, a@other.example, "b c", .x]}'))
  assert.deepEqual(
    wrong.map((problem) => problem.slice(problem.indexOf('listed'))),
    [
      'listed.1: "a@other.example" is not an address of bakery.example',
      'listed.2: "b c" is not a local part or an address: there is no @',
      'listed.3: ".x" is not a local part or an address: what precedes the @ is empty or has a dot at its end, two in a row, or a character that needs quotes',
    ],
  )
  assert.deepEqual(problems(domain('"*.bakery.example"', '{listed: [a@shop.bakery.example]}')), [])
  assert.match(
    problems(domain('"*.bakery.example"', '{listed: [anna]}')).join(),
    /error: .*"anna" needs its domain, since \*\.bakery\.example is many/,
  )
})

test('a domain takes no more than the relay', () => {
  const domain = '  bakery: {domains: {bakery.example: {deliver-to: a.example, size-max: 60MiB}}}\n'
  assert.match(problems(domain).join(), /error: .*size-max: is more .* allowed: at most .* which is 50MiB/)
})

test('retry.first may not be longer than retry.max', () => {
  const route = '  bakery: {routes: {m: {hosts: a.example, retry: {first: 2h}}}, domains: {b.example: {route: m}}}\n'
  assert.match(problems(route).join(), /error: tenants\.bakery\.routes\.m\.retry\.first: is longer than retry\.max/)
})

test('two listeners share neither name nor address, and none shares that of HTTP', () => {
  const listeners = (second: string, http = ''): string =>
    `listeners: [{name: a, addresses: "192.0.2.1:25", tls: none}, ${second}]${http}`
  const found = (head: string) => problems(to('mail.bakery.example'), head).join()
  const same = found(listeners('{name: a, addresses: "192.0.2.1:25", tls: none}'))
  assert.match(same, /error: listeners\.1\.name: two listeners are called a; the first one: v:2:/)
  assert.match(same, /error: listeners\.1\.addresses\.0: 192\.0\.2\.1:25 is used twice; the first one: v:2:/)
  const http = found(listeners('{name: b, addresses: "192.0.2.2:25", tls: none}', '\nhttp: {address: 192.0.2.2:25}'))
  assert.match(http, /error: http\.address: 192\.0\.2\.2:25 is used twice/)
  const zero = '{name: b, addresses: ["127.0.0.1:0", "127.0.0.1:0"], tls: none}'
  assert.equal(found(listeners(zero)), '')
})

test('listeners whose settings contradict each other, or an RFC, are told', () => {
  const found = (listener: string) => problems(to('mail.bakery.example'), `listeners: {name: mx, ${listener}}`).join()
  assert.match(found('addresses: "192.0.2.1:25"'), /warning: .* a self-signed one will be made/)
  const pair = 'certificates: {certificate: a, key: b}'
  assert.match(found(`addresses: "192.0.2.1:25", tls: none, ${pair}`), /error: .* are of no use where tls is none/)
  assert.match(found(`addresses: "192.0.2.1:25", tls: implicit, ${pair}`), /warning: .* will not get through/)
  const short = 'addresses: "192.0.2.1:25", tls: none, limits: {command-time-max: 1m}'
  assert.match(found(short), /warning: listeners\.0\.limits\.command-time-max: RFC 5321 §4\.5\.3\.2\.7/)
  const hops = 'listeners: {name: mx, addresses: "192.0.2.1:25", tls: none}\nlimits: {hops-max: 30}'
  assert.match(problems(to('mail.bakery.example'), hops).join(), /warning: limits\.hops-max: RFC 5321 §6\.3/)
})

test('a file without domains is a warning', () => {
  assert.match(problems('  bakery: {}\n').join(), /warning: tenants: no domain is declared/)
})

const OUT =
  'listeners: [{name: mx, addresses: 192.0.2.1:25, tls: none}, {name: out, addresses: 192.0.2.1:26, tls: none, service: outbound}]'
const sender = (tenant: string, outbound: string, more = ''): string =>
  `  ${tenant}: {routes: {main: {hosts: a.example}}, domains: {${tenant}.example: {route: main}}, outbound: {route: main, from-networks: ${outbound}}${more}}\n`

test('networks of two tenants do not overlap, and none is the whole world', () => {
  assert.deepEqual(
    problems(sender('bakery', '10.1.0.0/16') + sender('smith', '[10.2.0.0/16, "2001:db8::/32"]'), OUT),
    [],
  )
  assert.deepEqual(problems(sender('bakery', '[10.0.0.0/8, 10.1.0.0/16]'), OUT), [])
  const overlap = problems(sender('bakery', '10.1.2.0/24') + sender('smith', '10.0.0.0/8'), OUT)
  assert.match(
    overlap.join(),
    /error: tenants\.bakery\.outbound\.from-networks\S* 10\.1\.2\.0\/24 already belongs to smith \(10\.0\.0\.0\/8\)/,
  )
  assert.match(
    problems(sender('bakery', '192.0.2.7') + sender('smith', '192.0.2.7'), OUT).join(),
    /already belongs to bakery/,
  )
  for (const wide of ['0.0.0.0/0', '0.0.0.0/7', '"::/0"']) {
    assert.match(problems(sender('bakery', wide), OUT).join(), /error: .* would open the relay to strangers/)
  }
})

test('a way out has a door, and a door somebody to use it', () => {
  assert.match(
    problems(sender('bakery', '10.0.0.0/8')).join(),
    /warning: tenants\.bakery\.outbound: no listener takes this mail/,
  )
  const none = '  bakery: {domains: {bakery.example: {deliver-to: a.example}}}\n'
  assert.match(problems(none, OUT).join(), /warning: listeners\S* no tenant has outbound settings/)
})

test('the route out exists and speaks SMTP; a route that only leads out is in use', () => {
  const routes = (route: string, protocol = 'smtp'): string =>
    `  bakery: {routes: {out: {hosts: "a.example:2424", protocol: ${protocol}}}, domains: {bakery.example: {deliver-to: b.example}}, outbound: {route: ${route}, from-networks: 10.0.0.0/8}}\n`
  assert.deepEqual(problems(routes('out'), OUT), [])
  assert.match(
    problems(routes('uot'), OUT).join(),
    /error: tenants\.bakery\.outbound\.route: bakery has no route "uot"; .*did you mean out\?/,
  )
  assert.match(problems(routes('out', 'lmtp'), OUT).join(), /error: .*out speaks LMTP/)
})

test('bounce protection has its key, its day, and mail that leaves through us', () => {
  const protect = (settings: string): string[] =>
    problems(sender('bakery', '10.0.0.0/8', `, bounce-protection: ${settings}`), OUT)
  const key = '{secret: sixteen octets or more}'
  assert.deepEqual(protect(`{kind: batv, since: 2026-11-24, keys: {3: ${key}}}`), [])
  assert.deepEqual(protect(`{kind: batv, since: 2026-11-24, signing-key: 4, keys: {3: ${key}, 4: ${key}}}`), [])
  assert.deepEqual(protect('{kind: sent-record, since: 2026-11-24}'), [])
  assert.match(protect('{kind: batv, since: 2026-11-24}').join(), /error: .* has no key to sign with/)
  assert.match(
    protect(`{kind: batv, since: 2026-11-24, keys: {3: ${key}, 4: ${key}}}`).join(),
    /error: .* does not say which key signs/,
  )
  assert.match(
    protect(`{kind: batv, since: 2026-11-24, signing-key: 5, keys: {3: ${key}}}`).join(),
    /error: .* there is no key 5; allowed: 3/,
  )
  assert.match(
    protect(`{kind: sent-record, since: 2026-11-24, keys: {3: ${key}}}`).join(),
    /error: .* are of no use for a record/,
  )
  assert.match(protect('{kind: sent-record, since: 2026-02-30}').join(), /error: .* allowed: a day such as 2026-11-24/)
  assert.match(protect('{kind: sent-record}').join(), /error: .*since: is missing/)
  const alone =
    '  bakery: {domains: {bakery.example: {deliver-to: a.example}}, bounce-protection: {kind: sent-record, since: 2026-11-24}}\n'
  assert.match(problems(alone).join(), /error: .*bounce-protection: its mail does not leave through us/)
})

test('a postmaster who cannot be told anything is a warning; a route for notices must be declared', () => {
  const tenant = (postmaster: string): string =>
    `  bakery: {postmaster: ${postmaster}, domains: {bakery.example: {deliver-to: a.example}, "*.shop.example": {deliver-to: a.example}}}\n`
  assert.deepEqual(problems(tenant('chef@bakery.example')), [])
  assert.deepEqual(problems(tenant('chef@one.shop.example')), [])
  assert.match(problems(tenant('chef@elsewhere.example')).join(), /warning: .*postmaster: cannot be told anything/)
  const head = 'listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}\nnotices: {route: '
  assert.deepEqual(problems(tenant('chef@elsewhere.example'), `${head}bakery/bakery.example}`), [])
  assert.match(
    problems(tenant('chef@bakery.example'), `${head}bakery/out}`).join(),
    /error: notices\.route: there is no/,
  )
})

test('a tenant with mail and without a postmaster is a warning, at the tenant', () => {
  assert.deepEqual(everyProblem(to('mail.bakery.example')), [
    'v:4:3: warning: tenants.bakery: bakery has no postmaster: nobody is told of its held mail, or that its server is down; postmaster: the address of a person who can decide',
  ])
  const out = '  bakery: {routes: {out: {hosts: a.example}}, outbound: {route: out, from-networks: 192.0.2.9}}\n'
  assert.match(everyProblem(out).join(), /warning: tenants\.bakery: bakery has no postmaster/)
  const nothing = everyProblem('  bakery: {}\n').join()
  assert.doesNotMatch(nothing, /postmaster/)
  const faulty = everyProblem('  bakery: {postmaster: nobody, domains: {bakery.example: {deliver-to: a.example}}}\n')
  assert.deepEqual(faulty.length, 1)
  assert.match(faulty[0] ?? '', /error: tenants\.bakery\.postmaster: "nobody" is not allowed/)
})

test('held mail that is gone before the next digest is a warning, where it can be changed', () => {
  const tenant = (name: string, more: string): string =>
    `  ${name}: {postmaster: chef@${name}.example, ${more}domains: {${name}.example: {deliver-to: a.example}}}\n`
  const head = (more: string): string => `listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}\n${more}`
  assert.deepEqual(problems(tenant('bakery', 'holds: {keep: 1d}, ')), [
    'v:4:59: warning: tenants.bakery.holds.keep: held mail is dropped after 1d, and the next digest may be 1d away: it is gone before anybody hears of it; keep it for longer than that, or let digests be hourly',
  ])
  assert.deepEqual(problems(tenant('bakery', 'holds: {keep: 25h}, ')), [])
  assert.deepEqual(problems(tenant('bakery', 'holds: {keep: 1s}, digest: off, ')), [])
  assert.deepEqual(problems('  bakery: {holds: {keep: 1s}, domains: {bakery.example: {deliver-to: a.example}}}\n'), [])
  const hourly = head('holds: {keep: 2h}\nnotices: {digest: hourly}')
  assert.deepEqual(problems(tenant('bakery', ''), hourly), [])
  assert.match(
    problems(tenant('bakery', 'digest: daily, '), hourly).join(),
    /warning: tenants\.bakery\.digest: .* 1d away/,
  )
  const collecting = head('holds: {keep: 2h}\nnotices: {digest: hourly, collect-time: 3h}')
  const both = problems(tenant('bakery', '') + tenant('school', ''), collecting)
  assert.equal(both.length, 1, 'what all share is told once')
  assert.match(
    both[0] ?? '',
    /^v:3:15: warning: holds\.keep: .* after 2h, .* 3h away: .*; keep it for longer than that$/,
  )
})

test('the sender of callouts has a domain that is served here, or somebody else must throw its mail away', () => {
  const head = (sender: string) =>
    `listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}\ncallout-sender: ${sender}`
  const tenants =
    '  bakery: {domains: {bakery.example: {deliver-to: a.example}, "*.shop.example": {deliver-to: a.example}}}\n'
  assert.deepEqual(problems(tenants, head('probe@bakery.example')), [])
  assert.deepEqual(problems(tenants, head('probe@x.shop.example')), [])
  assert.match(
    problems(tenants, head('probe@elsewhere.example')).join(),
    /^v:3:17: warning: callout-sender: its domain is not served here.*throws it away$/,
  )
})

test('a sender domain is served by nobody here', () => {
  const head = 'listeners: {name: out, addresses: 192.0.2.1:25, tls: none, service: outbound}\n'
  const bakery = (domains: string) =>
    `  bakery: {routes: {out: {hosts: a.example}}, domains: {bakery.example: {route: out}}, outbound: {from-networks: 10.0.0.1, route: out, sender-domains: ${domains}}}\n`
  const smith =
    '  smith: {domains: {smith.example: {deliver-to: a.example}, "*.smith.example": {deliver-to: a.example}}}\n'
  assert.deepEqual(problems(bakery('[shop.example, x.bakery.example]') + smith, head), [])
  for (const [domains, expected] of [
    ['bakery.example', /error: .*sender-domains.*: bakery\.example is a domain of bakery already/],
    ['[shop.example, Smith.example]', /error: .*: smith\.example is served here, for smith/],
    ['a.b.smith.example', /error: .*: a\.b\.smith\.example is served here, for smith/],
    ['[shop.example, shop.example]', /warning: .*: shop\.example stands here twice/],
    ['"*.shop.example"', /error: .*sender-domains/],
  ] as const)
    assert.match(problems(bakery(domains) + smith, head).join(), expected, domains)
})

test('TLS from the first octet: where nothing else is allowed, and on the ports that speak it', () => {
  const route = (text: string) => `  bakery: {routes: {out: {${text}}}, domains: {bakery.example: {route: out}}}\n`
  assert.deepEqual(problems(route('hosts: a.example:465, tls: verified, implicit-tls: true')), [])
  assert.deepEqual(problems(route('hosts: a.example, tls: required, implicit-tls: true')), [])
  for (const [text, expected] of [
    ['hosts: a.example, implicit-tls: true', /error: .*implicit-tls: .*tls: opportunistic does not/],
    ['use-mx: true, tls: verified, implicit-tls: true', /error: .*implicit-tls: is not what mail servers/],
    ['hosts: a.example:587, tls: verified, implicit-tls: true', /warning: .*hosts.*: a\.example:587: .*want STARTTLS/],
    ['hosts: a.example:465, tls: verified', /warning: .*hosts.*: a\.example:465: servers begin with TLS there/],
    ['hosts: 192.0.2.1, tls: verified, implicit-tls: true', /^$/],
    ['hosts: "192.0.2.1:465", tls: verified, implicit-tls: true', /^$/],
  ] as const)
    assert.match(
      problems(route(text), 'listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}').join(),
      expected,
      text,
    )
  const own = 'listeners: {name: mx, addresses: 192.0.2.1:465, tls: none}'
  assert.match(problems(route('hosts: 192.0.2.1, tls: verified, implicit-tls: true'), own).join(), /this relay itself/)
})
