/**
 * Mail for fuzzers: well-formed messages of any nesting, whose files are known, and the same with lines in them about which
 * readers differ. All chances come from a seed.
 */
export type Chance = (n: number) => number

/** Whole numbers from 0 to below n. */
export function chances(seed: number): Chance {
  let state = seed >>> 0
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

/** What puts a strange line somewhere; readers differ about it, and nothing disappears for all of them. */
export const HARMLESS = [
  'X-Strange: 1',
  ' folded',
  '\t',
  'Content-Transfer-Encoding: 7bit',
  'Content-Type: text/plain; charset=x',
]
const DEPTH_MAX = 4
const KINDS = ['mixed', 'mixed', 'mixed', 'alternative', 'related', 'report', 'signed', 'x-other']

export interface MadeMail {
  readonly lines: string[]
  /** Each is there once, in a part of its own. */
  readonly files: readonly string[]
  /** Those that stand in a message with a transfer encoding, which is no plain thing to have. */
  readonly hidden: ReadonlySet<string>
}

export function madeMail(chance: Chance): MadeMail {
  const made: Made = { files: [], hidden: new Set(), boundaries: 0 }
  return { lines: ['From: a@example.org', ...entity(chance, made, 0), ''], ...made }
}

interface Made {
  readonly files: string[]
  readonly hidden: Set<string>
  boundaries: number
}

export const octetsOf = (lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1')

/** With a strange line behind some fields. */
export const tricked = (lines: readonly string[], chance: Chance): string[] =>
  lines.flatMap((line) =>
    line.startsWith('Content-') && chance(4) === 0 ? [line, HARMLESS[chance(HARMLESS.length)]!] : [line],
  )

function entity(chance: Chance, made: Made, depth: number): string[] {
  if (depth < DEPTH_MAX && chance(3) > 0)
    return chance(4) === 0 ? message(chance, made, depth) : multipart(chance, made, depth)
  const file = `file ${made.files.length} ${'x'.repeat(chance(90))}!`
  made.files.push(file)
  switch (chance(3)) {
    case 0:
      return ['Content-Type: text/plain', '', file]
    case 1:
      return [
        'Content-Type: image/png; name=a.png',
        'Content-Transfer-Encoding: base64',
        '',
        ...Buffer.from(file)
          .toString('base64')
          .match(/.{1,76}/g)!,
      ]
    default:
      return [
        'Content-Type: text/html',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        file.replace(' ', '=20').replace(/x{20}/, '$&=\r\n'),
      ]
  }
}

function multipart(chance: Chance, made: Made, depth: number): string[] {
  const name = `b${made.boundaries++}x`
  const lines = [`Content-Type: multipart/${KINDS[chance(KINDS.length)]}; boundary="${name}"`, '']
  for (let parts = 1 + chance(3); parts > 0; parts--) lines.push(`--${name}`, ...entity(chance, made, depth + 1))
  return [...lines, `--${name}--`, '']
}

function message(chance: Chance, made: Made, depth: number): string[] {
  const from = made.files.length
  const inner = ['Subject: inner', ...entity(chance, made, depth + 1)]
  if (chance(2) === 0) return ['Content-Type: message/rfc822', '', ...inner]
  for (const file of made.files.slice(from)) made.hidden.add(file)
  const encoded = octetsOf(inner)
    .toString('base64')
    .match(/.{1,76}/g)!
  return ['Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '', ...encoded]
}
