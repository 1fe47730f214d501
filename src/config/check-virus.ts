/** Whether the servers of an engine speak what the engine speaks. */
import type { Draft } from './draft.ts'
import type { YamlText } from './yaml-text.ts'

export function checkVirus({ relay }: Draft, yaml: YamlText): void {
  for (const [name, { kind, servers }] of Object.entries(relay.virus?.engines ?? {})) {
    const path = ['virus', 'engines', name]
    for (const server of servers) {
      if ((server.kind === 'icap') === (kind === 'icap')) continue
      const message =
        kind === 'icap' ? 'an engine of the kind icap has servers icap://address:port/service' : SPEAKS_ICAP
      yaml.report('error', [...path, 'servers'], message, {
        hint: kind === 'icap' ? 'or leave out kind: clamd is meant' : 'kind: icap',
      })
      break
    }
  }
}

const SPEAKS_ICAP = 'a server speaks ICAP, and the engine does not'
