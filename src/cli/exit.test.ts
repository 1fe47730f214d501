import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CertificateFault } from '#accept/certificates.ts'
import { EXIT, reportError, UserError } from './exit.ts'
import { checkPorts } from './serve/check-ports.ts'

async function reported(action: Promise<unknown>): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = []
  const error = await action.then(
    () => assert.fail('no error'),
    (caught: unknown) => caught,
  )
  return { code: reportError(error, (line) => lines.push(line)), lines }
}

test('a port in use: one line that says what to do', async () => {
  const server = net.createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true })
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const { code, lines } = await reported(checkPorts([{ host: '127.0.0.1', port }]))
  server.close()
  assert.equal(code, EXIT.unavailable)
  assert.deepEqual(lines, [
    `vorposten: port ${port} on 127.0.0.1 is in use. ` +
      'Stop the server that has it (ss -ltnp shows which), or choose another port.',
  ])
  await checkPorts([{ host: '127.0.0.1', port }])
})

test('an address of another machine, and a privileged port', async () => {
  const foreign = await reported(checkPorts([{ host: '198.51.100.77', port: 2525 }]))
  assert.deepEqual([foreign.code, foreign.lines.length], [EXIT.config, 1])
  assert.match(foreign.lines[0]!, /198\.51\.100\.77 is no address of this machine/)
  const refused = Object.assign(new Error('listen EACCES'), {
    code: 'EACCES',
    syscall: 'listen',
    address: '::',
    port: 25,
  })
  const privileged = await reported(Promise.reject(refused))
  assert.equal(privileged.code, EXIT.config)
  assert.match(privileged.lines[0]!, /port 25 on :: needs a privilege\. .*CAP_NET_BIND_SERVICE/)
})

test('a folder that cannot be made or used', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'exit-'))
  await writeFile(join(folder, 'file'), '')
  const inTheWay = await reported(mkdir(join(folder, 'file', 'spool'), { recursive: true }))
  assert.equal(inTheWay.code, EXIT.cannotCreate)
  assert.match(inTheWay.lines.join(), /is in the way/)
  await rm(folder, { recursive: true })
  const refused = Object.assign(new Error('x'), { code: 'EACCES', syscall: 'mkdir', path: '/var/spool/x' })
  const denied = await reported(Promise.reject(refused))
  assert.deepEqual([denied.code, denied.lines.length], [EXIT.cannotCreate, 1])
  assert.match(denied.lines[0]!, /no permission for \/var\/spool\/x/)
})

test('a certificate at fault is the operator’s; anything else is a defect and keeps its stack', async () => {
  const fault = await reported(Promise.reject(new CertificateFault('certificate file a does not exist', 'Make it.')))
  assert.deepEqual(fault, { code: EXIT.config, lines: ['vorposten: certificate file a does not exist. Make it.'] })
  const own = await reported(Promise.reject(new UserError('a', 'B.', EXIT.unavailable)))
  assert.deepEqual(own, { code: 69, lines: ['vorposten: a. B.'] })
  const defect = await reported(Promise.reject(new TypeError('oops')))
  assert.equal(defect.code, EXIT.software)
  assert.match(defect.lines[0]!, /^vorposten: defect: TypeError: oops\n {4}at /)
})
