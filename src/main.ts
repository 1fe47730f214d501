#!/usr/bin/env node
/**
 * The command line: every process of Vorposten starts here. A command's code is loaded when it is called: the supervisor
 * lives for months, and what it never uses should not be in its memory.
 */
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import packageFile from '../package.json' with { type: 'json' }
import { reportError } from './cli/exit.ts'
import type { Ask } from './cli/queue.ts'

const CONFIG_PATH = '/etc/vorposten/vorposten.yaml'

const program = new Command('vorposten')
  .description('E-mail relay: no backscatter, nothing stuck, nothing lost, and every decision explained.')
  .version(packageFile.version)
  .option('-c, --config <file>', 'configuration file', CONFIG_PATH)
  .showHelpAfterError('(vorposten --help shows the commands)')
  .configureHelp({ showGlobalOptions: true })

const path = (named?: string): string => named ?? program.opts<{ config: string }>().config

program
  .command('serve')
  .description('run the relay')
  .argument('[file]', 'configuration file')
  .action(async (file) => {
    const { serveCommand } = await import('./cli/serve-command.ts')
    process.exitCode = await serveCommand(path(file))
  })

program
  .command('check-config')
  .description('say what is wrong with a configuration, and what it means')
  .argument('[file]', 'configuration file')
  .option('--json', 'as JSON')
  .option('--diff', 'only what differs from the defaults')
  .action(async (file, options) => {
    const { checkConfigCommand } = await import('./cli/check-config.ts')
    process.exitCode = await checkConfigCommand(path(file), options)
  })

program
  .command('trace')
  .description('the story of one message, by the id in its reply, log or Received field')
  .argument('<id>')
  .option('--json', 'one JSON object per line')
  .action(async (id: string, options) => {
    const { traceCommand } = await import('./cli/trace.ts')
    const { traceFolder } = await import('./cli/folders.ts')
    await traceCommand(traceFolder((await config()).dataFolder), id, options.json === true)
  })

const words = withConfigFirst(process.argv.slice(2))
if (!words.some((word) => program.commands.some((command) => command.name() === word))) await addLargeCommands()
for (const command of program.commands) command.copyInheritedSettings(program)
await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => {
  process.exitCode = reportError(error, (line) => process.stderr.write(`${line}\n`))
})

async function config() {
  const { configFor } = await import('./cli/configuration.ts')
  return configFor(path())
}

// Their options are many, so they are declared where the command is.
async function addLargeCommands(): Promise<void> {
  const { queueCommand } = await import('./cli/queue.ts')
  const { tlsReportsCommand } = await import('./cli/tls-reports.ts')
  const { findingsCommand } = await import('./cli/findings.ts')
  const { simulateCommand } = await import('./cli/simulate.ts')
  const { recipientsCommand } = await import('./cli/recipients.ts')
  const { askRecipients } = await import('./cli/recipients-offline.ts')
  const { askRunning } = await import('./cli/ask-running.ts')
  const { credentialsCommand, notRunning } = await import('./cli/credentials.ts')
  const { maintenanceCommand } = await import('./cli/maintenance.ts')
  const { suppressionsCommand } = await import('./cli/suppressions.ts')
  const { dkimCommand } = await import('./cli/dkim.ts')
  const { domainsCommand } = await import('./cli/domains.ts')
  const { dnsCommand } = await import('./cli/dns.ts')
  const { tlsPolicyCommand } = await import('./cli/tls-policy.ts')
  const { quarantineCommand } = await import('./cli/quarantine.ts')
  const { askQuarantine } = await import('./cli/quarantine-offline.ts')
  const { spamCommand } = await import('./cli/spam.ts')
  const { asksSpam } = await import('./cli/spam-offline.ts')
  const { scanCommand } = await import('./cli/scan.ts')
  const { spamListsCommand } = await import('./cli/spam-lists.ts')
  const ask: Ask = async (request) => askRunning((await config()).dataFolder, request)
  program.addCommand(queueCommand(ask))
  program.addCommand(recipientsCommand(async (request) => askRecipients(await config(), request)))
  program.addCommand(
    credentialsCommand(async (request) => askRunning((await config()).dataFolder, request, notRunning)),
  )
  program.addCommand(maintenanceCommand(ask))
  program.addCommand(findingsCommand(ask))
  program.addCommand(suppressionsCommand(ask))
  program.addCommand(
    quarantineCommand(
      async (request) => askQuarantine((await config()).dataFolder, request),
      async () => (await config()).dataFolder,
    ),
  )
  program.addCommand(tlsReportsCommand(ask))
  program.addCommand(dkimCommand(ask))
  program.addCommand(domainsCommand(ask))
  program.addCommand(dnsCommand(config))
  program.addCommand(tlsPolicyCommand(ask))
  program.addCommand(
    spamCommand(
      ask,
      asksSpam(async () => (await config()).dataFolder),
      async () => (existsSync(path()) ? config() : undefined),
    ).addCommand(spamListsCommand(config)),
  )
  program.addCommand(scanCommand(config, path))
  program.addCommand(simulateCommand(config))
}

/** `--config` may stand anywhere, as operators type it; commander wants it before the command. */
function withConfigFirst(given: readonly string[]): string[] {
  const words = [...given]
  const at = words.findIndex((word) => word === '--config' || word === '-c' || word.startsWith('--config='))
  if (at < 0) return words
  const taken = words.splice(at, words[at]!.includes('=') ? 1 : 2)
  return [...taken, ...words]
}
