/** A web server that publishes MTA-STS policies, as domains do at mta-sts.DOMAIN; over real HTTPS. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { KeyAndCertificate } from '#sys/self-signed.ts'

export interface PolicyHost extends AsyncDisposable {
  /** What it was asked for: `mta-sts.dest.test/.well-known/mta-sts.txt`. */
  readonly asked: readonly string[]
  /** Nothing listens any more. */
  stop(): Promise<void>
}

/** `policies`: bodies by the domain whose policy it is; all others are 404. */
export async function startPolicyHost(
  { address, port, tls }: { address: string; port: number; tls: KeyAndCertificate },
  policies: ReadonlyMap<string, string>,
): Promise<PolicyHost> {
  const asked: string[] = []
  const server = createServer({ key: tls.keyPem, cert: tls.certificatePem }, ({ headers, url }, response) => {
    const { host = '' } = headers
    asked.push(`${host}${url}`)
    const body = policies.get(host.replace(/^mta-sts\./, ''))
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(body)
  })
  server.listen(port, address)
  await once(server, 'listening')
  return { asked, stop: () => stop(server), [Symbol.asyncDispose]: () => stop(server) }
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}
