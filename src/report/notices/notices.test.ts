/** `GOLDEN=write node --test …` writes `fixtures/notices` anew: then read the difference. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { HeldRecipient, Notice } from '#mail/notice.ts'
import { mailbox } from '#mail/testing.ts'
import { composedBytes } from '#mime/compose.ts'
import { fieldText } from '#mime/decoded-text.ts'
import { readHeaderSection, unfolded } from '#mime/header-section.ts'
import { ROWS_MAX } from './digest.ts'
import { figures } from './figures.ts'
import { harmless, shown } from './harmless.ts'
import { htmlOf } from './html.ts'
import { documentOf, renderNotice } from './notices.ts'
import { digest, held, NOTICES, options } from './notices-testing.ts'
import { textOf } from './plain-text.ts'
import { type Prerequisite, touches } from './prerequisites.ts'

// The oracle: another parser of mail, and another reader of HTML that says which tags stay open.
const PYTHON = `
import sys, base64, json, email, email.policy, html.parser
class Tags(html.parser.HTMLParser):
  def handle_starttag(self, tag, attrs):
    if tag not in ('meta', 'br'): self.unclosed.append(tag)
  def handle_endtag(self, tag):
    if self.unclosed and self.unclosed[-1] == tag: self.unclosed.pop()
    else: self.unclosed.append('/' + tag)
def read(octets):
  m = email.message_from_bytes(octets, policy=email.policy.default)
  texts = [p.get_content() for p in m.walk() if p.get_content_maintype() == 'text']
  tags = Tags()
  tags.unclosed = []
  tags.feed(texts[-1])
  return {
    'types': [p.get_content_type() for p in m.walk()],
    'languages': [p['content-language'] for p in m.walk()],
    'texts': texts, 'unclosed': tags.unclosed,
    'fields': {k: str(v) for k, v in m.items() if not k.startswith('Content-')},
    'defects': [str(d) for p in m.walk() for d in p.defects]}
print(json.dumps([read(base64.b64decode(one)) for one in json.load(sys.stdin)]))`
const noPython = !process.env['CI'] && spawnSync('python3', ['--version']).error !== undefined
const python = (messages: readonly Buffer[]) => {
  const input = JSON.stringify(messages.map((octets) => octets.toString('base64')))
  const run = spawnSync('python3', ['-c', PYTHON], { input, encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout)
}

const LANGUAGES = ['de', 'en'] as const
const both = Object.entries(NOTICES).flatMap(([name, notice]) =>
  LANGUAGES.map((language) => ({ name: `${name}.${language}`, notice, language })),
)

describe('a notice reads as in fixtures/notices', () => {
  for (const { name, notice, language } of both) {
    it(name, () => {
      const document = documentOf(notice, options(language))
      golden(`${name}.txt`, textOf(document))
      golden(`${name}.html`, htmlOf(document))
    })
  }

  it('and nothing else is there', () => {
    const names = both.flatMap(({ name }) => [`${name}.txt`, `${name}.html`])
    assert.deepEqual(readdirSync(FOLDER).sort(), ['README.md', ...names].sort())
  })
})

const FOLDER = new URL('../../../fixtures/notices/', import.meta.url)

function golden(name: string, now: string): void {
  const file = new URL(name, FOLDER)
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, now)
  assert.equal(now, readFileSync(file, 'utf8'))
}

describe('a notice as mail', () => {
  it('is read by a foreign parser as it was meant', { skip: noPython && 'no python3' }, () => {
    const rendered = both.map(({ notice, language }) => renderNotice(notice, options(language)))
    const all = python(rendered.map(({ composed }) => composedBytes(composed)))
    assert.equal(all.length, both.length)
    both.forEach(({ notice, language, name }, i) => {
      const document = documentOf(notice, options(language))
      const { subject, composed } = rendered[i]!
      const read = all[i]
      assert.deepEqual(read.defects, [], name)
      assert.deepEqual(read.types, ['multipart/alternative', 'text/plain', 'text/html'])
      assert.deepEqual(read.languages, [null, language, language])
      const texts = read.texts.map((text: string) => text.replaceAll('\r\n', '\n'))
      assert.deepEqual(texts, [textOf(document), htmlOf(document)])
      assert.deepEqual(read.fields, {
        From: 'Vorposten <postmaster@mx1.relay.example>',
        To: 'postmaster@bakery.example',
        Subject: subject,
        Date: 'Fri, 15 Jan 2027 08:00:00 +0000',
        'Message-ID': '<1PMGR4T80000001@mx1.relay.example>',
        'Auto-Submitted': 'auto-generated',
        'MIME-Version': '1.0',
      })
      assert.deepEqual(read.unclosed, [], `${name}: tags`)
      assert.equal(composed.body, '7bit')
      assert.equal(composed.smtputf8, false)
    })
  })

  it('to an internationalized mailbox needs SMTPUTF8', () => {
    const to = mailbox('jörg@bakery.example')
    assert.equal(renderNotice(digest([held(1)]), { ...options('de'), to }).composed.smtputf8, true)
  })

  it('is not made of a host name or an id that is none', () => {
    const notice = digest([held(1)])
    assert.throws(() => renderNotice(notice, { ...options('de'), hostname: 'a b' }), /host name/)
    assert.throws(() => renderNotice(notice, { ...options('de'), newMessageId: () => 'a>\r\nBcc: b' }), /Message-ID/)
  })
})

const hostile = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ maxLength: 400 }),
    fc
      .array(
        fc.constantFrom(
          '<',
          '>',
          '"',
          "'",
          '&',
          '&#60;',
          '</q>',
          '<!--',
          '\r\n',
          '\n.\n',
          '\u2028',
          '\u202e',
          '\u0007',
        ),
        { maxLength: 20 },
      )
      .map((pieces) => pieces.join('a')),
    fc.constantFrom(
      '\ud800',
      '=?utf-8?b?PHNjcmlwdD4=?=',
      '=?utf-8?q?=0D=0A<b>=E2=80=AE?=',
      'é\u0301\u0301\u0301\u0301\u0301\u0301',
    ),
  )
  // Nothing is left out for being empty.
  .map((text) => `x${text}x`)

describe('whatever strangers wrote', () => {
  const tags = (html: string) => html.match(/<[^>]*>/g)
  const latin1 = (text: string) => Buffer.from(text.toWellFormed()).toString('latin1')

  function withText(text: string) {
    const recipients = [{ ...held(1).recipients[0]!, text }]
    return [
      digest([held(1, { subject: latin1(text), recipients }), held(2, { subject: text, recipients })]),
      { ...NOTICES['primary-up']!, text },
      { ...NOTICES['still-down']!, text },
      { ...NOTICES['maintenance-began']!, reason: text },
    ]
  }

  it('becomes no tag, no attribute and no line of its own', () => {
    const plain = withText('x').map((notice) => tags(htmlOf(documentOf(notice, options('en')))))
    fc.assert(
      fc.property(hostile, fc.constantFrom(...LANGUAGES), (text, language) => {
        withText(text).forEach((notice, i) => {
          const document = documentOf(notice, options(language))
          const html = htmlOf(document)
          const expected = plain[i]!.map((tag) => (tag.startsWith('<html') ? `<html lang="${language}">` : tag))
          assert.deepEqual(tags(html), expected)
          for (const form of [html, textOf(document)]) {
            assert.doesNotMatch(form, /[[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]--\n]/v)
          }
        })
      }),
    )
  })

  it('is one line of what can be seen, with an end', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 50 }), (text, charsMax) => {
        const short = shown(text, charsMax)
        assert.ok([...short].length <= charsMax)
        assert.doesNotMatch(harmless(text) + short, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}\u200b\ufeff]|\p{M}{5}/v)
        assert.equal(harmless(harmless(text)), harmless(text))
      }),
    )
    assert.equal(harmless('a\u202eb\u200bc\r\nd\u{e0041} 👩\u200d🌾'), 'abc d 👩\u200d🌾')
  })

  it('becomes no field', () => {
    fc.assert(
      fc.property(hostile, hostile, (tenant, domain) => {
        const notices = [
          { ...digest([held(1)]), tenant },
          { ...NOTICES['primary-up']!, route: tenant, domains: [domain] },
        ]
        for (const notice of notices) {
          const { composed, subject } = renderNotice(notice as Notice, options('de'))
          const fields = readHeaderSection(composed.content).fields
          const names = 'from to subject date message-id auto-submitted mime-version content-type'
          assert.deepEqual(
            fields.map(({ name }) => name),
            [...names.split(' '), 'content-transfer-encoding'],
          )
          const read = fieldText(unfolded(fields[2]!))
          assert.equal(read, subject.replaceAll('\0', ' ').trim().slice(0, read.length))
        }
      }),
    )
  })

  it('is no link, and has an end', () => {
    const long = digest([held(1, { subject: ` HTTPS://evil.example/ ${'x'.repeat(5000)}` })])
    const form = textOf(documentOf(long, options('en')))
    assert.match(form, /hxxpS:\/\/evil\.example\/\s+x+…”/)
    assert.ok(form.length < 3500, String(form.length))
  })
})

describe('the digest', () => {
  it('has a row for the first ones, and counts the others', () => {
    const messages = Array.from({ length: ROWS_MAX + 10 }, (_, i) => held(i + 1))
    for (const newHeld of [ROWS_MAX + 10, 4000]) {
      const document = documentOf(digest(messages, { newHeld, allHeld: newHeld }), options('en'))
      const table = document.blocks.find((block) => block.kind === 'table')
      assert.equal(table?.rows.length, ROWS_MAX)
      assert.match(textOf(document), newHeld === 4000 ? /And 3,950 more/ : /And 10 more/)
    }
  })

  it('advises by what the server said', () => {
    const cases: [HeldRecipient['reason'], string, Prerequisite | 'other-refusal' | 'loop' | undefined][] = [
      ['refused', '550 5.1.1 no', 'unknown-recipients'],
      ['refused', '550 5.1.10 no', 'unknown-recipients'],
      ['refused', '550 5.1.8 sender', 'other-refusal'],
      ['refused', '554 5.7.1 spam', 'content-rejection'],
      ['refused', '554 5.7.1', 'content-rejection'],
      ['refused', '554 4.7.1 spam', 'other-refusal'],
      ['refused', 'spam 5.7.1', 'other-refusal'],
      ['expired', '550 5.1.1 no', 'availability'],
      ['loop', '', 'loop'],
      ['policy', '', undefined],
      ['operator', '', undefined],
    ]
    for (const [reason, text, expected] of cases) {
      assert.equal(touches({ ...held(1).recipients[0]!, reason, text }), expected, text)
    }
  })
})

describe('figures', () => {
  it('are those of the language, with the offset', () => {
    const de = figures('de', 'Europe/Berlin')
    const en = figures('en', 'UTC')
    const summerMs = Date.UTC(2026, 6, 1, 22, 5)
    assert.equal(de.moment(summerMs), 'Donnerstag, 2. Juli 2026, 00:05 Uhr (UTC+02:00)')
    assert.equal(en.moment(summerMs), 'Wednesday, 1 July 2026, 22:05 (UTC)')
    assert.equal(figures('en', 'Asia/Kolkata').shortMoment(summerMs), '02/07/2026, 03:35 (UTC+05:30)')
    const durations = [0, 59_999, 3_599_999, 3_660_000, 86_400_000 + 60_000, 90_000_000_0]
    assert.deepEqual(durations.map(de.duration), [
      '1 Minute',
      '1 Minute',
      '1 Stunde',
      '1 Stunde, 1 Minute',
      '1 Tag',
      '10 Tage, 10 Stunden',
    ])
    assert.deepEqual([0, 1, 9_940, 12_345, 4_321_000].map(en.size), ['0.1 kB', '0.1 kB', '9.9 kB', '12 kB', '4.3 MB'])
    assert.throws(() => figures('de', 'Europe/Nowhere'), RangeError)
  })
})
