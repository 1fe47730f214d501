/** Dates, durations, sizes and counts in the words of a language. Dates always show their offset from UTC. */

export type Language = 'de' | 'en'

export interface Figures {
  /** `Dienstag, 24. November 2026, 13:11 Uhr (UTC+01:00)` */
  readonly moment: (wallMs: number) => string
  /** For tables: `24.11.2026, 13:11 (UTC+01:00)` */
  readonly shortMoment: (wallMs: number) => string
  /** The two largest units: `3 Tage, 2 Stunden`. */
  readonly duration: (ms: number) => string
  readonly size: (octets: number) => string
  readonly count: (n: number) => string
}

const LOCALES = { de: 'de-DE', en: 'en-GB' } as const
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** `timeZone`: an IANA name (`Europe/Berlin`), or `UTC`. One that does not exist is a RangeError. */
export function figures(language: Language, timeZone: string): Figures {
  const locale = LOCALES[language]
  const format = new Intl.DateTimeFormat(locale, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
    timeZoneName: 'longOffset',
  })
  // Parts and not the whole: how these are put together changes with the data of each Node release.
  const parts = (wallMs: number) => {
    const found = new Map<string, string>(format.formatToParts(wallMs).map(({ type, value }) => [type, value]))
    return (type: Intl.DateTimeFormatPartTypes) => found.get(type) ?? ''
  }
  const clock = (part: ReturnType<typeof parts>) => `${part('hour')}:${part('minute')}`
  const offset = (part: ReturnType<typeof parts>) =>
    `(${part('timeZoneName').replace('GMT', 'UTC').replace('+00:00', '')})`
  const numeric = new Intl.DateTimeFormat(locale, { day: '2-digit', month: '2-digit', year: 'numeric', timeZone })
  const unit = (n: number, of: string) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: of, unitDisplay: 'long' }).format(n)
  return {
    moment: (wallMs) => {
      const part = parts(wallMs)
      const [dot, hours] = language === 'de' ? ['.', ' Uhr'] : ['', '']
      const date = `${part('weekday')}, ${part('day')}${dot} ${part('month')} ${part('year')}`
      return `${date}, ${clock(part)}${hours} ${offset(part)}`
    },
    shortMoment: (wallMs) => {
      const part = parts(wallMs)
      return `${numeric.format(wallMs)}, ${clock(part)} ${offset(part)}`
    },
    duration: (ms) => durationText(ms, unit),
    size: (octets) => sizeText(octets, locale),
    count: (n) => new Intl.NumberFormat(locale).format(n),
  }
}

function durationText(ms: number, unit: (n: number, of: string) => string): string {
  // Whole minutes first, so that no "60 minutes" can come of rounding.
  let rest = Math.max(1, Math.round(ms / 60_000)) * 60_000
  const found: string[] = []
  for (const [name, unitMs] of UNITS) {
    const n = Math.floor(rest / unitMs)
    rest -= n * unitMs
    if (n > 0) found.push(unit(n, name))
    else if (found.length > 0) break
    if (found.length === 2) break
  }
  return found.join(', ')
}

// SI units, as mail clients show them; one decimal below ten.
function sizeText(octets: number, locale: string): string {
  const [unit, divisor] = octets < 1e6 ? (['kilobyte', 1e3] as const) : (['megabyte', 1e6] as const)
  const value = Math.max(0.1, octets / divisor)
  const maximumFractionDigits = value < 10 ? 1 : 0
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits }).format(
    value,
  )
}
