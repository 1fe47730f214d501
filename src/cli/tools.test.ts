/** The tools' small parts: what a selection is, what a story reads like, what a simulation says, what a request may be. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Command } from 'commander'
import type { Config } from '#config/config.ts'
import { parseConfig } from '#config/parse.ts'
import { content } from '#mail/content.ts'
import type { QueueRow } from '#queue/operations.ts'
import { oneOfEach } from '#report/testing.ts'
import { traceRecord } from '#report/trace-record.ts'
import type { ListReader } from '#store/recipient-lists.ts'
import { answerControl } from './control.ts'
import { UserError } from './exit.ts'
import { rough } from './queue.ts'
import { choosesNothing, selectionOf, withSelection } from './selection-options.ts'
import type { Running } from './serve.ts'
import { simulate } from './simulate.ts'
import { story } from './trace.ts'

describe('a selection on the command line', () => {
  const read = (...args: string[]) => {
    const command = withSelection(new Command())
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
    return selectionOf([], command.parse(args, { from: 'user' }).opts())
  }
  it('has what was said, and nothing else', () => {
    assert.deepEqual(read(), {})
    assert.deepEqual(read('--tenant', 'bakery', '--older-than', '4h'), { tenant: 'bakery', olderThanMs: 4 * 3_600_000 })
    assert.deepEqual(read('--sender', '<>', '--recipient', 'bob', '--route', 't/m'), {
      route: 't/m',
      sender: '<>',
      recipient: 'bob',
    })
    assert.throws(() => read('--older-than', 'yesterday'), /Write 30s/)
  })

  it('that chooses nothing is seen', () => {
    assert.ok(choosesNothing(selectionOf([], {})))
    assert.ok(!choosesNothing(selectionOf(['1M867WJPS00D6TA'], {})))
    assert.ok(!choosesNothing(selectionOf([], { state: 'held' })))
  })
})

it('an age is one number and one unit', () => {
  const ages: [number, string][] = [
    [0, '1s'],
    [1499, '1s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [3 * 3_600_000, '3h'],
    [47 * 3_600_000, '47h'],
    [4 * 86_400_000, '4d'],
  ]
  for (const [ms, text] of ages) assert.equal(rough(ms), text)
})

describe('a story', () => {
  const tell = (text?: string) =>
    Object.values(oneOfEach(text)).flatMap((event) => {
      const record = traceRecord(event, '2027-01-15T08:00:00.000Z')
      return record ? [story(JSON.parse(JSON.stringify(record)))] : []
    })
  it('says where the message is', () => {
    const all = tell().join('\n')
    for (const part of ['accepted from 192.0.2.1', 'kept here, on disk', 'refused at RCPT: 550 5.1.1', 'held <joe@']) {
      assert.ok(all.includes(part), part)
    }
    assert.match(all, /sent <bob@bakery\.test>: 250 plain/)
    assert.match(all, /released by operator/)
    assert.match(all, /settled/)
    assert.doesNotMatch(all, /undefined|\[object/)
  })

  it('lets nobody begin a line or move the cursor', () => {
    const lines = (text: string) => tell(text).join('\n').split('\n')
    assert.equal(lines('x\n2027 accepted \x1b[2J\u009b').length, lines('plain').length)
    assert.ok(lines('x\x1b[2J\u009b').every((line) => !/[\x00-\x1f\x7f-\x9f]/.test(line)))
  })
})

const CONFIG = `hostname: mx1.relay.example
tenants:
  bakery:
    domains:
      bakery.example: {deliver-to: mail.bakery.example}
      kept.example: {deliver-to: mail.bakery.example, commit: spool, recipients: {listed: [anna]}}
`

const MORE = `hostname: mx1.relay.example
listeners:
  - {name: mx, addresses: 192.0.2.25:25}
  - {name: out, addresses: 192.0.2.25:587, service: outbound}
tenants:
  bakery:
    routes: {main: {hosts: mail.bakery.example}, smarthost: {hosts: out.provider.example}}
    outbound: {route: smarthost, from-networks: 198.51.100.0/24, ndrs: hold}
    domains:
      second.example: {route: main, service: fallback-mx, recipients: {listed: [anna]}}
      live.example: {route: main, service: fallback-mx, recipients: live}
      imported.example: {deliver-to: mail.bakery.example, recipients: {list: imported}}
`

describe('a simulation', () => {
  const config = (): Config => {
    const parsed = parseConfig(CONFIG, 'v.yaml')
    assert.ok(parsed.ok)
    return parsed.config
  }
  const run = async (to: string[], assume: 'known' | 'unknown' | 'unreachable' = 'known', text?: string) => {
    const options = { from: '', to, client: '192.0.2.1', helo: 'x.example', assume, primary: 'down' } as const
    const steps = await simulate(config(), options, text === undefined ? undefined : content([Buffer.from(text)]))
    return steps.map(({ verdict, text }) => `${verdict} ${text}`)
  }
  it('says which policy of the virus wall holds, and which level says so', async () => {
    const domain = 'bakery.example: {deliver-to: a.example, virus-by-recipient: [{recipients: jobs, macros: reject}]}'
    const text = `hostname: mx1.relay.example\nvirus: {embedded: true}\ntenants: {bakery: {virus: {encrypted: reject}, domains: {${domain}}}}\n`
    const parsed = parseConfig(text, 'v.yaml')
    assert.ok(parsed.ok)
    const options = { from: '', client: '192.0.2.1', helo: 'x.example', assume: 'known', primary: 'down' } as const
    const wall = async (...to: string[]) =>
      (await simulate(parsed.config, { ...options, to })).map(({ step, text }) => `${step}: ${text}`).slice(1, -1)
    const encrypted = 'encrypted: reject, by tenants.bakery.virus'
    const macros = 'macros: reject, by tenants.bakery.domains."bakery.example".virus-by-recipient.0'
    assert.deepEqual(await wall('anna@bakery.example'), [
      `virus wall: looked at by embedded; ${encrypted}; the rest by default`,
    ])
    assert.deepEqual(await wall('Jobs@bakery.example', 'anna@bakery.example'), [
      'RCPT TO:<anna@bakery.example>: 452 4.5.3 Please send to this recipient in another transaction',
      `virus wall: looked at by embedded; ${encrypted}; ${macros}; the rest by default`,
    ])
  })

  it('walks the path to the commit', async () => {
    const [rcpt, message, commit] = await run(['bob@bakery.example'], 'known', 'Subject: hello\r\n\r\nhello\r\n')
    assert.match(rcpt ?? '', /^accept 250/)
    assert.match(message ?? '', /^accept 25 octets; \d+ of trace fields/)
    assert.match(commit ?? '', /^info delivered to mail\.bakery\.example:25 in the session/)
    assert.match((await run(['anna@kept.example']))[1] ?? '', /^info kept on disk, then 250/)
  })

  it('says what the sender would hear', async () => {
    assert.match((await run(['bob@bakery.example'], 'unknown'))[0] ?? '', /^reject 550 5\.1\.1/)
    assert.match((await run(['bob@bakery.example'], 'unreachable'))[0] ?? '', /^defer 450 4\.1\.1/)
    assert.match((await run(['bob@other.example']))[0] ?? '', /^reject 550 5\.7\.1/)
    const refused = await run(['bob@kept.example'])
    assert.match(refused[0] ?? '', /^reject 550 5\.1\.1/)
    assert.equal(refused.length, 1)
    assert.match((await run(['bob@bakery.example', 'anna@kept.example']))[1] ?? '', /^defer 452 4\.5\.3/)
    const loop = await run(['bob@bakery.example'], 'known', 'Received: x\r\n'.repeat(200))
    assert.match(loop[1] ?? '', /^reject 554 5\.4\.6/)
    assert.equal(loop.length, 2)
  })

  const more = async (to: string, given: Partial<Parameters<typeof simulate>[1]>, text?: string, listed?: boolean) => {
    const parsed = parseConfig(MORE, 'v.yaml')
    assert.ok(parsed.ok)
    const options = { from: 'a@x.example', to: [to], client: '192.0.2.1', helo: 'x.example', assume: 'known' } as const
    const has = () => ({ listed, tenant: 'bakery', source: 'imported', loadedAtMs: 1 })
    const lists = listed === undefined ? undefined : ({ has } as unknown as ListReader)
    const message = text === undefined ? undefined : content([Buffer.from(text)])
    const steps = await simulate(parsed.config, { ...options, primary: 'down', ...given }, message, lists && { lists })
    return steps.map(({ step, verdict, text }) => `${verdict} ${step}: ${text}`)
  }

  it('of a fallback says whether its primary is assumed to be up, and what then', async () => {
    const down = await more('anna@second.example', {})
    assert.match(down[0] ?? '', /^info primary of bakery\/main: assumed to be down; the other case is --primary up/)
    assert.match(down[1] ?? '', /^accept RCPT TO:<anna@second\.example>: 250/)
    assert.match(down[2] ?? '', /^info commit for bakery: kept on disk/)
    const up = await more('anna@second.example', { primary: 'up' })
    assert.match(up[0] ?? '', /assumed to be up/)
    assert.match(up[1] ?? '', /^defer RCPT .*451 4\.3\.2 The primary MX/)
    assert.equal(up.length, 2)
    assert.match((await more('anna@live.example', {}))[1] ?? '', /^defer RCPT .*450 4\.1\.1/, 'it cannot be asked')
  })

  it('knows the lists of the store', async () => {
    assert.match((await more('anna@imported.example', {}, undefined, true))[0] ?? '', /^accept/)
    assert.match((await more('anna@imported.example', {}, undefined, false))[0] ?? '', /^reject .*550 5\.1\.1/)
    assert.match((await more('anna@imported.example', {}))[0] ?? '', /^defer .*450 4\.1\.1/)
  })

  it('takes outgoing mail at its listener, from the networks of tenants, and says what governs it', async () => {
    const at = { listener: 'out', client: '198.51.100.9', from: 'anna@second.example' }
    const out = await more('b@elsewhere.example', at, 'Subject: x\r\n\r\nx\r\n')
    assert.match(out[0] ?? '', /^accept RCPT TO:<b@elsewhere\.example>: 250: bakery may send to anyone/)
    assert.match(out[2] ?? '', /^info what leaves: ordinary mail: it goes out$/)
    assert.match(
      out[3] ?? '',
      /^info commit for bakery: <b@elsewhere\.example>: kept on disk, then 250; goes by bakery\/smarthost to out\.provider\.example/,
    )
    const reply = 'From: anna@second.example\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\nx\r\n'
    assert.match(
      (await more('b@x.example', at, reply))[2] ?? '',
      /what leaves: .*: it goes out, up to 2 per .* within 7d/,
    )
    const bounce =
      'From: MAILER-DAEMON@second.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n' +
      '--b\r\n\r\nno\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n' +
      'Final-Recipient: rfc822; c@second.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n'
    assert.match(
      (await more('b@x.example', { ...at, from: '<>' }, bounce))[2] ?? '',
      /what leaves: dsn mail: it is held/,
    )
    const stranger = await more('b@x.example', { ...at, client: '203.0.113.9' })
    assert.match(stranger[0] ?? '', /^reject MAIL FROM:.*550 5\.7\.1/)
    assert.equal(stranger.length, 1)
    assert.match((await more('b@x.example', { ...at, listener: 'mx' }))[0] ?? '', /^reject RCPT .*550 5\.7\.1/)
    await assert.rejects(more('b@x.example', { listener: 'mail' }), /there is no listener mail/)
  })

  it('of what is no address is the operator’s mistake', async () => {
    await assert.rejects(run(['no address']), UserError)
  })
})

describe('a request over the control socket', () => {
  const row = (id: string, ageMs: number) => ({ id, ageMs }) as QueueRow
  function running(...bodies: unknown[]) {
    const asked: unknown[] = []
    const askAll = async (kind: string, body: unknown) => {
      asked.push([kind, body])
      return bodies.map((one) =>
        one instanceof Error ? { kind: 'failed', text: one.message } : { kind: 'ok', body: one },
      )
    }
    return { asked, running: { supervisor: { askAll } } as unknown as Running }
  }
  const LIST = { kind: 'queue-list', selection: {}, rowsMax: 3 }

  it('for a list puts the workers’ rows together, oldest first, and says when there are more', async () => {
    const one = { rows: [row('a', 5), row('b', 1)], more: false }
    const other = { rows: [row('c', 9), row('d', 3)], more: false }
    const { running: program } = running(one, other)
    const answer = (await answerControl(LIST, program)) as { rows: QueueRow[]; more: boolean }
    assert.deepEqual([answer.rows.map(({ id }) => id), answer.more], [['c', 'a', 'd'], true])
    const all = (await answerControl({ ...LIST, rowsMax: 4 }, program)) as { more: boolean }
    assert.equal(all.more, false)
  })

  it('for one message finds the worker that has it', async () => {
    const show = { kind: 'queue-show', id: 'x' }
    assert.equal(await answerControl(show, running(undefined, 'found').running), 'found')
    assert.equal(await answerControl(show, running(undefined, undefined).running), null)
  })

  it('that a worker cannot answer is an error, not half an answer', async () => {
    await assert.rejects(answerControl(LIST, running({ rows: [], more: false }, new Error('gone')).running), /gone/)
  })

  it('that is not understood reaches no worker', async () => {
    const wrong = [
      undefined,
      {},
      { kind: 'shell' },
      { ...LIST, rowsMax: 0 },
      { ...LIST, rowsMax: null },
      { ...LIST, selection: { state: 'gone' } },
      { ...LIST, selection: { surprise: 1 } },
      { kind: 'queue-act', selection: {}, action: { kind: 'explode' }, dryRun: false },
      { kind: 'queue-act', selection: {}, action: { kind: 'delete' } },
    ]
    const { asked, running: program } = running([])
    for (const body of wrong) await assert.rejects(answerControl(body, program), UserError)
    assert.deepEqual(asked, [])
  })
})
