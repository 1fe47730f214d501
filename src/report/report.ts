/**
 * The report hears about every step of the path and tells it three ways: log lines for people, trace records for
 * "where is my mail?", numbers for the metrics. It never holds up the path: what cannot be written is counted.
 */
import type { PathEvent, Report } from '#mail/event.ts'
import type { Clock } from '#sys/clock.ts'
import { LogWriter } from '#sys/log-writer.ts'
import { type LogLine, logLines } from './log-lines.ts'
import { measurer } from './measure.ts'
import { Metrics } from './metrics.ts'
import { TraceFiles } from './trace-files.ts'
import { traceRecord } from './trace-record.ts'

export interface ReportOptions {
  readonly hostname: string
  readonly format: 'text' | 'json' | 'both'
  /** A path, or file descriptor 1. */
  readonly destination: 'stdout' | { readonly path: string }
  /** Where trace files go; none: no trace (tools, tests). */
  readonly traceFolder?: string
  readonly worker: number
  readonly clock: Clock
}

const FLUSH_MS = 200
/** Several workers write to one pipe: what is written in one piece up to PIPE_BUF is not torn apart (pipe(7)). */
const PIPE_BUF = 4096

/** One worker's report. */
export class WorkerReport {
  readonly metrics = new Metrics()
  readonly report: Report
  readonly #options: ReportOptions
  readonly #out: LogWriter
  readonly #trace: TraceFiles | undefined
  #second = -1
  #secondText = ''
  #ended = false

  constructor(options: ReportOptions) {
    this.#options = options
    this.#out = openLog(options.destination)
    this.#trace = options.traceFolder === undefined ? undefined : new TraceFiles(options.traceFolder, options.worker)
    const measure = measurer(this.metrics)
    this.metrics.gauge('vorposten_trace_records_lost', 'Trace records that could not be written', () => [
      [{}, this.#trace?.lost ?? 0],
    ])
    const failed = this.metrics.counter('vorposten_report_defects_total', 'Events that could not be reported')
    // A report that throws must not turn a 250 that is already true into a 451.
    this.report = (event) => {
      try {
        measure(event)
        this.#tell(event)
      } catch {
        failed.add()
      }
    }
    this.#flushLater()
  }

  /** A line that belongs to no message: start, reload, warnings. */
  notice(text: string): void {
    this.#line({ part: 'vorposten', text }, this.#options.clock.wall())
  }

  #tell(event: PathEvent): void {
    const wallMs = this.#options.clock.wall()
    const { format } = this.#options
    if (format !== 'json') for (const line of logLines(event)) this.#line(line, wallMs)
    if (this.#trace === undefined && format === 'text') return
    const record = traceRecord(event, this.#isoTime(wallMs))
    if (record === undefined) return
    const json = `${JSON.stringify(record)}\n`
    this.#trace?.write(json, wallMs)
    if (format !== 'text') this.#out.write(json)
  }

  #line({ part, text }: LogLine, wallMs: number): void {
    const { hostname } = this.#options
    this.#out.write(`${this.#isoTime(wallMs)} ${hostname} vorposten/${part}[${process.pid}]: ${oneLine(text)}\n`)
  }

  #isoTime(wallMs: number): string {
    const second = Math.floor(wallMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = new Date(second * 1000).toISOString().slice(0, 20)
    }
    return `${this.#secondText}${String(Math.floor(wallMs) % 1000).padStart(3, '0')}Z`
  }

  #flushLater(): void {
    this.#options.clock.after(FLUSH_MS, () => {
      if (this.#ended) return
      this.#out.flush()
      this.#trace?.flush()
      this.#flushLater()
    })
  }

  /** Writes what waits. */
  end(): void {
    this.#ended = true
    this.#trace?.end()
    this.#out.end()
  }
}

function openLog(destination: ReportOptions['destination']): LogWriter {
  const to = destination === 'stdout' ? 1 : destination.path
  return new LogWriter({ to, gatherOctets: PIPE_BUF - 1024, writeOctetsMax: PIPE_BUF })
}

/** What a peer said must not begin a line of its own, nor move a cursor: controls become `?`. */
export function oneLine(text: string): string {
  return /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(text) ? text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '?') : text
}
