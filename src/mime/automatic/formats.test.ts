/**
 * Notices as products write them, in our own shortened words where no free sample is at hand: each names one or more
 * recipients in its own way.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_RECIPIENT } from './automatic-mail.ts'
import { classify } from './classify.ts'
import { received } from './testing.ts'

interface Sample {
  readonly product: string
  readonly subject: string
  readonly from?: string
  readonly lines: readonly string[]
  readonly expected: readonly string[]
}

const RETURNED = [
  'Received: from a by b; Fri, 1 Jan 2027 10:00:00 +0100',
  'Message-ID: <1@sender.example>',
  'Subject: bread',
]

const SAMPLES: readonly Sample[] = [
  {
    product: 'MailMarshal',
    subject: 'Undeliverable Mail: "bread"',
    from: 'postmaster@mx.example',
    lines: [
      'Your message:',
      '   From:    anna@sender.example',
      '   Subject: bread',
      'Could not be delivered because of',
      '',
      '550 5.1.1 User unknown',
      '',
      'The following recipients were affected:',
      '    ben@bakery.example',
      '',
      'Additional Information',
      ...RETURNED,
    ],
    expected: ['ben@bakery.example 5.1.1'],
  },
  {
    product: 'GroupWise',
    subject: 'Message status - undeliverable',
    from: 'Mailer-Daemon@gw.example',
    lines: [
      'The message that you sent was undeliverable to the following:',
      '\tben@bakery.example (user not found)',
      '\tbea@bakery.example (mailbox is full)',
      '',
      'Possibly truncated original message follows:',
      ...RETURNED,
    ],
    expected: ['ben@bakery.example 5.1.1', 'bea@bakery.example 5.2.2'],
  },
  {
    product: 'SmarterMail',
    subject: 'Delivery Failure',
    from: '"System Administrator" <sysadmin@sm.example>',
    lines: [
      'Could not deliver message to the following recipient(s):',
      '',
      'Failed Recipient: ben@bakery.example',
      'Reason: Remote host said: 552 5.2.2 over quota',
      '',
      '   -- The header and top 20 lines of the message follows --',
      ...RETURNED,
    ],
    expected: ['ben@bakery.example 5.2.2'],
  },
  {
    product: 'CommuniGate Pro',
    subject: 'Undeliverable mail: bread',
    from: 'MAILER-DAEMON@cgp.example',
    lines: [
      "Failed to deliver to 'ben@bakery.example'",
      'SMTP module(domain bakery.example) reports:',
      ' host mx.bakery.example says:',
      ' 550 5.7.1 relaying denied',
    ],
    expected: ['ben@bakery.example 5.7.1'],
  },
  {
    product: 'Kerio',
    subject: 'Delivery failed',
    from: 'postmaster@kerio.example',
    lines: [
      'Your message was not delivered to the following recipients:',
      '',
      'ben@bakery.example: 550 5.1.1 no such user',
    ],
    expected: ['ben@bakery.example 5.1.1'],
  },
  {
    product: 'Sun Messaging Server',
    subject: 'Delivery Notification: Delivery has failed',
    from: 'Internet Mail Delivery <postmaster@sun.example>',
    lines: [
      'This report relates to a message you sent with the following header fields:',
      '',
      '  Message-id: <1@sender.example>',
      '',
      'Your message cannot be delivered to the following recipients:',
      '',
      '  Recipient address: ben@bakery.example',
      '  Reason: Remote SMTP server has rejected address',
      '  Diagnostic code: smtp;550 5.1.1 <ben@bakery.example>... User Unknown',
      '  Remote system: dns;mx.bakery.example (TCP|1|2|3|25) (ESMTP)',
    ],
    expected: ['ben@bakery.example 5.1.1'],
  },
  {
    product: 'Biglobe',
    subject: 'Returned mail: Mailbox full',
    from: 'postmaster@biglobe.example',
    lines: [
      '   ----- The following addresses had delivery problems -----',
      '<ben@bakery.example>',
      '',
      '   ----- Non-delivered information -----',
      "The number of messages in recipient's mailbox exceeded the local limit.",
      '',
      ...RETURNED,
    ],
    expected: ['ben@bakery.example 5.2.2'],
  },
  {
    product: 'Exim, several recipients, one of them forwarded',
    subject: 'Mail delivery failed: returning message to sender',
    lines: [
      'This message was created automatically by mail delivery software.',
      '',
      'A message that you sent could not be delivered to one or more of its',
      'recipients. This is a permanent error. The following address(es) failed:',
      '',
      '  ben@bakery.example',
      '    (generated from bread@bakery.example)',
      '    host mx.bakery.example [192.0.2.1]',
      '    SMTP error from remote mail server after RCPT TO:<ben@bakery.example>:',
      '    550 5.1.1 unknown user',
      '  bea@oven.example',
      '    Unrouteable address',
      '',
      '------ This is a copy of the message, including all the headers. ------',
      '',
      ...RETURNED,
    ],
    expected: ['ben@bakery.example 5.1.1', 'bea@oven.example 5.1.2'],
  },
  {
    product: 'Postfix without MIME',
    subject: 'Undelivered Mail Returned to Sender',
    lines: [
      'This is the mail system at host mx.example.',
      '',
      "I'm sorry to have to inform you that your message could not",
      'be delivered to one or more recipients.',
      '',
      'For further assistance, please send mail to postmaster@mx.example.',
      '',
      '<ben@bakery.example>: host mx.bakery.example[192.0.2.1] said: 550 5.7.1 Spam',
      '    (in reply to end of DATA command)',
      '',
      '<bea@bakery.example>: connect to mx.bakery.example[192.0.2.1]:25: Connection refused',
      '',
      ...RETURNED,
    ],
    expected: ['ben@bakery.example 5.7.1', 'bea@bakery.example 5.4.1'],
  },
  {
    product: 'Sendmail 8 without MIME',
    subject: 'Returned mail: see transcript for details',
    lines: [
      'The original message was received at Fri, 1 Jan 2027 10:00:00 +0100',
      'from sender.example [192.0.2.9]',
      '',
      '   ----- The following addresses had permanent fatal errors -----',
      '<ben@bakery.example>',
      '    (reason: 550 5.1.1 <ben@bakery.example>... User unknown)',
      '    (expanded from: <bread@bakery.example>)',
      '',
      '   ----- Transcript of session follows -----',
      '... while talking to mx.bakery.example.:',
      '>>> DATA',
      '<<< 550 5.1.1 <ben@bakery.example>... User unknown',
      '<<< 503 5.0.0 Need RCPT (recipient)',
      '',
      '   ----- Message header follows -----',
      ...RETURNED,
    ],
    expected: ['ben@bakery.example 5.1.1'],
  },
  {
    product: 'Microsoft SMTPSVC',
    subject: 'Delivery Status Notification (Failure)',
    from: 'postmaster@win.example',
    lines: [
      'This is an automatically generated Delivery Status Notification.',
      '',
      'Delivery to the following recipients failed.',
      '',
      '       ben@bakery.example',
    ],
    expected: ['ben@bakery.example 5.0.0'],
  },
  {
    product: 'Lotus Notes',
    subject: 'DELIVERY FAILURE: User ben (ben@bakery.example) not listed in Domino Directory',
    from: 'Postmaster@bakery.example',
    lines: [
      'Your message',
      '',
      '  Subject: bread',
      '',
      'was not delivered to:',
      '',
      '  ben@bakery.example',
      '',
      'because:',
      '',
      '  User ben (ben@bakery.example) not listed in Domino Directory',
    ],
    expected: ['ben@bakery.example 5.1.1'],
  },
  {
    product: 'one sentence',
    subject: 'Mail delivery problem',
    lines: ['Sorry, the mailbox <ben@bakery.example> is full, your message was not delivered.'],
    expected: ['ben@bakery.example 5.2.2'],
  },
]

describe('notices of products', () => {
  for (const { product, subject, from, lines, expected } of SAMPLES) {
    it(product, () => {
      const fields = [
        `From: ${from ?? 'Mail Delivery System <mailer-daemon@mx.example>'}`,
        'To: anna@sender.example',
        `Subject: ${subject}`,
      ]
      const mail = classify(received([...fields, '', ...lines, ''].join('\n')))
      assert.ok(mail.kind === 'dsn', JSON.stringify(mail.reasons))
      const found = mail.dsn.recipients.map(({ recipient, status }) => `${recipient} ${status}`)
      assert.deepEqual(found, expected, JSON.stringify(mail.dsn, null, 1))
    })
  }
})

describe('notifications of Amazon SES', () => {
  const told = (bounce: string) =>
    classify(
      received(
        `From: no-reply@sns.amazonaws.com\n\n{"notificationType":"Bounce","bounce":${bounce},"mail":{"messageId":"7@ses"}}\n`,
      ),
    )

  it('name the recipient', () => {
    const mail = told('{"bouncedRecipients":[{"emailAddress":"ben@bakery.example","status":"5.1.1"}]}')
    assert.deepEqual(mail.kind === 'dsn' && mail.dsn.recipients.map(({ recipient }) => recipient), [
      'ben@bakery.example',
    ])
  })

  for (const bounce of [
    '{}',
    '{"bouncedRecipients":[]}',
    '{"bouncedRecipients":[{"emailAddress":""},{"emailAddress":7}]}',
  ])
    it(`say so when they name none: ${bounce}`, () => {
      const mail = told(bounce)
      assert.ok(mail.kind === 'dsn', JSON.stringify(mail.reasons))
      assert.deepEqual([mail.dsn.recipients, mail.dsn.note], [[], NO_RECIPIENT])
    })
})
