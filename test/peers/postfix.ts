/**
 * Debian's Postfix with configuration, queue and data in a folder of its own.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { runToEnd, startChild } from '../harness/child.ts'
import {
  executable,
  filterFile,
  mailFolder,
  type Peer,
  type PeerKind,
  type PeerOptions,
  type PeerSettings,
  startPeer,
} from './peer.ts'

export const startPostfix = (options: PeerOptions): Promise<Peer> => startPeer(POSTFIX, options)

const POSTFIX: PeerKind = {
  name: 'postfix',
  prepare(settings) {
    const { folder } = settings
    for (const name of ['etc', 'spool', 'data']) mkdirSync(`${folder}/${name}`)
    writeFileSync(`${folder}/etc/main.cf`, `${mainCf(settings)}\n`)
    writeFileSync(`${folder}/etc/master.cf`, `${masterCf(settings)}\n`)
    writeFileSync(`${folder}/mail.log`, '')
    if (settings.login) passwordFile(folder, settings.login)
  },
  // The owner of the data folder is for Postfix to set: only it knows its user.
  run: ({ folder }) =>
    startChild('/bin/sh', ['-c', START, executable('postfix'), `${folder}/etc`, `${folder}/data`, mailFolder(folder)]),
  filter: (word) => (word === undefined ? '' : `/^Subject: .*${word}/ REJECT 5.7.1 smells of spam\n`),
  async flush({ folder }) {
    await runToEnd(executable('postfix'), ['-c', `${folder}/etc`, 'flush'])
  },
  log: ({ folder }) => readFileSync(`${folder}/mail.log`, 'utf8').split('\n'),
}

// `start-fg` puts a shell between us and the master, which a signal to that shell does not reach; so the master itself.
const START =
  'chown postfix "$2" && chown 65534 "$3" && "$0" -c "$1" check; MAIL_CONFIG="$1" exec /usr/lib/postfix/sbin/master -s'

function mainCf(settings: PeerSettings): string {
  const { folder, keyFile, certificateFile } = settings
  return `compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.test
mydestination =
local_recipient_maps =
local_transport = error:no local mail
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtp_tls_security_level = may
smtpd_tls_security_level = may
smtpd_tls_key_file = ${keyFile}
smtpd_tls_cert_file = ${certificateFile}
header_checks = regexp:${filterFile(folder)}
${transports(settings)}
minimal_backoff_time = 2s
maximal_backoff_time = 2s
queue_run_delay = 1s
${settings.login ? SASL : ''}
${recipients(settings)}`
}

function transports({ folder, relayTo, accept }: PeerSettings): string {
  if (relayTo !== undefined) {
    return `default_transport = smtp:[127.0.0.1]:${relayTo}
relay_transport = smtp:[127.0.0.1]:${relayTo}`
  }
  // The mailboxes belong to nobody (65534): Postfix refuses low ids. The slash at the end means Maildir.
  const mailboxes = (accept?.users ?? []).map((user) => `{${user}=${user.split('@', 1)[0]}/}`).join(' ')
  return `default_transport = error:not ours
relay_transport = virtual
virtual_mailbox_base = ${mailFolder(folder)}
virtual_mailbox_maps = inline:{${mailboxes}}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534`
}

const SASL = `smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_tls_auth_only = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject`

/** Cyrus SASL's own file of passwords, which Postfix's processes read under their own user. */
function passwordFile(folder: string, { name, password }: NonNullable<PeerSettings['login']>): void {
  const [user = '', realm = ''] = name.split('@')
  const file = `${folder}/sasldb2`
  // Debian's Postfix looks here and nowhere else, whatever cyrus_sasl_config_path says.
  mkdirSync(`${folder}/etc/sasl`)
  writeFileSync(
    `${folder}/etc/sasl/smtpd.conf`,
    `pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: ${file}\nmech_list: PLAIN SCRAM-SHA-256\n`,
  )
  const made = spawnSync(executable('saslpasswd2'), ['-p', '-c', '-f', file, '-u', realm, user], { input: password })
  if (made.status !== 0) throw new Error(`saslpasswd2: ${made.stderr}`)
  chmodSync(file, 0o644)
}

function recipients({ accept, login }: PeerSettings): string {
  if (login) return 'smtpd_recipient_restrictions = permit_sasl_authenticated, reject'
  if (!accept) return 'smtpd_recipient_restrictions = permit_mynetworks, reject'
  const known = accept.users.map((user) => `{${user}=OK}`).join(' ')
  return `relay_domains = ${accept.domain}
relay_recipient_maps = inline:{${known}}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination
unknown_relay_recipient_reject_code = 550`
}

// Each `cleanup` reads the filter once, and is used for one message, so that a new filter holds for the next.
const masterCf = ({ address, port, implicitTls }: PeerSettings): string => `${address}:${port} inet n - n - - smtpd
${implicitTls ? '  -o smtpd_tls_wrappermode=yes\n' : ''}pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup -o max_use=1
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
virtual unix - n n - - virtual
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd`
