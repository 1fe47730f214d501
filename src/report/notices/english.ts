/** The words of notices in English. */
import type { Count, Words } from './words.ts'

const messages = ({ n, text }: Count): string => `${text} ${n === 1 ? 'message' : 'messages'}`
const areHeld = ({ n }: Count): string => (n === 1 ? 'is' : 'are')

export const ENGLISH: Words = {
  common: {
    whatHappens: 'What happens to your mail',
    whatToDo: 'What you can do',
    closing: (hostname) => [
      `This notice was written automatically by Vorposten on ${hostname}. There is no need to answer it. For questions, please contact your provider.`,
    ],
    domains: 'Domains',
    since: 'Since',
    until: 'Until',
    lasted: 'Duration',
    waiting: 'Waiting',
    oldest: 'Oldest received',
    none: 'nothing',
    messages,
    andMore: ({ text }) => `and ${text} more`,
  },
  digest: {
    subject: (count, tenant) => `${messages(count)} held for your decision (${tenant})`,
    opening: (count, hostname) =>
      `${hostname} accepted ${messages(count)} for you and did not deliver ${count.n === 1 ? 'it' : 'them'}.`,
    noBounce:
      'The senders were not sent a non-delivery message, because sender addresses are often forged. Nothing is lost:',
    kept: 'we keep these messages until you decide.',
    keptForAWhile: 'we keep these messages until you decide, at most until the time given beside each.',
    all: (count) => `In all, ${messages(count)} ${areHeld(count)} held for you.`,
    caption: 'Newly held messages',
    columns: ['Message', 'From', 'To', 'Received', 'Why held', 'Kept until'],
    noSubject: '(no subject)',
    nobody: '<> (an automatic message)',
    keptForever: 'you decide',
    why: {
      refused: 'Your server refused it after we had accepted it',
      expired: 'Not delivered in time; the last attempt ended with',
      operator: 'Stopped by the operator of this relay',
      loop: 'The message goes round in a circle',
      policy: 'Held by a rule of yours',
      locked: 'Held because it looks as if a thief sent it',
    },
    more: (count) => `And ${count.text} more. Whoever operates this relay sees all of them with`,
    advice: {
      'unknown-recipients':
        'Unknown recipients (prerequisite R1): your server refused a recipient that we had taken for valid. If the address should exist, please create it. If not, your server should refuse unknown recipients during the SMTP dialogue (in its answer to RCPT TO). Then the sender learns of it at once, and nothing is held.',
      'content-rejection':
        'Content (prerequisite R3): it looks as if a filter on your server refused mail because of its content. Please let mail from our relay pass; marking it or moving it to a spam folder is fine. Only release a message if you trust it.',
      availability:
        'Availability (prerequisites R4 and R5): your server did not take these messages in time. Please make sure that it is permanently online at a fixed IP address and does not delay our relay, by greylisting for example.',
      loop: 'Loop: your server, or a forwarding, sends mail back to us. Please check where it delivers these domains, and release the messages after that.',
      'other-refusal':
        'Other refusals: please read the words of your server, quoted above. Release the messages when the cause is gone.',
    },
    decide:
      'Then decide on each message. Ask your provider, and give the ID of the message and what should happen to it.',
    operator: (isExample) =>
      `If you operate the relay yourself, these are the commands${isExample ? ', here for the first message' : ''}:`,
    release: 'Deliver again, when your server is ready to take it:',
    requeue: 'Deliver by another route, which you name:',
    redirect: 'Deliver to another address, which you name:',
    remove: 'Delete; nobody is told, and it cannot be undone:',
    placeholders: { route: 'ROUTE', address: 'ADDRESS' },
  },
  server: {
    subject: {
      down: (route) => `Your mail server cannot be reached (${route})`,
      stillDown: (route, count) => `Your mail server still cannot be reached (${route}), ${messages(count)} waiting`,
      up: (route) => `Your mail server can be reached again (${route})`,
      drained: (route) => `Delivery after the outage of your mail server (${route})`,
    },
    down: (route, since) => `We have not been able to reach your mail server (route ${route}) since ${since}.`,
    stillDown: (route, since) =>
      `We still cannot reach your mail server (route ${route}). It has been down since ${since}.`,
    up: (route, now, lasted) =>
      `Your mail server (route ${route}) can be reached again since ${now}. The outage lasted ${lasted}.`,
    seen: 'What we saw',
    knownKept: 'Mail to recipients that we know to exist is accepted and kept here.',
    unsureDeferred:
      'Mail to recipients that we cannot verify now is deferred: the sending server hears a temporary error and tries again later, as a rule for several days.',
    knownRefused: 'Mail to recipients that we know not to exist is refused, as always.',
    tried:
      'We keep trying. What cannot be delivered within its lifetime is held for your decision. It is neither deleted nor sent back.',
    triedUntil: (until) =>
      `We keep trying. The oldest message that waits is tried until ${until}. After that it is held for your decision. It is neither deleted nor sent back.`,
    check:
      'Please check that the server is running and that we can reach it: power, network, firewall, SMTP service, certificate.',
    noNeed:
      'When it is back, we notice by ourselves and deliver what waits, the oldest first. You need not do anything for that.',
    planned:
      'If the outage is planned, ask your provider to enter it as maintenance: then its time does not count for the lifetime of your mail. The command is',
    standing:
      'Prerequisite R5 of our relay is that your server is, as a rule, permanently online with a fixed IP address. A single outage is no breach of that.',
    drained: (count, took) => `We delivered ${messages(count)} that had waited; that took ${took}.`,
    draining: (count) =>
      `${messages(count)} ${count.n === 1 ? 'waits' : 'wait'}. We deliver now, the oldest first and gently, so that your server is not overloaded.`,
    drainedSince: (route, upSince) =>
      `Your mail server (route ${route}) can be reached again since ${upSince}. This is what became of the mail that had waited for it.`,
    putOff: (count) =>
      `${messages(count)} still ${count.n === 1 ? 'waits' : 'wait'}: your server has put ${count.n === 1 ? 'it' : 'them'} off. We keep trying.`,
    nothingWaited: 'Nothing is waiting for this server.',
    someHeld: (count) => `${messages(count)} ${areHeld(count)} held for your decision.`,
    someHeldToDo:
      'Please decide on the messages that are held. The list of held messages, which we send separately, says how.',
    nothingToDo: 'You need not do anything.',
    placeholders: { time: 'TIME' },
  },
  removed: {
    opening: 'A part of this message was removed before it was delivered to you.',
    files: 'File:',
    why: 'Why:',
    because: {
      malware: (name) => `a scanner found malware in it (${name})`,
      suspicious: (symbol) => `it looks like malware (${symbol})`,
      file: 'files of this kind are not accepted here',
      macro: 'it is an Office file with macros',
      encrypted: 'it is encrypted, so it cannot be checked',
      broken: 'it is damaged, so it cannot be checked',
      'over-limit': 'it is packed too deep or too large to be checked',
    },
    otherWay: 'If you expected it, please ask the sender to send it in another way.',
    ask: (postmaster, id) =>
      `If you have questions, ask ${postmaster ?? 'whoever runs your mail'} and name this number: ${id}`,
    sender: 'The sender was not told.',
    fileName: 'removed.txt',
  },
  login: {
    subject: (login) => `The login ${login} is locked: it looks stolen`,
    opening: (login) =>
      `Somebody sends with the login ${login} as spammers do. So we have locked it, for your sake: other servers would soon refuse all of your mail.`,
    locked: 'Locked',
    why: 'What we saw',
    sign: {
      'unknown-recipients': (count, of) =>
        `${count.text} of ${of.text} recipients within an hour do not exist, as in a list that was bought or guessed`,
      malware: (count) => `messages with malware within an hour: ${count.text}, each refused`,
      'sudden-volume': (count, of) => `${count.text} recipients within an hour, where ${of.text} were the most before`,
      'keeps-sending': (count) => `${count.text} recipients more, after we had slowed the login down`,
      bounces: (count, of) => `${count.text} of ${of.text} recipients within a day do not exist, as their servers said`,
      complaints: (count, of) => `${count.text} of ${of.text} recipients within a week called the mail spam`,
      'many-domains': (count, of) =>
        `recipients of ${count.text} domains within an hour, where ${of.text} were the most before`,
      'new-network': (count) => `${count.text} recipients within an hour from networks where it was never used before`,
    },
    refused: 'Nothing can be sent with this login, not even with the right password. Its user hears why.',
    held: 'What was sent with it and has not left yet is held. It leaves when the login is unlocked, unless it is deleted before.',
    others: 'Your other logins and your servers send as before. Mail to you arrives as before.',
    ask: 'Please ask the user whether this was a mailing of theirs. If it was, the list of recipients is bad: please have it cleaned up.',
    change:
      'If it was not, somebody else knows the password. Please look for malware on the devices of the user, and set another password; devices with an application password of their own need another one too.',
    unlock: 'Then ask your provider to unlock the login.',
    operator: 'If you operate the relay yourself, these are the commands:',
    look: 'From where the login was used:',
    sent: 'What it sent and is held:',
    remove: 'Delete what a thief sent, by the ID in that list:',
    passwd: 'Another password:',
    open: 'Unlock:',
  },
  senderDomain: {
    subject: {
      going: (domain) => `The DNS record of ${domain} is gone: soon you cannot send as it`,
      revoked: (domain) => `You cannot send as ${domain} any more`,
    },
    going: (domain, until) =>
      `You may send as ${domain} through us because a record in its DNS says so. The record is gone. If it stays away, you can send as ${domain} until ${until}, and no longer.`,
    revoked: (domain, now) =>
      `The record that lets you send as ${domain} is gone from DNS, and the time of grace is over. Since ${now} we do not take such mail any more.`,
    name: 'TXT record',
    text: 'Its text',
    until: 'Until then you send as before. We look for the record every hour.',
    noAnswer: 'If the name servers do not answer at all, nothing is taken from you.',
    refused: 'Your servers and users hear a refusal (550) when they send as this domain.',
    unsigned: 'Its DKIM keys with us sign nothing any more.',
    others: 'Your other domains are not concerned. Mail to you arrives as before.',
    publish: 'Please have the record published again, with exactly this text. Then you need not do anything else.',
    publishAgain:
      'Please have the record published again, with exactly this text. We see it within some minutes, and you can send again.',
    onPurpose: 'If you do not send as this domain any more, please ask your provider to remove it from your settings.',
    operator: 'If you operate the relay yourself, these are the commands:',
    show: 'The record, ready to paste:',
    look: 'Look for it now:',
  },
  maintenance: {
    subject: {
      began: (route) => `Maintenance has begun (${route})`,
      ending: (route) => `Maintenance ends soon (${route})`,
      ended: (route) => `Maintenance is over (${route})`,
    },
    began: (route, until) => `Delivery to your mail server (route ${route}) is paused for maintenance until ${until}.`,
    ending: (route, until) =>
      `The maintenance of your mail server (route ${route}) ends soon: we begin to deliver again on ${until}.`,
    ended: (route, now) =>
      `The maintenance of your mail server (route ${route}) is over. We deliver again since ${now}.`,
    reason: 'Reason',
    paused: 'What was accepted waits here. The time of the maintenance does not count for its lifetime.',
    resumes: 'At the end we deliver what waits, the oldest first and gently.',
    beReady: 'Please make sure that your server is ready for mail at the end of the maintenance.',
    endEarly: 'If you are ready earlier, tell your provider, or if you operate the relay yourself:',
    prolong: 'If you need more time, tell your provider, or if you operate the relay yourself:',
  },
}
