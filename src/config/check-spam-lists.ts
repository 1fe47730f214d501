/** Whether DNS lists can be asked, and what they answer be understood. */
import type { Endpoint } from '#mail/session.ts'
import type { Draft } from './draft.ts'
import { readCodePattern } from './resolve-spam-lists.ts'
import type { SpamListWritten } from './schema-spam-lists.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

/** Each is asked about each client or domain; nobody needs more. */
export const LISTS_MAX = 30

/** Resolvers for everybody: the large lists answer them with an error, or with nothing at all. */
const PUBLIC_RESOLVERS: readonly string[] = [
  ...['8.8.8.8', '8.8.4.4', '2001:4860:4860::8888', '2001:4860:4860::8844'],
  ...['1.1.1.1', '1.0.0.1', '2606:4700:4700::1111', '2606:4700:4700::1001'],
  ...['9.9.9.9', '149.112.112.112', '2620:fe::fe', '2620:fe::9'],
  ...['208.67.222.222', '208.67.220.220', '2620:119:35::35', '2620:119:53::53'],
]

const CODES_ALLOWED = '127.0.0.2, 127.0.0.0/24, 127.0.*.3, or bit-8 (2 to 128)'

export function checkSpamLists({ relay }: Draft, yaml: YamlText): void {
  const lists = Object.entries(relay.spam?.lists ?? {})
  const path = ['spam', 'lists']
  if (lists.length > LISTS_MAX) {
    yaml.report('error', path, `there are ${lists.length} lists`, { allowed: `${LISTS_MAX} at most` }, 'key')
  }
  for (const [name, list] of lists) checkList([...path, name], list, yaml)
  if (lists.length > 0) checkResolvers(relay['name-servers'] ?? [], yaml)
}

function checkList(path: SettingPath, list: SpamListWritten, yaml: YamlText): void {
  const { kind, weight, codes = {}, welcome } = list
  if (weight === undefined && Object.keys(codes).length === 0) {
    yaml.report(
      'error',
      path,
      'neither weight nor codes: what it says would count nothing',
      { hint: 'weight: 3' },
      'key',
    )
  }
  if (welcome && kind.some((one) => one !== 'client')) {
    const hint = 'anybody can write a good domain into a message; only addresses cannot be chosen'
    yaml.report('error', [...path, 'welcome'], 'a list that welcomes is of the kind client alone', { hint })
  }
  for (const code of Object.keys(codes)) checkCode([...path, 'codes', code], code, yaml)
}

function checkCode(path: SettingPath, code: string, yaml: YamlText): void {
  const pattern = readCodePattern(code)
  if (pattern === undefined) {
    yaml.report('error', path, `${code} is no code of a list`, { allowed: CODES_ALLOWED }, 'key')
  } else if (code === '127.0.0.1' || code.startsWith('127.255.255.')) {
    const hint = 'lists answer so when they refuse to answer: the list is then set aside'
    yaml.report('error', path, `${code} is an error, never a listing`, { hint }, 'key')
  }
}

function checkResolvers(servers: readonly Endpoint[], yaml: YamlText): void {
  const found = servers.find(({ address }) => PUBLIC_RESOLVERS.includes(address))
  if (found === undefined) return
  const hint = 'a resolver of your own, such as unbound on this machine'
  yaml.report('warning', ['name-servers'], `${found.address} is a public resolver: most DNS lists refuse it`, { hint })
}
