/**
 * `npm run demo -- send --port N --to ADDRESS`: sends one of the real messages to the relay of a running demo, and shows
 * the SMTP session as it is on the wire. For visitors without swaks. To loopback only.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { wireMessage, withCrlf } from './messages.ts'
import { SendingServer } from './sending-server.ts'

const USAGE = 'npm run demo -- send --port N [--from ADDRESS] [--to ADDRESS] [FILE]'
const EXIT_USAGE = 64

/** 0: taken. 1: refused or deferred. */
export async function sendCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '' },
      from: { type: 'string', default: 'you@sender.example' },
      to: { type: 'string', default: 'anna@bakery.example' },
    },
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    process.stderr.write(`${USAGE}\n`)
    return EXIT_USAGE
  }
  const [file] = positionals
  const content = file === undefined ? wireMessage('shop-answer') : withCrlf(readFileSync(file))
  const sender = new SendingServer(port)
  const letter = { reversePath: values.from, forwardPath: values.to, content }
  const say = (text: string) => void process.stdout.write(`${text}\n`)
  const { reply } = await sender.send(letter, { said: say, asked: () => {}, heard: () => {} })
  sender.close()
  return reply.code < 400 ? 0 : 1
}
