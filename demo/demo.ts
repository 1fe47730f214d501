/**
 * The demo: `npm run demo`. A real run of the relay on loopback, with real messages; then the relay stays for the visitor
 * to talk to, until Ctrl-C. `npm run demo -- --once` ends by itself. `npm run demo -- send …` is a small sending server.
 *
 * Exit code 0: all went as told, and the account balances. 1: it did not. 130: interrupted.
 */
import { parseArgs } from 'node:util'
import * as chapters from './chapters.ts'
import { sendCommand } from './send.ts'
import { Stage } from './stage.ts'
import { type Timeline, terminalTimeline } from './timeline.ts'

/** The message of chapter 4 whose way is shown at the end. */
const TRACED = 6
const EXIT_INTERRUPTED = 130

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === 'send') return sendCommand(args.slice(1))
  const { values } = parseArgs({ args: [...args], options: { once: { type: 'boolean', default: false } } })
  const interrupted = interruption()
  const timeline = terminalTimeline()
  opening(timeline)
  const stage = await Stage.set(timeline)
  const onExit = () => stage.relay.killNow()
  process.once('exit', onExit)
  try {
    const shown = show(stage, timeline).then((balances) => (balances ? 0 : 1))
    const code = await Promise.race([shown, interrupted])
    if (code !== 0 || values.once) return code
    farewell(stage, timeline)
    letVisitorSwitch(stage, timeline)
    await interrupted
    return 0
  } finally {
    timeline.note('\nEnding the relay and removing its folder.')
    process.stdin.pause()
    await stage.clear()
    process.off('exit', onExit)
  }
}

function interruption(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(EXIT_INTERRUPTED))
    // Whoever read along has gone (`npm run demo | head`).
    process.stdout.on('error', () => resolve(EXIT_INTERRUPTED))
  })
}

function opening(timeline: Timeline): void {
  timeline.chapter(
    'Vorposten: a mail relay, at work',
    'Three parties on this machine; nothing leaves it:',
    '',
    'sender   the rest of the world: servers that have mail for the bakery',
    'relay    Vorposten, two processes; it stands between the world and the bakery',
    'bakery   the customer’s own mail server; it knows its mailboxes (anna, info, orders, bernd)',
    '',
    'In SMTP, 250 means “yes, it is my duty now”, 4xx “not now, come back”, 5xx “no, and that is final”.',
  )
  timeline.note('Starting the relay …')
}

async function show(stage: Stage, timeline: Timeline): Promise<boolean> {
  const parties = { stage, timeline }
  await chapters.delivered(parties)
  await chapters.unknownRecipient(parties)
  await chapters.refusedContent(parties)
  const asked = await chapters.outage(parties)
  await chapters.recovery(parties, asked)
  await chapters.killedWorker(parties)
  await chapters.outOfOffice(parties)
  await chapters.stolenPassword(parties)
  await chapters.infected(parties)
  await chapters.unwanted(parties)
  const balances = await chapters.reckoning(parties)
  await chapters.trace(parties, TRACED)
  return balances
}

function farewell({ relay }: Stage, timeline: Timeline): void {
  const vorposten = 'npm run -s vorposten --'
  timeline.chapter(
    'Now you',
    'The relay and the bakery’s server go on. What arrives at the bakery is shown here. From another terminal, in this',
    'folder:',
  )
  const lines: [string, string][] = [
    ['send something', `swaks --server 127.0.0.1:${relay.port} --from you@sender.example --to anna@bakery.example`],
    ['without swaks', `npm run -s demo -- send --port ${relay.port} --to anna@bakery.example`],
    ['to nobody', `npm run -s demo -- send --port ${relay.port} --to nobody@bakery.example`],
    ['its way', `${vorposten} trace ID -c ${relay.configFile}     (the ID is in the 250)`],
    ['what waits', `${vorposten} queue list -c ${relay.configFile}`],
    ['what if', `${vorposten} simulate -c ${relay.configFile} --from you@sender.example --to anna@bakery.example`],
    ['metrics', `http://127.0.0.1:${relay.httpPort}/metrics`],
    ['configuration', relay.configFile],
  ]
  for (const [what, line] of lines) timeline.line(`   ${what.padEnd(15)} ${timeline.tone('strong', line)}`)
  if (process.stdin.isTTY) timeline.note('\nEnter switches the bakery’s server off, and on again.')
  timeline.note('Ctrl-C ends everything and removes the temporary folder.\n')
  timeline.stopClock()
}

function letVisitorSwitch({ customer }: Stage, timeline: Timeline): void {
  if (!process.stdin.isTTY) return
  let on = true
  let switching = Promise.resolve()
  process.stdin.on('data', () => {
    on = !on
    timeline.note(`The bakery’s server has been switched ${on ? 'on' : 'off'}.`, on ? 'good' : 'later')
    const next = on
    switching = switching.then(() => (next ? customer.switchOn() : customer.switchOff()))
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`\ndemo: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
