/**
 * For tests: what a report is built from, in one line; and two readers of reports, ours and Python's.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { NULL_PATH } from '#mail/address.ts'
import { content, head } from '#mail/content.ts'
import type { DsnAction, RecipientReport } from '#mail/dsn.ts'
import type { Envelope, Recipient } from '#mail/envelope.ts'
import { VerifiedReturnPath } from '#mail/return-path.ts'
import type { Status } from '#mail/status.ts'
import { mailbox, newTraceId, recipient, WALL_MS } from '#mail/testing.ts'
import { classify } from '#mime/automatic/classify.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import type { BuiltDsn, DsnInput } from './build.ts'

export const HOSTNAME = 'relay.example'
export const ORIGINAL =
  'From: Anna <anna@sender.example>\r\nSubject: Lunch\r\nMessage-ID: <1@sender.example>\r\n\r\nHello\r\n'
export const REFUSED = '550 5.1.1 no such user (in reply to RCPT TO)'

export const report = (to: string | Recipient, action: DsnAction, status: Status, text: string): RecipientReport => ({
  index: 0,
  recipient: typeof to === 'string' ? recipient(to) : to,
  action,
  status,
  text,
  lastAttemptMs: WALL_MS + 1000,
  ...(action === 'delayed' && { willRetryUntilMs: WALL_MS + 86_400_000 }),
})

export interface Given extends Partial<Omit<DsnInput, 'message' | 'to'>> {
  readonly from?: string
  readonly to?: VerifiedReturnPath
  readonly envelope?: Partial<Envelope>
  readonly original?: string | Buffer
  readonly proof?: 'own' | 'other'
}

export function input({
  from = 'anna@sender.example',
  envelope,
  original = ORIGINAL,
  proof = 'own',
  ...more
}: Given = {}) {
  const reversePath = { kind: 'mailbox', mailbox: mailbox(from) } as const
  const { domain } = reversePath.mailbox
  const reports = more.reports ?? [report('bob@far.example', 'failed', '5.1.1', REFUSED)]
  const recipients = reports.map((one) => one.recipient)
  const by =
    proof === 'own'
      ? ({ kind: 'submission', tenant: 'bakery', credential: 'anna' } as const)
      : ({ kind: 'spf-pass', tenant: 'bakery', domain: domain.kind === 'name' ? domain.ascii : '' } as const)
  return {
    to: VerifiedReturnPath.from(reversePath, by)!,
    id: newTraceId(),
    hostname: HOSTNAME,
    language: 'en',
    innerHosts: [],
    nowMs: WALL_MS + 2000,
    ...more,
    reports,
    message: {
      id: newTraceId(),
      tenant: 'bakery',
      envelope: { reversePath, recipients, body: '7bit', smtputf8: false, ...envelope },
      reception: {
        clientAddress: '10.9.8.7',
        greetingName: 'exch.corp.example',
        protocol: 'ESMTP',
        receivedMs: WALL_MS,
      },
      content: content([Buffer.from(original)]),
    },
  } as const satisfies DsnInput
}

export const bytes = ({ content: of }: BuiltDsn): Buffer => head(of, of.octets)
export const classified = (built: BuiltDsn) =>
  classify({ reversePath: NULL_PATH, header: readHeaderSection(built.content), content: built.content })

const PYTHON = `
import sys, json, email, email.policy
out = []
for size in json.loads(sys.argv[1]):
    m = email.message_from_bytes(sys.stdin.buffer.read(size), policy=email.policy.default)
    top = list(m.iter_parts())
    status = top[1]
    groups = [[[k, str(v)] for k, v in g.items()] for g in status.get_payload()] if status.get_content_type() == 'message/delivery-status' else []
    out.append({'header': [[k, str(v)] for k, v in m.items()], 'types': [p.get_content_type() for p in top],
      'report': m.get_param('report-type'), 'text': top[0].get_content(), 'language': top[0]['content-language'],
      'groups': groups, 'to': [a.addr_spec for a in m['to'].addresses],
      'third': top[2].get_content() if top[2].get_content_maintype() == 'text' else top[2].as_bytes().decode('utf-8', 'replace'),
      'defects': [type(d).__name__ for p in [m] + top for d in p.defects]})
print(json.dumps(out))`
export const noPython = !process.env['CI'] && spawnSync('python3', ['--version']).error !== undefined

interface ReadByPython {
  readonly header: [string, string][]
  readonly types: string[]
  readonly report: string
  readonly text: string
  readonly language: string
  readonly groups: [string, string][][]
  readonly to: string[]
  readonly third: string
  readonly defects: string[]
}
/** Many in one process: it starts slowly. */
export function python(...built: BuiltDsn[]): ReadByPython[] {
  const all = built.map(bytes)
  const sizes = JSON.stringify(all.map((one) => one.length))
  const run = spawnSync('python3', ['-c', PYTHON, sizes], {
    input: Buffer.concat(all),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout)
}
/** Without the soft line breaks of quoted-printable. */
export const raw = (built: BuiltDsn): string => bytes(built).toString().replace(/=\r\n/g, '')
/** Without folding. */
export const unfoldedRaw = (built: BuiltDsn): string => bytes(built).toString().replace(/\r\n /g, ' ')
