/** Each rule about HTML has a message that it speaks of, and one beside it that it must leave alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pairs, said } from './testing.ts'

const poison = 'the river flows quietly through old forests while people walk along it '.repeat(5)

pairs({
  HTML_FORM_PASSWORD: [
    { html: '<form action="https://x.org/"><input type=password></form>' },
    { html: '<form action="https://x.org/"><input type=text></form>' },
  ],
  HTML_FORM: [{ html: '<form action="https://x.org/"></form>' }, { html: '<p>form</p>' }],
  HTML_SCRIPT: [{ html: '<script>1</script>' }, { html: '&lt;script&gt;' }],
  HTML_REDIRECT: [
    { html: '<meta http-equiv=refresh content="0;url=https://x.org/">' },
    { html: '<meta http-equiv=refresh content="30">' },
  ],
  HTML_HIDDEN_WORDS: [
    { html: `<p>Buy now</p><div style="display:none">${poison}</div>` },
    { html: `<p>${poison}</p><div style="display:none">A line that previews what is shown</div>` },
  ],
  HTML_TEXT_IN_BACKGROUND: [
    { html: '<div style="background-color:#FFF"><p style="color: white">poison</p></div>' },
    { html: '<div style="background:#000"><p style="color: white">shown</p></div>' },
  ],
  HTML_PICTURE_ONLY: [
    { html: '<a href="https://x.org/"><img src="cid:1"></a><p>unsubscribe</p>' },
    { html: `<a href="https://x.org/"><img src="cid:1"></a><p>${poison}</p>` },
  ],
  HTML_WORDS_CUT: [
    { html: 'V<i></i>iagra, Ci<b></b>alis, Xa<!-- x -->nax, phar<u>macy</u> now' },
    { html: '<b>Viagra</b>, <i>Cialis</i>, Waffle<sup>TM</sup>, <p>phar</p><p>macy</p>' },
  ],
  HTML_PIXEL: [
    { html: '<img src="https://x.org/" width=1 height=1>' },
    { html: '<img src="https://x.org/" width=10 height=1>' },
  ],
})

test('words that tags cut are read as the eye reads them', () => {
  assert.ok(
    said({
      html: '<a href="https://x.org/">V<b></b>iagra</a> Cia<i>lis</i>, Levi<i></i>tra in our phar<!-- -->macy',
    }).has('TEXT_DRUGS'),
  )
})
