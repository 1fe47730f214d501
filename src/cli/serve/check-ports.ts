/**
 * Are the ports free? Asked once before the workers start. Workers share their ports, and the kernel lets every process
 * of the same user share them too: without this a second Vorposten would quietly take half of the mail of the first.
 */
import { once } from 'node:events'
import net from 'node:net'

/** Rejects with Node's error of the first address that cannot be listened on (see `toUserError`). */
export async function checkPorts(
  endpoints: readonly { readonly host: string; readonly port: number }[],
): Promise<void> {
  for (const { host, port } of endpoints) {
    const server = net.createServer()
    await once(server.listen({ host, port, exclusive: true }), 'listening')
    await new Promise((resolve) => server.close(resolve))
  }
}
