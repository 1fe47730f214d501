#!/usr/bin/env node
/** The command line: every process of Vorposten starts here. */
import { Command } from 'commander'
import { DEFAULT_PATH } from '#config/load.ts'
import packageFile from '../package.json' with { type: 'json' }
import { traceFolder } from './cli/assemble.ts'
import { checkConfigCommand } from './cli/check-config.ts'
import { configFor } from './cli/configuration.ts'
import { reportError } from './cli/exit.ts'
import { queueCommand } from './cli/queue.ts'
import { controlRequest } from './cli/serve/control-socket.ts'
import { controlPath } from './cli/serve.ts'
import { serveCommand } from './cli/serve-command.ts'
import { simulateCommand } from './cli/simulate.ts'
import { traceCommand } from './cli/trace.ts'

const program = new Command('vorposten')
  .description('E-mail relay: no backscatter, nothing stuck, nothing lost, and every decision explained.')
  .version(packageFile.version)
  .option('-c, --config <file>', 'configuration file', DEFAULT_PATH)
  .showHelpAfterError('(vorposten --help shows the commands)')
  .configureHelp({ showGlobalOptions: true })

const path = (named?: string): string => named ?? program.opts<{ config: string }>().config
const config = () => configFor(path())

program
  .command('serve')
  .description('run the relay')
  .argument('[file]', 'configuration file')
  .action(async (file) => {
    process.exitCode = await serveCommand(path(file))
  })

program
  .command('check-config')
  .description('say what is wrong with a configuration, and what it means')
  .argument('[file]', 'configuration file')
  .option('--json', 'as JSON')
  .option('--diff', 'only what differs from the defaults')
  .action(async (file, options) => {
    process.exitCode = await checkConfigCommand(path(file), options)
  })

program.addCommand(
  queueCommand(async (request) => controlRequest(controlPath((await config()).dataFolder), request, 180_000)),
)

program
  .command('trace')
  .description('the story of one message, by the id in its reply, log or Received field')
  .argument('<id>')
  .option('--json', 'one JSON object per line')
  .action(async (id: string, options) => traceCommand(traceFolder(await config()), id, options.json === true))

program.addCommand(simulateCommand(config))

for (const command of program.commands) command.copyInheritedSettings(program)
await program.parseAsync(withConfigFirst(process.argv)).catch((error: unknown) => {
  process.exitCode = reportError(error, (line) => process.stderr.write(`${line}\n`))
})

/** `--config` may stand anywhere, as operators type it; commander wants it before the command. */
function withConfigFirst(argv: readonly string[]): string[] {
  const [node, script, ...words] = argv as [string, string, ...string[]]
  const at = words.findIndex((word) => word === '--config' || word === '-c' || word.startsWith('--config='))
  if (at < 0) return [node, script, ...words]
  const taken = words.splice(at, words[at]!.includes('=') ? 1 : 2)
  return [node, script, ...taken, ...words]
}
