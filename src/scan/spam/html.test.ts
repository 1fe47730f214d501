import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HTML_LENGTH_MAX, LINKS_MAX, readHtml } from './html.ts'

test('text is what is shown: words that tags cut are whole, blocks are apart, scripts and styles are silent', () => {
  const { text } = readHtml(
    '<style>p{color:red}</style><p>V<b></b>ia<i>gra</i></p><div>n&ouml;w</div><script>alert(1)</script>',
  )
  assert.deepEqual(text.split(/\s+/).filter(Boolean), ['Viagra', 'nöw'])
})

test('what is hidden from the eye is told apart, with all that is inside of it', () => {
  for (const hiding of [
    'style="display:none"',
    'style="DISPLAY : NONE"',
    'style="visibility:hidden"',
    'style="font-size:0"',
    'style="font-size:1px;color:#fff"',
    'style="opacity:0"',
    'style="max-height:0;overflow:hidden"',
    'style="mso-hide:all"',
    'style="text-indent:-9999px"',
    'hidden',
  ]) {
    const { text, hidden } = readHtml(`<p>shown<span ${hiding}>poison <b>more</b></span>seen</p>`)
    assert.deepEqual([text.trim(), hidden], ['shownseen', 'poison more'], hiding)
  }
  for (const plain of ['style="font-size:10px"', 'style="opacity:0.9"', 'style="display:block"'])
    assert.equal(readHtml(`<p ${plain}>shown</p>`).text.trim(), 'shown', plain)
})

test('links: where they go and what is shown for them', () => {
  const { links } = readHtml(
    '<a href=" https://evil.example/x?a=1&amp;b=2 ">www.<b>bank</b>.example</a><a name="top">no link</a><a href="x">open',
  )
  assert.deepEqual(links, [
    { href: 'https://evil.example/x?a=1&b=2', text: 'www.bank.example' },
    { href: 'x', text: 'open' },
  ])
})

test('what is fetched, sent, asked for and run', () => {
  const view = readHtml(
    '<img src="https://a.example/p.gif" width=1 height="1px"><img src="cid:logo"><img src="http://a.example/b.png">' +
      '<form action="https://evil.example/"><input type=PASSWORD></form><script></script>' +
      '<meta http-equiv=Refresh content="0;url=https://evil.example">',
  )
  assert.deepEqual(view.images, ['https://a.example/p.gif', 'http://a.example/b.png'])
  assert.equal(view.pixels, 1)
  assert.deepEqual(view.forms, ['https://evil.example/'])
  assert.deepEqual([view.passwords, view.scripts], [1, 1])
  assert.deepEqual(view.redirects, ['0;url=https://evil.example'])
  assert.equal(view.cut, false)
})

test('beyond the limits it stops and says so', () => {
  assert.equal(readHtml('<a href=x>y</a>'.repeat(LINKS_MAX + 1)).links.length, LINKS_MAX)
  for (const html of ['<a href=x>y</a>'.repeat(LINKS_MAX + 1), '<div>'.repeat(300), ' '.repeat(HTML_LENGTH_MAX + 1)])
    assert.equal(readHtml(html).cut, true)
})

test('text in the colour of its background is hidden; without a colour for both nothing is certain', () => {
  const view = readHtml(
    '<td bgcolor="#FFF">a<font color="white">poison</font></td><p style="color:rgb(255, 255, 255)">shown</p>',
  )
  assert.deepEqual([view.text.replace(/\s/g, ''), view.hidden, view.camouflaged], ['ashown', 'poison', 6])
  const picture = readHtml('<td bgcolor="#fff" background="a.png"><font color="#ffffff">shown</font></td>')
  assert.deepEqual([picture.text.trim(), picture.camouflaged], ['shown', 0])
})
