/**
 * Counters, gauges and histograms of one worker, as plain numbers; the supervisor adds the workers up and writes the
 * Prometheus text format (version 0.0.4). Names begin with `vorposten_`, counters end in `_total`, times are seconds.
 * Never an address or another unbounded value as a label: SERIES_MAX per metric, what is beyond is counted as `other`.
 *
 * Why not a library: see docs/adr/0004-metrics.md.
 */
export const SERIES_MAX = 200

export type Labels = Readonly<Record<string, string>>
type Kind = 'counter' | 'gauge' | 'histogram'
type Read = () => Iterable<readonly [Labels, number]>

interface Family {
  readonly kind: Kind
  readonly help: string
  /** Sample name with its labels → value. */
  readonly samples: Record<string, number>
}
export type Snapshot = Record<string, Family>

const labelText = (labels: Labels): string => {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`,
  )
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

export class Counter {
  readonly #values = new Map<string, number>()

  /** `series` is the value of the metric's one label, or '' for none. */
  add(series = '', by = 1): void {
    const counted = this.#values.has(series) || this.#values.size < SERIES_MAX ? series : 'other'
    this.#values.set(counted, (this.#values.get(counted) ?? 0) + by)
  }

  get(series = ''): number {
    return this.#values.get(series) ?? 0
  }

  entries(): IterableIterator<[string, number]> {
    return this.#values.entries()
  }
}

/** Tenants times classes; a scrape stays below 1 MB. */
export const TALLY_SERIES_MAX = 5000

/** A counter with several labels, for `counterOf`. What is beyond its series is counted under `other`. */
export class Tally {
  readonly #samples = new Map<string, [Labels, number]>()

  add(labels: Labels): void {
    const key = JSON.stringify(labels)
    const sample = this.#samples.get(key)
    if (sample !== undefined) sample[1]++
    else if (this.#samples.size < TALLY_SERIES_MAX || labels['tenant'] === 'other') this.#samples.set(key, [labels, 1])
    else this.add({ ...labels, tenant: 'other' })
  }

  samples(): Iterable<readonly [Labels, number]> {
    return this.#samples.values()
  }
}

export class Histogram {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array(bounds.length + 1).fill(0)
  }

  /** A negative value, from a clock that was set back, counts as 0: the sum of a histogram never falls. */
  observe(value: number): void {
    let i = 0
    while (i < this.bounds.length && value > this.bounds[i]!) i++
    this.counts[i]!++
    this.sum += Math.max(0, value)
  }
}

export class Metrics {
  readonly #counters: { name: string; help: string; label: string; counter: Counter }[] = []
  readonly #read: { kind: 'gauge' | 'counter'; name: string; help: string; read: Read }[] = []
  readonly #histograms: { name: string; help: string; histogram: Histogram }[] = []

  /** A counter with at most one label. Series named here exist from the start, so that a rate over them is right. */
  counter(name: string, help: string, label = '', series: readonly string[] = label === '' ? [''] : []): Counter {
    const counter = new Counter()
    for (const value of series) counter.add(value, 0)
    this.#counters.push({ name, help, label, counter })
    return counter
  }

  /** Asked when somebody looks. */
  gauge(name: string, help: string, read: Read): void {
    this.#read.push({ kind: 'gauge', name, help, read })
  }

  /** A counter that somebody else keeps. */
  counterOf(name: string, help: string, read: Read): void {
    this.#read.push({ kind: 'counter', name, help, read })
  }

  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const histogram = new Histogram(bounds)
    this.#histograms.push({ name, help, histogram })
    return histogram
  }

  snapshot(): Snapshot {
    const all: Snapshot = {}
    for (const { name, help, label, counter } of this.#counters) {
      const samples: Record<string, number> = {}
      for (const [series, value] of counter.entries()) {
        samples[name + (label === '' ? '' : labelText({ [label]: series }))] = value
      }
      all[name] = { kind: 'counter', help, samples }
    }
    for (const { kind, name, help, read } of this.#read) {
      const samples: Record<string, number> = {}
      for (const [labels, value] of read()) samples[name + labelText(labels)] = value
      all[name] = { kind, help, samples }
    }
    for (const { name, help, histogram } of this.#histograms) {
      all[name] = { kind: 'histogram', help, samples: histogramSamples(name, histogram) }
    }
    return all
  }
}

function histogramSamples(name: string, histogram: Histogram): Record<string, number> {
  const samples: Record<string, number> = {}
  let cumulated = 0
  histogram.counts.forEach((count, i) => {
    cumulated += count
    samples[`${name}_bucket${labelText({ le: i < histogram.bounds.length ? String(histogram.bounds[i]) : '+Inf' })}`] =
      cumulated
  })
  samples[`${name}_sum`] = histogram.sum
  samples[`${name}_count`] = cumulated
  return samples
}

/** Adds up what several workers counted. */
export function merged(snapshots: readonly Snapshot[]): Snapshot {
  const all: Snapshot = {}
  for (const snapshot of snapshots) {
    for (const [name, { kind, help, samples }] of Object.entries(snapshot)) {
      const family = (all[name] ??= { kind, help, samples: {} })
      for (const [sample, value] of Object.entries(samples)) {
        family.samples[sample] = (family.samples[sample] ?? 0) + value
      }
    }
  }
  return all
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function exposition(snapshot: Snapshot): string {
  let text = ''
  for (const [name, { kind, help, samples }] of Object.entries(snapshot)) {
    text += `# HELP ${name} ${help.replace(/[\\\n]/g, ' ')}\n# TYPE ${name} ${kind}\n`
    for (const [sample, value] of Object.entries(samples)) text += `${sample} ${value}\n`
  }
  return text
}
