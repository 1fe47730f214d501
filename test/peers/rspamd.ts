/**
 * Rspamd as Debian ships it, from a folder of its own, with a rule of ours instead of its own, so that it asks nobody outside
 * and does not compile patterns for half a minute: `TEST_WORD` hits messages with `cheap watches`.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { startChild } from '../harness/child.ts'
import { freePort } from '../harness/free-port.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { type Daemon, isListening, startDaemon } from './daemon.ts'

const RSPAMD = '/usr/bin/rspamd'
/** It reads its configuration, and compiles it, on a busy machine. */
const START_MS_MAX = 60_000

/** For the `skip` option of a test; in CI a missing Rspamd is a fault. */
export function withoutRspamd(): string | false {
  return process.env['CI'] || existsSync(RSPAMD) ? false : "needs Debian's rspamd: run test/peers/install as root"
}

export interface RspamdPeer extends Daemon {
  /** Of a socket on which it listens too. */
  readonly path: string
  readonly port: number
}

/** `rules`: in Lua. */
export async function startRspamd(rules: readonly string[] = []): Promise<RspamdPeer> {
  const folder = tempFolder('rspamd')
  const port = await freePort()
  const path = `${folder.path}/rspamd.socket`
  writeFileSync(`${folder.path}/tlds`, 'example\ntest\n')
  writeFileSync(`${folder.path}/rules.lua`, RULES + rules.join(''))
  writeFileSync(`${folder.path}/rspamd.conf`, configuration(folder.path, port))
  const daemon = await startDaemon({
    name: 'rspamd',
    folder,
    // As root it runs as root: the folder is ours.
    launch: () => startChild(RSPAMD, ['-f', '-i', '-c', `${folder.path}/rspamd.conf`]),
    isReady: () => isListening(port),
    startMsMax: START_MS_MAX,
  })
  return { ...daemon, path, port }
}

const configuration = (folder: string, port: number): string => `options {
  pidfile = "${folder}/pid";
  tempdir = "${folder}";
  url_tld = "${folder}/tlds";
  control_socket = "${folder}/control.socket mode=0600";
  hs_cache_dir = "${folder}/";
  cache_file = "${folder}/symbols.cache";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
  filters = "";
  max_message = 2mb;
}
logging { type = "console"; level = "warning"; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; bind_socket = "${folder}/rspamd.socket mode=0666"; count = 1; }
lua = "${folder}/rules.lua";
actions { reject = 15; add_header = 6; greylist = 4; }
`

const RULES = `
rspamd_config:register_symbol({ name = 'TEST_WORD', score = 7.0, callback = function(task)
  return string.find(tostring(task:get_content()), 'cheap watches', 1, true) ~= nil
end })
`

/** A rule that hits if Rspamd was told this: client, greeting, name, user, id, sender, recipients; `*`: whatever it is. */
export const envelopeRule = (symbol: string, told: readonly string[], points = 1): string => `
rspamd_config:register_symbol({ name = '${symbol}', score = ${points}, callback = function(task)
  local recipients = {}
  for _, recipient in ipairs(task:get_recipients('smtp') or {}) do table.insert(recipients, recipient.addr) end
  local from = task:get_from('smtp')
  local said = { tostring(task:get_from_ip()), tostring(task:get_helo()), tostring(task:get_hostname()),
    tostring(task:get_user()), tostring(task:get_queue_id()), from and from[1] and from[1].addr or 'none',
    table.concat(recipients, ' ') }
  for i, expected in ipairs({ ${told.map((one) => `'${one}'`).join(', ')} }) do
    if expected ~= '*' and expected ~= said[i] then return false end
  end
  return true
end })
`
