/** Each rule about links has a message that it speaks of, and one beside it that it must leave alone. */
import { pairs } from './testing.ts'

const a = (href: string, text = 'here'): string => `<p>text <a href="${href}">${text}</a></p>`
const from = 'Anna <anna@bakery.example.net>'
const own = 'https://www.example.net/a'

pairs({
  LINK_TEXT_DECEIVES: [
    { html: a('https://evil-host.org/', 'www.some-bank.com') },
    { html: a('https://www.some-bank.com/login', 'some-bank.com') + a('https://links.example.net/1', 'www.shop.com') },
  ],
  LINK_IP: [{ html: a('http://203.0.113.9/x') }, { html: a('https://v203.0.113.9.example.org/') }],
  LINK_HOST_DISGUISED: [{ html: a('http://0xcb007109/x') }, { html: a('http://203.0.113.9/x') }],
  LINK_SHORTENED: [{ text: 'see https://bit.ly/3xYz now' }, { text: 'see https://orbit.lyon.fr/3xYz now' }],
  LINK_REDIRECTS: [
    { html: a('https://maps.google.com/url?q=https%3A%2F%2Fevil-host.org%2Fx') },
    { html: a('https://www.google.com/search?q=house') },
  ],
  LINK_HOSTED: [
    { html: a('https://anything.pages.dev/') },
    { html: a('https://anything.pages.dev/'), from: 'Me <me@anything.pages.dev>' },
  ],
  LINK_CHEAP_SUFFIX: [{ html: a('https://abc.sbs/') }, { html: a('https://sbs.example.org/') }],
  SENDER_CHEAP_SUFFIX: [{ from: 'x <a@bob.cyou>' }, { from: 'x <cyou@example.org>' }],
  LINK_PORT: [{ html: a('https://example.org:8443/') }, { html: a('https://example.org:443/') }],
  LINK_MIXED_SCRIPT: [{ html: a('https://xn--pypal-4ve.com/') }, { html: a('https://xn--bcher-kva.example.de/') }],
  LINK_NAMES_READER: [
    { html: a('https://evil-host.org/#ben@mill.example.org') },
    { html: a('https://www.example.net/?e=ben@mill.example.org'), from },
  ],
  LINK_OPT_OUT_IS_OFFER: [
    { html: a('https://x.org/1', 'Buy now') + a('https://x.org/1', 'Unsubscribe') },
    { html: a('https://x.org/1', 'Buy now') + a('https://x.org/2', 'Unsubscribe') },
  ],
  LINK_PLACEHOLDER: [{ html: a('http://[unsubscribe_link]') }, { html: a('https://x.org/?q=[a]') }],
  LINK_UNENCRYPTED: [{ html: a('http://x.org/') }, { html: a('http://x.org/') + a('https://x.org/') }],
  LINK_ONE_FOREIGN: [
    { html: a('https://x.org/'), from },
    { html: a(own), from },
  ],
})
