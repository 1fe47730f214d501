/** `docs/spam-signs.md`: every symbol of the spam filter, out of the tables that it works with. */
import { FAMILY_WEIGHT_MAX } from './combine.ts'
import type { SpamFamily } from './contract.ts'
import { SYMBOLS } from './symbols.ts'

const HEAD = `# What the spam filter can see

Made by \`npm run docs\` from the tables of the program; how signs become a verdict is said in [the spam filter](spam-filter.md),
and how the weights were found in [weights](spam-weights.md).

The weight is a natural logarithm of odds, and the most that a symbol says: 1 makes spam 2.7 times as likely, 3 makes it 20
times, -1 makes it less likely by as much; 0 informs. A rule that is half sure says half. The second sign of a family counts
half, its third a third, and a family adds no more than its limit. Symbols that begin with \`PHISH_\`, \`BULK_\` and
\`BACKSCATTER_\` also say what kind of message it is.
`

const rowsOf = (family: SpamFamily): string[] =>
  Object.entries(SYMBOLS)
    .filter(([, meaning]) => meaning.family === family)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, { weight, en, de }]) => `| \`${symbol}\` | ${weight} | ${en} | ${de} |`)

export function spamSigns(): string {
  const parts = [HEAD]
  for (const [family, most] of Object.entries(FAMILY_WEIGHT_MAX)) {
    const rows = rowsOf(family as SpamFamily)
    if (rows.length > 0)
      parts.push(
        [
          `## ${family}`,
          '',
          `At most ${most} points in each direction.`,
          '',
          '| symbol | weight | seen | gesehen |',
          '|---|---|---|---|',
          ...rows,
          '',
        ].join('\n'),
      )
  }
  return parts.join('\n')
}
