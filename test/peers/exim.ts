/**
 * Debian's Exim (heavy), unpacked. Given a configuration by `-C` it gives up root and goes on as its own user, which is
 * all that ports above 1024 and a folder of its own need.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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

export const startExim = (options: PeerOptions): Promise<Peer> => startPeer(EXIM, options)

const EXIM: PeerKind = {
  name: 'exim',
  prepare(settings) {
    const { folder } = settings
    for (const name of ['spool', 'log']) mkdirSync(`${folder}/${name}`)
    writeFileSync(`${folder}/exim.conf`, `${configuration(settings)}\n`)
    writeFileSync(`${folder}/log/mainlog`, '')
  },
  run({ folder }) {
    const owned = ['spool', 'log', 'log/mainlog', 'mail', 'key.pem', 'certificate.pem'].map(
      (name) => `${folder}/${name}`,
    )
    return startChild('/bin/sh', ['-c', START, executable('exim'), `${folder}/exim.conf`, ...owned])
  },
  filter: (word) => word ?? '',
  async flush({ folder }) {
    await runToEnd(executable('exim'), ['-C', `${folder}/exim.conf`, '-qff'])
  },
  log: ({ folder }) => readFileSync(`${folder}/log/mainlog`, 'utf8').split('\n'),
}

const START = 'conf=$1; shift; chown Debian-exim "$@" && exec "$0" -C "$conf" -bdf -q1s'

function configuration(settings: PeerSettings): string {
  const { folder, address, port, keyFile, certificateFile, accept, login, implicitTls } = settings
  const filter = filterFile(folder)
  return `keep_environment =
primary_hostname = exim.test
exim_path = ${executable('exim')}
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/spool/exim.pid
local_interfaces = ${address}
daemon_smtp_ports = ${port}
${implicitTls ? `tls_on_connect_ports = ${port}` : ''}
disable_ipv6 = true
domainlist served = ${accept?.domain ?? '*'}
acl_smtp_rcpt = at_rcpt
acl_smtp_data = at_data
tls_advertise_hosts = *
tls_certificate = ${certificateFile}
tls_privatekey = ${keyFile}
host_lookup =
rfc1413_hosts =
dns_ipv4_lookup = *
queue_run_in_order = true
deliver_drop_privilege = true
never_users = root
${login ? `auth_advertise_hosts = \${if eq{$tls_in_cipher}{}{}{*}}` : ''}
begin acl
at_rcpt:
${login ? '  deny message = log in first\n       !authenticated = *' : ''}
  deny message = relay not permitted
       domains = !+served
  deny message = no such user here
       !verify = recipient
  accept
at_data:
  deny message = smells of spam
       condition = \${if eq{\${readfile{${filter}}}}{}{no}{\${if match{$rh_subject:}{\${readfile{${filter}}}}}}}
  accept
begin routers
onward:
  ${accept ? `local_parts = ${accept.users.map((user) => user.split('@', 1)[0]).join(' : ')}` : ''}
  transport = onward
  ${router(settings)}
begin transports
onward:
  ${transport(settings)}
begin retry
* * F,1h,1s
${login ? authenticators(login) : ''}`
}

const authenticators = ({ name, password }: NonNullable<PeerSettings['login']>): string => `begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{${name}}}{eq{$auth3}{${password}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = \${if and{{eq{$auth1}{${name}}}{eq{$auth2}{${password}}}}}
  server_set_id = $auth1`

const router = ({ relayTo }: PeerSettings): string =>
  relayTo === undefined ? 'driver = accept' : 'driver = manualroute\n  route_list = * 127.0.0.1 byname\n  self = send'

const transport = ({ relayTo, folder }: PeerSettings): string =>
  relayTo === undefined
    ? `driver = appendfile
  directory = ${mailFolder(folder)}/$local_part_data
  maildir_format
  return_path_add`
    : `driver = smtp
  port = ${relayTo}`
