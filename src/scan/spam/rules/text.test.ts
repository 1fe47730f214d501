/** Each rule about texts has a message that it speaks of, and one beside it that it must leave alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pairs, said } from './testing.ts'

const link = ' https://x.example.org/'

pairs({
  TEXT_ADVANCE_FEE: [
    {
      replyTo: 'cole@gmail.com',
      text: 'Dear beneficiary, I am barrister Cole. My late client left the sum of $12,500,000.00. Reply to my private email cole@gmail.com, this is confidential.',
    },
    {
      text: 'The inheritance tax was raised, says the central bank. The fund lost two million dollars, a barrister said.',
    },
  ],
  TEXT_EXTORTION: [
    {
      text: 'Ich habe einen Trojaner auf Ihrem Gerät und Aufnahmen von Ihrer Kamera. Zahlen Sie in Bitcoin: 1F1tAaz5x1HUXrCNLbtMDqcw6o5GNn4xqX',
    },
    { text: 'The camera of your device recorded a bird. Pay the invoice within 48 hours.' },
  ],
  TEXT_LOTTERY: [
    {
      replyTo: 'claims@gmail.com',
      text: 'You have won the lottery, a lucky draw! The prize waits: contact our claims agent with your full name.',
    },
    { text: 'Our choir has won a prize at the festival, and we are the winners of the year.' },
  ],
  TEXT_PROFIT: [
    { text: `Earn money: guaranteed profit, passive income, financial freedom.${link}` },
    { text: `The profit of the year and what we invest next.${link}` },
  ],
  TEXT_WONDER_CURE: [
    {
      subject: 'This trick ends tinnitus',
      text: `Scientists discovered a weird ritual that reverses hearing loss overnight.${link}`,
    },
    { subject: 'Your appointment', text: `The doctor sees you about your diabetes on Monday.${link}` },
  ],
  TEXT_DRUGS: [
    { text: `Viagra, Cialis and Levitra from a Canadian pharmacy.${link}` },
    { text: `The pharmacy at the station is closed today.${link}` },
  ],
  TEXT_FINANCE: [
    { subject: 'Personal loan', text: `Bad credit? We help.${link}` },
    { subject: 'Minutes', text: `We talked about the mortgage of the hall.${link}` },
  ],
  TEXT_GIFT: [
    {
      subject: 'Claim your reward',
      text: `Congratulations, you have been selected for a survey. A gift card is waiting.${link}`,
    },
    { subject: 'Birthday', text: `What gift shall we bring for Anna?${link}` },
  ],
  TEXT_ROMANCE: [{ text: `Hot girls near you, lonely singles.${link}` }, { text: `My girls play football.${link}` }],
  TEXT_PITCH: [
    { text: 'We are a team for website design, SEO and mobile app development. Are you interested in our services?' },
    { text: 'Our new website is nice, the design is by Anna.' },
  ],
  TEXT_CASINO: [
    { text: `Casino night: free spins and a welcome bonus.${link}` },
    { text: `The casino of Baden-Baden is worth a visit.${link}` },
  ],
  TEXT_CUT_BY_INVISIBLE: [
    { subject: 'V\u200bi\u200bagra' },
    { subject: 'Donau\u00addampf\u00adschiff \u200b and \u200b' },
  ],
  TEXT_LOOK_ALIKE_LETTERS: [{ subject: 'P\u0430ypal' }, { subject: 'Привет from Anna' }],
  TEXT_DRESSED_LETTERS: [{ subject: '𝗕𝗹𝗶𝗻𝗱𝘀 for you' }, { subject: 'The set ℝ and x² and ™' }],
  TEXT_SPACED_LETTERS: [{ subject: 'V i a g r a here' }, { subject: 'Plan B or C for A to Z' }],
  TEXT_RANDOM_WORDS: [
    {
      text: 'a8sd7fk2 q9wkej4r x7cvbn1m k3jhgf5d p2oiuy8t z6xcvb0n m4nbvc9x l1kjhg7f w5ertz3q y8uiop2a s6dfgh1j d3fghj9k f7ghjk4l g2hjkl8o h5jklm1i',
    },
    { text: 'We met at the river and walked along it until the sun went down, then ABC1234 drove us home again.' },
  ],
  SUBJECT_ORNAMENTS: [{ subject: '➤➤ Get your quote' }, { subject: '🎁 A gift for you — really' }],
})

test('in a thread, words count half', () => {
  const mail = { subject: 'Viagra', text: `Cialis, Levitra and a pharmacy${link}` }
  const weight = said(mail).get('TEXT_DRUGS')!
  assert.equal(said({ ...mail, fields: ['References: <a@b.example>'] }).get('TEXT_DRUGS'), weight / 2)
})
