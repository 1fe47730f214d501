/**
 * Three messages for the spam filter, written for this demo: a newsletter that somebody asked for, an advance-fee letter, and
 * a message that plays a bank of parcels to get a password. None of the links leads anywhere. With them goes what DNS says of
 * their senders, so that the relay can tell who vouches for which.
 */
import type { Zone } from '#sys/dns/testing.ts'

export const UNWANTED = ['newsletter', 'advance-fee', 'phish'] as const
export type Unwanted = (typeof UNWANTED)[number]

export const SENDERS: Readonly<Record<Unwanted, string>> = {
  newsletter: 'bounces@news.books.example',
  'advance-fee': 'web1842@hosting.example',
  phish: 'noreply@account-check.example',
}

const text = (name: string, data: string) => ({ type: 'TXT' as const, name, ttl: 3600, data: [data] })

/** The demo sends from 127.0.0.1. Nobody else has published anything. */
export const ZONE: Zone = {
  'news.books.example': [text('news.books.example', 'v=spf1 ip4:127.0.0.1 -all')],
  '_dmarc.books.example': [text('_dmarc.books.example', 'v=DMARC1; p=reject')],
}

/** With LF as line ends. */
export const unwantedMessage = (name: Unwanted): Buffer => Buffer.from(MESSAGES[name])

const MESSAGES: Readonly<Record<Unwanted, string>> = {
  newsletter: `From: Books & Bread <hello@news.books.example>
To: Anna <anna@bakery.example>
Subject: Five new books about baking
Date: Tue, 24 Nov 2026 07:00:00 +0100
Message-ID: <2026-11.anna@news.books.example>
List-Id: New books <new.news.books.example>
List-Unsubscribe: <https://news.books.example/leave/anna>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Good morning Anna,

five books that you may like this month, from rye to sourdough:
https://news.books.example/november

You get this because you asked for it in our shop. One click and you
get it no more: https://news.books.example/leave/anna

Books & Bread, Mill Lane 3
`,
  'advance-fee': `From: "Barrister J. Okoro" <web1842@hosting.example>
Reply-To: barrister.okoro.chambers@gmail.com
To: undisclosed-recipients:;
Subject: URGENT BUSINESS PROPOSAL!!!
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

Dear beneficiary,

I am the attorney of your late relative, who died without a next of kin
and left the sum of $12,500,000.00 (twelve million five hundred thousand
US dollars) in a bank here. I seek your consent to present you as the
beneficiary, so that the fund can be transferred to your bank account.
This is 100% risk free and strictly confidential. You get 40 percent.

Reply urgently with your full name, address, telephone number and bank
account to my private email: barrister.okoro.chambers@gmail.com
`,
  phish: `From: "PayPal Support" <noreply@account-check.example>
To: anna@bakery.example
Subject: Your account is suspended: verify within 24 hours
Date: Tue, 24 Nov 2026 03:12:44 +0000
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<html><body><p>Dear customer,</p>
<p>we noticed unusual activity. Your PayPal account is suspended. You must verify
your account within 24 hours, or it will be closed.</p>
<p><a href="http://203.0.113.9/paypal/login.php">https://www.paypal.com/signin</a></p>
<form action="http://203.0.113.9/paypal/login.php"><input name="e"><input type="password" name="p"></form>
<div style="display:none">bread flour rye oven loaf winter garden</div>
</body></html>
`,
}
