/**
 * A program that a test starts: its lines are kept, and it always ends, by its own process id. Each runs in a process
 * group of its own, so that ending it also ends what it forked.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { waitFor } from './wait-for.ts'

/** The relay promises to end within 30 s of a SIGTERM. */
const STOP_MS_MAX = 35_000
/** What is kept of a program's output; the oldest lines go first. */
const LINES_MAX = 100_000
/** What a failed wait shows. */
const LINES_SHOWN = 40

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Child extends AsyncDisposable {
  readonly pid: number
  /** Standard output and standard error, in the order in which they came. */
  readonly lines: readonly string[]
  readonly ended: Promise<Ending>
  readonly running: boolean
  /** The first line from index `from` on that matches; rejects if the program ends without one. */
  line(pattern: RegExp, options?: { readonly from?: number; readonly msMax?: number }): Promise<string>
  signal(signal: NodeJS.Signals): void
  /** SIGTERM, and SIGKILL to the whole group when that is not enough. */
  stop(): Promise<Ending>
  /** SIGKILL to the whole group. */
  kill9(): Promise<Ending>
}

const running = new Set<ChildProcess>()
const killAll = () => {
  for (const child of running) killGroup(child, 'SIGKILL')
}
process.on('exit', killAll)
// The test runner ends a file that takes too long by SIGTERM; without this its children would live on.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    child.kill(signal)
  }
}

export function startChild(
  command: string,
  args: readonly string[],
  { input, ...options }: Pick<SpawnOptions, 'cwd' | 'env'> & { readonly input?: string } = {},
): Child {
  const stdin = input === undefined ? 'ignore' : 'pipe'
  const child = spawn(command, args, { ...options, stdio: [stdin, 'pipe', 'pipe'], detached: true })
  // A program that ends without reading all is no fault of the test.
  child.stdin?.on('error', () => {}).end(input)
  running.add(child)
  const lines = collectLines(child)
  let ending: Ending | undefined
  const ended = new Promise<Ending>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      running.delete(child)
      ending = { code, signal }
      resolve(ending)
    }
    // What it forked must not outlive it, and would keep its output open.
    child.once('exit', () => killGroup(child, 'SIGKILL'))
    child.once('close', end)
    child.once('error', (error) => {
      lines.push(`cannot start ${command}: ${error.message}`)
      end(null, null)
    })
  })
  const stop = async (signal: NodeJS.Signals): Promise<Ending> => {
    if (ending) return ending
    child.kill(signal)
    const timer = setTimeout(() => killGroup(child, 'SIGKILL'), STOP_MS_MAX)
    const how = await ended
    clearTimeout(timer)
    return how
  }
  const shown = () => lines.slice(-LINES_SHOWN).join('\n')
  return {
    pid: child.pid ?? -1,
    lines,
    ended,
    get running() {
      return ending === undefined
    },
    async line(pattern, { from = 0, ...wait } = {}) {
      const find = () => lines.slice(from).find((line) => pattern.test(line))
      const found = await waitFor(`a line ${pattern} of ${command}`, () => find() ?? (ending && 'ended'), {
        ...wait,
        context: shown,
      })
      if (found === 'ended') throw new Error(`${command} ended without a line ${pattern}\n${shown()}`)
      return found
    },
    signal: (signal) => void child.kill(signal),
    stop: () => stop('SIGTERM'),
    async kill9() {
      killGroup(child, 'SIGKILL')
      return ended
    },
    [Symbol.asyncDispose]: async () => void (await stop('SIGTERM')),
  }
}

/** Runs a program to its end; its lines. Rejects if it fails. */
export async function runToEnd(command: string, args: readonly string[]): Promise<readonly string[]> {
  const child = startChild(command, args)
  const { code } = await child.ended
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}\n${child.lines.join('\n')}`)
  return child.lines
}

function collectLines(child: ChildProcess): string[] {
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8')
    stream?.on('data', (text: string) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
      if (lines.length > LINES_MAX) lines.splice(0, lines.length - LINES_MAX)
    })
    stream?.on('end', () => {
      if (rest) lines.push(rest)
    })
  }
  return lines
}
