/**
 * The customer has a real Exim, or a real Postfix. It refuses two messages after our 250: one for its content, one because
 * the mailbox is gone. Its postmaster finds the digest in the mailbox on that same server, reads it with a reader that is
 * not ours, and does what it says; the mail arrives. The sender, who is forged, hears nothing from anybody.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { startExim } from '../peers/exim.ts'
import { type Peer, without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'
import { type ReadMail, readMail, withoutPython } from '../peers/python-mail.ts'

const message = (to: string, subject: string) => ({
  from: 'forged@victim.test',
  to: [to],
  content: `From: Forged <forged@victim.test>\r\nTo: <${to}>\r\nSubject: ${subject}\r\n\r\nplease\r\n`,
})

function config(peer: Peer, language: 'de' | 'en') {
  const { tenants } = bakery(peer.port, { commit: 'spool' }) as unknown as { tenants: { bakery: object } }
  const notices = { 'collect-time': '1s' }
  return { notices, tenants: { bakery: { ...tenants.bakery, postmaster: 'chef@dest.test', language } } }
}

async function digestAt(peer: Peer): Promise<ReadMail> {
  await waitFor('the digest in the mailbox', () => peer.mail('chef').length > 0, {
    context: () => peer.log().join('\n'),
  })
  const [octets] = peer.mail('chef')
  return readMail(octets!)
}

/** The id that stands below the subject of a message. */
const idBelow = (subject: string, { texts }: ReadMail): string =>
  new RegExp(`“${subject}”\\s+([0-9A-Z]{15})\\b|„${subject}“\\s+([0-9A-Z]{15})\\b`)
    .exec(texts[0] ?? '')
    ?.slice(1)
    .find(Boolean) ?? ''

const PEERS = [
  {
    name: 'exim',
    start: startExim,
    language: 'de',
    command: /zustellen, wenn Ihr Server sie jetzt annimmt:\s+vorposten queue release [0-9A-Z]{15}\n/,
  },
  { name: 'postfix', start: startPostfix, language: 'en', command: /\n\s+vorposten queue release [0-9A-Z]{15}\n/ },
] as const

for (const { name, start, language, command } of PEERS) {
  test(`${name} refuses, its postmaster reads the digest there and releases the mail to it`, {
    skip: without(name) || withoutPython(),
  }, async () => {
    await using peer = await start({ accept: { domain: 'dest.test', users: ['anna@dest.test', 'chef@dest.test'] } })
    await using relay = await startVorposten({ config: config(peer, language) })
    peer.filter('loaves')
    using talk = await greeted(relay.port)
    assert.match((await talk.message(message('anna@dest.test', 'two loaves'))).text, /^250 /)
    assert.match((await talk.message(message('gone@dest.test', 'one cake'))).text, /^250 /)
    await relay.loggedTimes(2, /status=held/)

    const digest = await digestAt(peer)
    assert.deepEqual(digest.defects, [])
    assert.deepEqual(digest.types, ['multipart/alternative', 'text/plain', 'text/html'])
    assert.match(digest.fields['return-path'] ?? '', /^<>$/)
    assert.equal(digest.fields['to'], 'chef@dest.test')
    assert.equal(digest.fields['auto-submitted'], 'auto-generated')
    assert.match(digest.fields['subject'] ?? '', /^2 /)
    const [text = '', html = ''] = digest.texts
    for (const form of [text, html]) {
      for (const words of [/smells\s+of\s+spam/, /forged@victim\.test/, /gone@dest\.test/]) assert.match(form, words)
    }
    assert.match(text, command)

    const [loaves, cake] = [idBelow('two loaves', digest), idBelow('one cake', digest)]
    peer.filter(undefined)
    assert.match((await relay.command('queue', 'release', loaves)).text, /1 of 1 done/)
    assert.match((await relay.command('queue', 'release', cake, '--to', 'anna@dest.test')).text, /1 of 1 done/)
    await waitFor('both messages in the mailbox', () => peer.mail('anna').length === 2, {
      context: () => [...relay.log(), ...peer.log()].slice(-60).join('\n'),
    })
    const released = peer.mail('anna').map(readMail)
    assert.deepEqual(released.map(({ fields }) => fields['subject']).sort(), ['one cake', 'two loaves'])
    for (const { fields } of released) assert.equal(fields['return-path'], '<forged@victim.test>')
    await relay.loggedTimes(3, /removed$/)
    assert.match((await relay.command('queue', 'list')).text, /^The queue is empty\.$/)

    // Law 2: neither we nor the server has written to the sender; the server would have tried, and logged it.
    const toVictim = [...relay.log(), ...peer.log()].filter((line) =>
      /(?:to=<|=> |-> |\*\* |== )forged@victim/.test(line),
    )
    assert.deepEqual(toVictim, [])
    assert.equal(peer.mail('chef').length, 1)
  })
}
