import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleaned, labelled } from './corpora.ts'

const RAW = [
  'From anna@example.org  Mon Jan  1 00:00:00 2001',
  'X-Spam-Status: Yes, score=9',
  '\tfolded=1',
  'Received: from a by b; Mon, 1 Jan 2001 10:00:00 +0000 (UTC)',
  'ARC-Seal: i=1',
  'X-FOFF-Score: 3',
  'Delivered-To: zzzz@example.org',
  'Subject: Re: [list] Offer 12',
  '',
  'X-Spam-Flag: this is text',
  '',
].join('\n')

test('what earlier filters said is taken out of the header section, and of nothing else; lines end in CRLF', () => {
  assert.equal(
    cleaned(RAW),
    'Received: from a by b; Mon, 1 Jan 2001 10:00:00 +0000 (UTC)\r\nSubject: Re: [list] Offer 12\r\n\r\nX-Spam-Flag: this is text\r\n',
  )
})

test('a thread and a campaign have one number; time is what the last server says', () => {
  const one = labelled(Buffer.from(RAW), true, 'g')
  const other = labelled(Buffer.from(RAW.replace('Re: [list] Offer 12', 'offer 99!')), false, 'g')
  assert.equal(one.thread, other.thread)
  assert.notEqual(one.thread, labelled(Buffer.from(RAW.replace('Offer', 'Other')), false, 'g').thread)
  assert.equal(one.receivedMs, Date.UTC(2001, 0, 1, 10))
  assert.notEqual(one.id, other.id)
  assert.equal(labelled(Buffer.from('Subject: x\n\ny'), false, 'g').receivedMs, undefined)
})
