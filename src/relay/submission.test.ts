/** As whom a user may write, and what his message gets that it lacks. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mailboxText } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import { replyLine } from '#mail/reply.ts'
import { mailbox, session, transaction, WALL_MS } from '#mail/testing.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { foreignAuthor } from './refusals.ts'
import { authorsRefusal, mayUse, missingFields } from './submission.ts'

const header = (text: string) => readHeaderSection(content([Buffer.from(text)]))
const user = (...senders: string[]) =>
  session({ service: 'submission', authenticated: { tenant: 'bakery', login: 'anna', mechanism: 'PLAIN', senders } })
const own = ({ domain }: { domain: { kind: string; ascii?: string } }) => domain.ascii?.endsWith('bakery.test') ?? false

describe('a sender', () => {
  const may = (address: string, ...senders: string[]) => mayUse(mailbox(address), user(...senders), own)
  it('is of the tenant’s domains', () => {
    assert.deepEqual([may('eve@bakery.test'), may('eve@shop.bakery.test'), may('eve@far.test')], [true, true, false])
  })
  it('is one of those that the login has, if it has any, and never of another’s domain', () => {
    const senders = ['anna@bakery.test', '@shop.bakery.test', 'anna@far.test', '@far.test']
    for (const [address, expected] of [
      ['anna@bakery.test', true],
      ['Anna@BAKERY.test', true],
      ['eve@bakery.test', false],
      ['eve@shop.bakery.test', true],
      ['anna@far.test', false],
      ['xanna@bakery.test', false],
    ] as const)
      assert.equal(may(address, ...senders), expected, address)
  })
})

describe('the authors', () => {
  const said = (text: string): string => {
    const refusal = authorsRefusal(header(text), (one) => (own(one) ? undefined : foreignAuthor(mailboxText(one))))
    return refusal ? replyLine(refusal.reply) : 'fine'
  }
  it('are all the user’s to use', () => {
    assert.equal(said('From: Anna <anna@bakery.test>\r\n\r\n'), 'fine')
    assert.equal(said('From: anna@bakery.test,\r\n eve@bakery.test\r\n\r\n'), 'fine')
    assert.match(
      said('From: anna@bakery.test, ceo@far.test\r\n\r\n'),
      /^550 5\.7\.1 You may not write as ceo@far\.test/,
    )
    assert.match(said('From: "anna@bakery.test" <ceo@far.test>\r\n\r\n'), /^550 5\.7\.1 /)
  })
  it('are in one field that can be read', () => {
    for (const text of [
      'Subject: x\r\n\r\n',
      'From: anna@bakery.test\r\nFrom: anna@bakery.test\r\n\r\n',
      'From: anna\r\n\r\n',
      'From:\r\n\r\n',
      'From: anna@bakery.test <ceo@far.test>\r\n\r\n',
      'From: nobody:;\r\n\r\n',
    ])
      assert.match(said(text), /^550 5\.6\.0 /, text)
  })
})

describe('what a message lacks', () => {
  it('is added, and nothing else', () => {
    const sent = transaction([])
    const added = (text: string) => missingFields(header(text), sent, 'relay.example', WALL_MS)
    assert.equal(added('Date: x\r\nMessage-ID: <1@x>\r\n\r\n'), '')
    const date = 'Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n'
    assert.equal(added('message-id: <1@x>\r\n\r\n'), date)
    assert.equal(added('From: x\r\n\r\n'), `${date}Message-ID: <${sent.id}@relay.example>\r\n`)
  })
})
