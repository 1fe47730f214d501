/**
 * Debian's OpenSMTPD, unpacked. Its queue and its control socket have compiled-in places, so it gets a mount namespace
 * in which those places are folders of its own; several can run side by side, and nothing of the machine is touched.
 *
 * It offers no STARTTLS: this build fails in every handshake as a server, whatever the kind of key (its signing engine
 * and OpenSSL 3 do not agree). As a client it uses TLS where we offer it.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { runToEnd, startChild } from '../harness/child.ts'
import { executable, type Peer, type PeerKind, type PeerOptions, type PeerSettings, startPeer } from './peer.ts'

export const startOpenSmtpd = (options: PeerOptions): Promise<Peer> => startPeer(OPENSMTPD, options)

const OPENSMTPD: PeerKind = {
  name: 'opensmtpd',
  prepare(settings) {
    const { folder } = settings
    for (const name of ['spool', 'run']) mkdirSync(`${folder}/${name}`)
    chmodSync(`${folder}/spool`, 0o711)
    writeFileSync(`${folder}/smtpd.conf`, `${configuration(settings)}\n`)
    chmodSync(`${folder}/smtpd.conf`, 0o600)
  },
  run: ({ folder }) => startChild('unshare', ['--mount', '/bin/sh', '-c', START, executable('opensmtpd'), folder]),
  // A process of the namespace is the only way to its control socket.
  async flush(_settings, { pid }) {
    const schedule = [executable('opensmtpd', 1), 'schedule', 'all']
    await runToEnd('nsenter', [`--target=${pid}`, '--mount', '--root', ...schedule])
  },
  log: (_settings, child) => child.lines,
}

const START = `mount --bind "$1/spool" /var/spool/smtpd && mount --bind "$1/run" /run &&
exec "$0" -d -f "$1/smtpd.conf"`

function configuration({ address, port, relayTo, accept }: PeerSettings): string {
  if (relayTo === undefined) throw new Error('OpenSMTPD has no mailboxes here: it needs relayTo')
  const users = accept?.users.map((user) => `"${user}"`).join(', ')
  const match = accept ? `match from any for domain "${accept.domain}" rcpt-to <users>` : 'match from any for any'
  return `mta limit conn-delay-relay 0
${users ? `table users { ${users} }` : ''}
listen on ${address} port ${port} hostname opensmtpd.test
action "onward" relay host smtp://127.0.0.1:${relayTo}
${match} action "onward"`
}
