/**
 * `vorposten spam …`: teaches the spam filter, and says what it has learned. Messages are read here; what goes to the running
 * program are their features. While it does not run, lessons are written into its store by this command (spam-offline.ts).
 */
import { readFile, writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import type { Config } from '#config/config.ts'
import { readDuration } from '#config/units.ts'
import { featuresOf } from '#scan/spam/classifier/features.ts'
import { TEACHERS } from '#scan/spam/classifier/lessons.ts'
import { Models } from '#scan/spam/classifier/models.ts'
import { packed } from '#scan/spam/classifier/packing.ts'
import { readMessage } from '#scan/spam/message.ts'
import { DEFAULT_SPAM_POLICY } from '#tenant/spam-policy.ts'
import {
  type ExportedLesson,
  FEATURES_PER_REQUEST_MAX,
  LESSONS_PER_REQUEST_MAX,
  type StatsAnswer,
  type TrainAnswer,
} from './clerks/spam-requests.ts'
import { EXIT, UserError } from './exit.ts'
import { modelFolder } from './folders.ts'
import { messagesIn } from './message-files.ts'
import type { Ask } from './queue.ts'
import { spamLines, spamOf, spamShown } from './scan-spam.ts'
import { lessonsFile, readLessonsFile } from './spam-lessons-file.ts'
import { reputationCommand } from './spam-reputation.ts'

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const json = (value: unknown): void => out(JSON.stringify(value))
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

type AskClerk = (what: string, body: unknown) => Promise<unknown>

/** `ask`: the running program; `askLessons`: it, or its store while it does not run. */
export function spamCommand(ask: Ask, askLessons: Ask, config: () => Promise<Config | undefined>): Command {
  const clerk: AskClerk = (what, body) => askLessons({ kind: 'desk', about: `spam/${what}`, body })
  const command = new Command('spam').description('what the spam filter has learned, and from whom')
  command.addCommand(reputationCommand(ask))
  command.addCommand(trainCommand(clerk))
  command
    .command('check <file>')
    .description('what the filter says of a message by itself; it is not sent and not learned')
    .option('--tenant <tenant>', 'as for mail to this tenant')
    .option('--json', 'as JSON')
    .action(async (file: string, options: { tenant?: string; json?: true }) => check(file, options, await config()))
  command
    .command('stats')
    .description('how many lessons there are, and who taught them')
    .option('--tenant <tenant>', 'of this tenant')
    .option('--json', 'as JSON')
    .action(async ({ json: asJson, ...of }: { tenant?: string; json?: true }) => {
      const answer = (await clerk('stats', of)) as StatsAnswer
      if (asJson) json(answer)
      else for (const tenant of answer.tenants) out(statsText(tenant))
    })
  command.addCommand(undoCommand(clerk))
  command
    .command('export')
    .description('all lessons of a tenant, or those for everybody, as a file for import')
    .option('--tenant <tenant>', 'of this tenant')
    .requiredOption('-o, --output <file>', 'into this new file, for its owner only')
    .action(async ({ tenant, output }: { tenant?: string; output: string }) => {
      const lessons = await exported(clerk, tenant)
      await writeFile(output, lessonsFile(lessons), { flag: 'wx', mode: 0o600 })
      out(`${lessons.length} lessons`)
    })
  command
    .command('import <file>')
    .description('lessons of a file that export has written; those that are there already change nothing')
    .option('--tenant <tenant>', 'for this tenant; without it for everybody')
    .option('--json', 'as JSON')
    .action(async (file: string, { json: asJson, ...of }: { tenant?: string; json?: true }) => {
      const read = readLessonsFile(await readFile(file))
      if (typeof read === 'string') throw new UserError(`${file}: ${read}`, 'Export it again.', EXIT.unavailable)
      told(await sent(clerk, 'import', of, read), asJson)
    })
  return command
}

interface TrainOptions {
  readonly ham?: true
  readonly spam?: true
  readonly tenant?: string
  readonly source: string
  readonly json?: true
}

const trainCommand = (clerk: AskClerk): Command =>
  new Command('train')
    .description('learn messages: files, mbox files, folders of both')
    .argument('<paths...>', '- is standard input')
    .addOption(new Option('--ham', 'they are wanted').conflicts('spam'))
    .addOption(new Option('--spam', 'they are not'))
    .option('--tenant <tenant>', 'for mail to this tenant; without it for everybody')
    .option('--source <name>', 'who says so; what he taught can be undone', 'command line')
    .option('--json', 'as JSON')
    .action(async (paths: string[], { ham, spam, tenant, source, json: asJson }: TrainOptions) => {
      if (ham === spam) throw new UserError('what are they?', 'Say --ham or --spam.', EXIT.data)
      const lessons: Pick<ExportedLesson, 'isSpam' | 'features'>[] = []
      for await (const { content: message } of messagesIn(paths)) {
        const octets = Buffer.concat(message.chunks)
        const features = packed(featuresOf(readMessage(octets), octets)).toString('base64')
        lessons.push({ isSpam: spam === true, features })
      }
      told(await sent(clerk, 'train', { source, ...(tenant !== undefined && { tenant }) }, lessons), asJson)
    })

interface UndoOptions {
  readonly source: string
  readonly tenant?: string
  readonly by?: string
  readonly since?: string
  readonly json?: true
}

const undoCommand = (clerk: AskClerk): Command =>
  new Command('undo')
    .description('forget all that a source taught, as if it had never been there')
    .requiredOption('--source <name>', 'as stats shows it')
    .option('--tenant <tenant>', 'of this tenant; without it of what holds for everybody')
    .addOption(new Option('--by <teacher>', 'only what it taught in this way').choices(TEACHERS))
    .option('--since <when>', 'only what it taught since: 2026-11-24, or 2d for the last two days')
    .option('--json', 'as JSON')
    .action(async ({ by, since, json: asJson, ...of }: UndoOptions) => {
      const sinceMs = since === undefined ? undefined : whenOf(since)
      const body = { ...of, ...(by !== undefined && { teacher: by }), ...(sinceMs !== undefined && { sinceMs }) }
      const answer = (await clerk('undo', body)) as { forgotten: number }
      await clerk('settle', {})
      if (asJson) json(answer)
      else out(`${answer.forgotten} lessons of ${of.source} are forgotten`)
    })

function whenOf(text: string): number {
  const back = readDuration(text)
  const ms = typeof back === 'number' ? Date.now() - back : Date.parse(text)
  if (Number.isFinite(ms)) return ms
  throw new UserError(`${text} is no time`, 'Write 2026-11-24, or 2d for the last two days.', EXIT.data)
}

async function check(file: string, { tenant, json: asJson }: { tenant?: string; json?: true }, config?: Config) {
  const { value: first } = await messagesIn([file]).next()
  if (first === undefined) throw new UserError(`${file} is empty`, 'Name a file with a message.', EXIT.data)
  const models = new Models(config && modelFolder(config.dataFolder))
  const shown = spamShown(await spamOf(first.content, { config, models, tenant }), DEFAULT_SPAM_POLICY, 'en')
  if (asJson) json(shown)
  else for (const line of spamLines(shown, 'en')) out(line)
}

/** As many requests as it takes; the layers are made when it returns. */
async function sent(
  clerk: AskClerk,
  what: 'train' | 'import',
  about: object,
  lessons: readonly Pick<ExportedLesson, 'features'>[],
): Promise<TrainAnswer> {
  const sum = { learned: 0, known: 0, tooMany: 0 }
  for (let from = 0; from < lessons.length; ) {
    let to = from
    for (let length = 0; to < lessons.length && to - from < LESSONS_PER_REQUEST_MAX; to++) {
      length += lessons[to]!.features.length
      if (length > FEATURES_PER_REQUEST_MAX && to > from) break
    }
    const answer = (await clerk(what, { ...about, lessons: lessons.slice(from, to) })) as TrainAnswer
    sum.learned += answer.learned
    sum.known += answer.known
    sum.tooMany += answer.tooMany
    from = to
  }
  await clerk('settle', {})
  return sum
}

function told({ learned, known, tooMany }: TrainAnswer, asJson?: true): void {
  if (asJson) json({ learned, known, tooMany })
  else out(`${learned} learned, ${known} known before${tooMany > 0 ? `, ${tooMany} too many for a day` : ''}`)
}

async function exported(clerk: AskClerk, tenant: string | undefined): Promise<ExportedLesson[]> {
  const all: ExportedLesson[] = []
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = (await clerk('export', { after, ...(tenant !== undefined && { tenant }) })) as {
      lessons: ExportedLesson[]
      after?: number
    }
    all.push(...page.lessons)
    after = page.after
  }
  return all
}

function statsText({ tenant, ham, spam, layerOctets, sources }: StatsAnswer['tenants'][number]): string {
  const file = layerOctets === undefined ? 'no layer' : `layer of ${layerOctets} octets`
  const lines = sources.map(
    (one) => `  ${one.teacher} ${one.source}: ${one.ham} ham, ${one.spam} spam, last ${day(one.lastMs)}`,
  )
  return [`${tenant ?? 'for everybody'}: ${ham} ham, ${spam} spam, ${file}`, ...lines].join('\n')
}
