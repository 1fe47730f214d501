/** A time zone by its IANA name, as Node knows them. An offset alone would be wrong for half of the year. */
import { setting } from './setting.ts'
import { nearest } from './suggest.ts'

export const timeZone = setting({
  allowed: 'the IANA name of a time zone, such as Europe/Berlin or UTC',
  brief: 'an IANA name: `Europe/Berlin`, `UTC`',
  read: (text) => (/^[A-Za-z]/.test(text) && isTimeZone(text) ? text : undefined),
  json: { type: 'string', examples: ['Europe/Berlin', 'UTC'] },
  hint(text) {
    const byKey = new Map(Intl.supportedValuesOf('timeZone').map((name) => [name.toLowerCase(), name]))
    const key = nearest(text.replaceAll(' ', '_').toLowerCase(), [...byKey.keys()]) ?? cityIn(text, [...byKey.keys()])
    return key === undefined ? undefined : `did you mean ${byKey.get(key)}?`
  },
})

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}

/** `Berlin` alone. */
const cityIn = (text: string, keys: readonly string[]): string | undefined =>
  keys.find((key) => key.endsWith(`/${text.toLowerCase()}`))
