/**
 * What only the listeners and common settings together can show: two users of one address, settings that contradict
 * each other, figures below what the RFCs ask for.
 */
import type { Endpoint } from '#mail/session.ts'
import type { Draft, RelayDraft } from './draft.ts'
import { endpointText, MINUTE_MS } from './units.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

type Listener = NonNullable<RelayDraft['listeners']>[number]

export function checkListeners({ relay }: Draft, yaml: YamlText): void {
  checkNames(relay, yaml)
  checkAddresses(relay, yaml)
  for (const [i, listener] of (relay.listeners ?? []).entries()) {
    const path = ['listeners', i]
    if (listener.tls === 'none' && listener.certificates !== undefined) {
      const message = 'are of no use where tls is none'
      yaml.report('error', [...path, 'certificates'], message, { hint: 'remove them, or set tls: starttls' }, 'key')
    }
    if (listener.tls !== 'none' && listener.certificates === undefined) {
      const message = `${listener.name} has no certificate: a self-signed one will be made, which nobody can verify`
      yaml.report('warning', path, message, { hint: 'certificates: {certificate: …, key: …}' })
    }
    checkSubmission(listener, path, yaml)
    if (listener.tls === 'implicit' && listener.addresses.some(({ port }) => port === 25)) {
      yaml.report('warning', [...path, 'tls'], 'on port 25 other servers begin in clear text and will not get through')
    }
  }
  checkFigures(relay, yaml)
}

function checkSubmission({ service, tls, addresses }: Listener, path: SettingPath, yaml: YamlText): void {
  if (service !== 'submission') return
  if (tls === 'none') {
    const message = 'users would send their passwords in clear: nobody could log in'
    yaml.report('error', [...path, 'tls'], message, { allowed: 'starttls (port 587) or implicit (port 465)' })
  }
  if (addresses.some(({ port }) => port === 25)) {
    const message = 'port 25 is for other servers, which have no login'
    yaml.report('warning', [...path, 'service'], message, { hint: 'use port 587 or 465' })
  }
}

function checkNames(relay: RelayDraft, yaml: YamlText): void {
  const first = new Map<string, SettingPath>()
  for (const [i, { name }] of (relay.listeners ?? []).entries()) {
    const path = ['listeners', i, 'name']
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, path)
    else yaml.report('error', path, `two listeners are called ${name}`, firstOne(yaml, earlier))
  }
}

function checkAddresses(relay: RelayDraft, yaml: YamlText): void {
  const used = new Map<string, SettingPath>()
  const take = (address: Endpoint, path: SettingPath): void => {
    const text = endpointText(address)
    const earlier = used.get(text)
    // Port 0 is another one each time.
    if (earlier === undefined && address.port !== 0) used.set(text, path)
    else if (earlier !== undefined) yaml.report('error', path, `${text} is used twice`, firstOne(yaml, earlier))
  }
  for (const [i, { addresses }] of (relay.listeners ?? []).entries()) {
    for (const [j, address] of addresses.entries()) take(address, ['listeners', i, 'addresses', j])
  }
  const http = relay.http?.address
  if (http !== undefined && http !== 'off') take(http, ['http', 'address'])
}

function checkFigures(relay: RelayDraft, yaml: YamlText): void {
  if (relay.limits !== undefined && relay.limits['hops-max'] < 100) {
    yaml.report(
      'warning',
      ['limits', 'hops-max'],
      'RFC 5321 §6.3 asks for at least 100: mail with many hops will be lost',
    )
  }
  const times: [SettingPath, number | undefined][] = [[['limits'], relay.limits?.['command-time-max']]]
  for (const [i, { limits }] of (relay.listeners ?? []).entries()) {
    times.push([['listeners', i, 'limits'], limits?.['command-time-max']])
  }
  for (const [path, timeMs] of times) {
    if (timeMs === undefined || timeMs >= 5 * MINUTE_MS) continue
    yaml.report('warning', [...path, 'command-time-max'], 'RFC 5321 §4.5.3.2.7 asks for at least 5m')
  }
}

export const firstOne = (yaml: YamlText, path: SettingPath) => ({
  related: [{ position: yaml.locate(path, 'key'), text: 'the first one' }],
})
