/**
 * Builds the starter model that ships with the program (docs/adr/0029):
 *
 *   npm run spam:starter -- --data FOLDER [--output FILE]
 *
 * FOLDER as for `bench:spam`. The same mail gives the same file, to the bit.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { featuresOf } from '#scan/spam/classifier/features.ts'
import { layerFile } from '#scan/spam/classifier/layer-file.ts'
import { STARTER_BITS, STARTER_FILE } from '#scan/spam/classifier/starter.ts'
import { type Taught, train } from '#scan/spam/classifier/training.ts'
import { readMessage } from '#scan/spam/message.ts'
import { type Labelled, mailOf2025, spamAssassin } from './corpora.ts'
import type { Corpora } from './protocols.ts'

/** What a message of 2002 teaches, beside one of 2025: there are ten times as many, and they tell the year. */
const OLD_WEIGHT = 0.2
const NEW_WEIGHT = 1

export function starterLayer({ spamAssassin, mailOf2025 }: Corpora) {
  const taught = (mail: readonly Labelled[], weight: number): (Taught & Pick<Labelled, 'id'>)[] =>
    mail.map(({ id, octets, isSpam }) => ({ id, isSpam, weight, features: featuresOf(readMessage(octets), octets) }))
  const lessons = [...taught(spamAssassin, OLD_WEIGHT), ...taught(mailOf2025, NEW_WEIGHT)]
  // Mixed by their ids, which are digests: neither corpus has the last word.
  return train(
    lessons.sort((a, b) => (a.id < b.id ? -1 : 1)),
    STARTER_BITS,
  )
}

function main(): void {
  const { values } = parseArgs({ options: { data: { type: 'string' }, output: { type: 'string' } } })
  if (values.data === undefined) throw new Error('say where the labelled mail is: --data FOLDER')
  const layer = starterLayer({
    spamAssassin: spamAssassin(join(values.data, 'spam-spamassassin')),
    mailOf2025: mailOf2025(join(values.data, 'mail-2025-labelled')),
  })
  const file = layerFile(layer)
  writeFileSync(values.output ?? STARTER_FILE, file)
  const digest = createHash('sha256').update(file).digest('hex')
  process.stdout.write(`${layer.ham} ham, ${layer.spam} spam: ${file.length} octets, SHA-256 ${digest}\n`)
}

if (import.meta.main) main()
