/**
 * 59 ways in which a server can behave, and what the client makes of each. The behaviours are those of
 * github.com/Email-Analysis-Toolkit/fake-mail-server at cbd323cf8cc8 (MIT or Apache-2.0); names are its file names.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientSettings } from './contract.ts'
import { Dialogue, ehloReply, job, short } from './testing.ts'

/** Replies that differ from those of a good server that offers STARTTLS. */
interface Behaviour {
  readonly greeting?: string
  readonly ehlo?: string
  readonly helo?: string
  readonly starttls?: string
  readonly rcpt?: string
  readonly rset?: string
  readonly quit?: string
}

const GOOD: Required<Behaviour> & Record<string, string> = {
  greeting: '220 mx.example ESMTP',
  ehlo: ehloReply('STARTTLS').trimEnd(),
  helo: '250 mx.example',
  starttls: '220 go ahead',
  rcpt: '250 ok',
  rset: '250 ok',
  quit: '221 bye',
  mail: '250 ok',
  data: '354 go ahead',
  '.': '250 taken',
}

/** Two deliveries and QUIT against a behaviour; the answer says in short what came of it. */
function meet(behaviour: Behaviour, tls: ClientSettings['tls'] = 'opportunistic'): string {
  const replies: Record<string, string> = { ...GOOD, ...behaviour }
  const dialogue = new Dialogue({ tls })
  const story: string[] = []
  let said = dialogue.server(`${replies['greeting']}\r\n`)
  for (let turn = 0; turn < 40; turn++) {
    const effect = dialogue.effects.shift()
    if (effect?.kind === 'start-tls') {
      story.push('tls')
      dialogue.machine.secured()
    } else if (effect?.kind === 'ready') {
      if (story.filter((word) => word.startsWith('job')).length < 2) {
        story.push('job')
        dialogue.machine.deliver(job(['a@customer.example']))
      } else dialogue.machine.quit()
    } else if (effect?.kind === 'delivered') story.push(...effect.results.map(short))
    else if (effect?.kind === 'over') story.push(effect.fault.obstacle)
    else if (effect?.kind === 'close') return [...story, 'close'].join(' ')
    said += dialogue.heard()
    for (const line of said.split('\r\n').slice(0, -1)) {
      const reply = replies[line.split(' ')[0]!.toLowerCase()]
      if (line === 'QUIT') story.push('quit')
      if (reply !== undefined) said = dialogue.server(`${reply}\r\n`)
    }
    if (effect === undefined && dialogue.effects.length === 0 && said === '') break
  }
  throw new Error(`no end: ${story.join(' ')}`)
}

const CLEAR = 'job delivered job delivered quit close'
const TLS = `tls ${CLEAR}`
const REFUSED = 'refused-for-now quit close'
const HUNG_UP = 'refused-for-now close'
const PROTOCOL = 'protocol close'
const authOnly = (...mechanisms: string[]) => ehloReply(`AUTH ${mechanisms.join(' ')}`).trimEnd()
const MANY = authOnly(...Array.from({ length: 70 }, (_, i) => `MECHANISM-${i}`))
const EHLO_500 = { ehlo: '500 unknown' }
const afterRcptRefusal = (rset: string): Behaviour => ({ ...EHLO_500, rcpt: '550 no', rset })

const BEHAVIOURS: readonly [name: string, Behaviour, opportunistic: string, required?: string][] = [
  ['setup', {}, TLS, TLS],
  ['setup_opportunistic_encryption', {}, TLS, TLS],
  ['Buffering/B_1', { starttls: '220 go\r\n250-mx\r\n250 AUTH LOGIN' }, 'tls close', 'tls close'],
  ['Negotiation/D_1', { ehlo: '502 no', starttls: '502 no' }, CLEAR, 'tls quit close'],
  ['Negotiation/O_1', { ehlo: authOnly('PLAIN'), starttls: '502 no' }, CLEAR, 'tls quit close'],
  ['Negotiation/O_2', { starttls: '502 no' }, CLEAR, 'tls quit close'],
  ['Negotiation/O_3', { starttls: '454 not now' }, CLEAR, 'tls quit close'],
  ['Negotiation/O_4', { starttls: '354 do something else' }, PROTOCOL, PROTOCOL],
  ['others/X_1', { ehlo: MANY, starttls: '502 no' }, CLEAR, 'tls quit close'],
  ['ehlo/220', { ehlo: '220 hello' }, PROTOCOL],
  ['ehlo/221', { ehlo: '221 hello' }, PROTOCOL],
  ['ehlo/250-all-no-starttls', { ehlo: MANY }, CLEAR, 'tls quit close'],
  ['ehlo/250-all', { ehlo: MANY }, CLEAR],
  ['ehlo/250-empty', { ehlo: '250 mx.example' }, CLEAR],
  ['ehlo/354', { ehlo: '354 start' }, PROTOCOL],
  ['ehlo/421', { ehlo: '421 shutting down' }, HUNG_UP],
  ...['500', '501', '502', '504', '530', '550'].map(
    (code) => [`ehlo/${code}`, { ehlo: `${code} no` }, CLEAR, 'tls quit close'] as [string, Behaviour, string, string],
  ),
  ['greeting/220', { greeting: '220 ready' }, TLS],
  ['greeting/221', { greeting: '221 bye' }, PROTOCOL],
  ['greeting/354', { greeting: '354 start' }, PROTOCOL],
  ['greeting/421', { greeting: '421 shutting down' }, HUNG_UP],
  ['greeting/500', { greeting: '500 no' }, REFUSED],
  ['greeting/501', { greeting: '501 no' }, REFUSED],
  ['greeting/530', { greeting: '530 no' }, REFUSED],
  ['greeting/554', { greeting: '554 no service' }, REFUSED],
  ['helo/ehlo500_helo220', { ...EHLO_500, helo: '220 hello' }, PROTOCOL],
  ['helo/ehlo500_helo221', { ...EHLO_500, helo: '221 bye' }, PROTOCOL],
  ['helo/ehlo500_helo354', { ...EHLO_500, helo: '354 start' }, PROTOCOL],
  ['helo/ehlo500_helo421', { ...EHLO_500, helo: '421 shutting down' }, HUNG_UP],
  ['helo/ehlo500_helo500', { ...EHLO_500, helo: '500 no' }, REFUSED],
  ['helo/ehlo500_helo501', { ...EHLO_500, helo: '501 no' }, REFUSED],
  ['helo/ehlo500_helo530', { ...EHLO_500, helo: '530 no' }, REFUSED],
  ...['220', '221', '354', '421', '500', '501', '530'].map(
    (code) =>
      [`quit/greeting500_quit${code}`, { greeting: '500 no', quit: `${code} x` }, REFUSED] as [
        string,
        Behaviour,
        string,
      ],
  ),
  ['rset/ehlo500_rset220', afterRcptRefusal('220 x'), 'job failed/rcpt protocol close'],
  ['rset/ehlo500_rset221', afterRcptRefusal('221 x'), 'job failed/rcpt protocol close'],
  ['rset/ehlo500_rset354', afterRcptRefusal('354 x'), 'job failed/rcpt protocol close'],
  ['rset/ehlo500_rset421', afterRcptRefusal('421 x'), 'job failed/rcpt refused-for-now close'],
  ['rset/ehlo500_rset500', afterRcptRefusal('500 x'), 'job failed/rcpt protocol quit close'],
  ['rset/ehlo500_rset501', afterRcptRefusal('501 x'), 'job failed/rcpt protocol quit close'],
  ['rset/ehlo500_rset530', afterRcptRefusal('530 x'), 'job failed/rcpt protocol quit close'],
  ['starttls/220', { starttls: '220 go' }, TLS, TLS],
  ['starttls/221', { starttls: '221 bye' }, PROTOCOL, PROTOCOL],
  ['starttls/354', { starttls: '354 start' }, PROTOCOL, PROTOCOL],
  ['starttls/421', { starttls: '421 shutting down' }, HUNG_UP, HUNG_UP],
  ['starttls/454', { starttls: '454 not now' }, CLEAR, 'tls quit close'],
  ['starttls/500', { starttls: '500 no' }, CLEAR, 'tls quit close'],
  ['starttls/501', { starttls: '501 no' }, CLEAR, 'tls quit close'],
  ['starttls/530', { starttls: '530 no' }, CLEAR, 'tls quit close'],
]

test('there are 59 behaviours', () => assert.equal(BEHAVIOURS.length, 59))

for (const [name, behaviour, opportunistic, required] of BEHAVIOURS) {
  test(`${name}, TLS opportunistic`, () => assert.equal(meet(behaviour), opportunistic))
  if (required !== undefined) {
    test(`${name}, TLS required`, () => assert.equal(meet(behaviour, 'required'), required))
  }
}
