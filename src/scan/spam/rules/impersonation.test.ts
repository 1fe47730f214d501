/** Each rule about names has a message that it speaks of, and one beside it that it must leave alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNear } from '../brands.ts'
import type { SpamAbout } from '../contract.ts'
import { pairs, said } from './testing.ts'

const about: SpamAbout = { tenant: { domains: ['backhaus.example'], people: ['Anna Beck'] } }
const link = (href: string): string => `<p>see <a href="${href}">this</a></p>`

pairs(
  {
    IMPERSONATES_BRAND: [{ from: 'PayPal Support <x@some-host.org>' }, { from: 'PayPal <service@mail.paypal.co.uk>' }],
    IMPERSONATES_BRAND_FORGED: [{ from: 'WaImart <x@some-host.org>' }, { from: 'Walmart <x@walmart.com>' }],
    SENDER_LOOKS_LIKE_BRAND: [{ from: 'x <x@paypa1.com>' }, { from: 'x <x@payday.com>' }],
    LINK_LOOKS_LIKE_BRAND: [
      { html: link('https://paypal.com.account-check.org/') },
      { html: link('https://www.paypal.com/account') },
    ],
    IMPERSONATES_OWN_DOMAIN: [{ from: 'Anna <anna@backhaus-secure.com>' }, { from: 'Anna <anna@backhouse.com>' }],
    IMPERSONATES_OWN_NAME: [
      { from: '"backhaus.example Helpdesk" <x@some-host.org>' },
      { from: '"backhaus.example Helpdesk" <x@it.backhaus.example>' },
    ],
    IMPERSONATES_COLLEAGUE: [{ from: '"Beck, Dr. Anna" <ceo77@gmail.com>' }, { from: 'Anna Becker <anna@gmail.com>' }],
    NAME_IS_OTHER_ADDRESS: [
      { from: '"anna@mill-town.org" <x@some-host.org>' },
      { from: '"anna@some-host.org" <x@mail.some-host.org>' },
    ],
    REPLY_TO_FREE_MAIL: [
      { from: 'x <x@some-host.org>', replyTo: 'other@gmail.com' },
      { from: 'x <x@gmail.com>', replyTo: 'Me <x@gmail.com>' },
    ],
  },
  about,
)

test('a name that is an ordinary word counts only as an office of that firm', () => {
  for (const [name, counts] of [
    ['Apple Support', true],
    ['Apple', true],
    ['Apple Pie Recipes', false],
    ['Chase Miller', false],
    ['Chase Online Security', true],
  ] as const)
    assert.equal(said({ from: `${name} <x@some-host.org>` }).has('IMPERSONATES_BRAND'), counts, name)
})

test('one letter wrong, missing, too much or moved is near; two are not, and a short name is near to too many', () => {
  for (const word of ['paypol', 'paypall', 'papal', 'paypla'])
    assert.equal(isNear(word, 'paypal'), word !== 'papal', word)
  for (const word of ['paypal', 'pypol', 'baypal', 'payday']) assert.equal(isNear(word, 'paypal'), false, word)
})
