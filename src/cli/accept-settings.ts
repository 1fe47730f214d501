/** The configuration, as the listeners want it. One listener of the file with several addresses becomes several here. */

import { ACCEPT_DEFAULTS, type AcceptSettings, type ListenerSettings } from '#accept/settings.ts'
import { MECHANISMS } from '#auth/sasl/mechanisms.ts'
import type { Config, ListenerConfig } from '#config/config.ts'

export function acceptSettings(config: Config): AcceptSettings {
  return {
    ...ACCEPT_DEFAULTS,
    sessionsMax: config.limits.sessionsMax,
    listeners: config.listeners.flatMap((listener) =>
      listener.addresses.map((_, i) => listenerSettings(config, listener, i)),
    ),
  }
}

function listenerSettings(config: Config, listener: ListenerConfig, address: number): ListenerSettings {
  const endpoint = listener.addresses[address]!
  return {
    name: address === 0 ? listener.name : `${listener.name}-${address + 1}`,
    host: endpoint.address,
    port: endpoint.port,
    service: listener.service,
    tls: listener.tls,
    certificates: listener.certificates,
    proxyFrom: listener.proxyFrom,
    clients: { ...listener.clientLimits, exempt: listener.exemptFromLimits },
    earlyTalkerDelayMs: listener.earlyTalkerDelayMs,
    earlyTalkerExempt: listener.exemptFromLimits,
    smtp: {
      hostname: config.hostname,
      limits: listener.limits,
      requireTls: listener.service === 'submission' && listener.tls === 'starttls',
      lineEnds: listener.lineEnds,
      authMechanisms: listener.service === 'inbound' ? [] : MECHANISMS,
      etrn: config.domains.some((domain) => domain.etrnFrom !== undefined),
    },
  }
}
