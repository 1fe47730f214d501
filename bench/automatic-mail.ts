/**
 * What the classifier of automatic mail costs, in µs per message: the pre-check and the whole, for ordinary mail of 4 KB and
 * for the bounces of the fixtures.
 *
 *     npm run bench:automatic -- [ROUNDS]
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parseMailbox } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import { type ClassifyInput, classify } from '#mime/automatic/classify.ts'
import { mayBeAutomatic } from '#mime/automatic/pre-check.ts'
import { readHeaderSection } from '#mime/header-section.ts'

const ORDINARY_OCTETS = 4096
const rounds = Number(process.argv[2] ?? 2000)

function input(octets: string): ClassifyInput {
  const mailbox = parseMailbox('anna@sender.example')
  if (!mailbox.ok) throw new Error('no mailbox')
  const body = content([Buffer.from(octets.replace(/\r?\n/g, '\r\n'), 'latin1')])
  return { reversePath: { kind: 'mailbox', mailbox: mailbox.value }, header: readHeaderSection(body), content: body }
}

function folder(name: string): string[] {
  const url = new URL(`../fixtures/${name}/`, import.meta.url)
  const files = readdirSync(url).filter((file) => file.endsWith('.eml'))
  return files.map((file) =>
    readFileSync(new URL(file, url))
      .toString('latin1')
      .replace(/^From [^\n]*\n/, ''),
  )
}

function measure(what: string, inputs: readonly ClassifyInput[], work: (one: ClassifyInput) => unknown): void {
  for (let i = 0; i < rounds / 4; i++) for (const one of inputs) work(one)
  const started = performance.now()
  for (let i = 0; i < rounds; i++) for (const one of inputs) work(one)
  const us = ((performance.now() - started) * 1000) / (rounds * inputs.length)
  console.log(`${what}: ${us.toFixed(2)} µs per message (${inputs.length} messages, ${rounds} rounds)`)
}

const ordinary = folder('messages').map((text) => input(text.slice(0, ORDINARY_OCTETS)))
const bounces = folder('automatic').map(input)
measure('ordinary, 4 KB: reading the header section', ordinary, (one) => readHeaderSection(one.content))
measure('ordinary, 4 KB: pre-check', ordinary, (one) => mayBeAutomatic(one.header, one.reversePath))
measure('ordinary, 4 KB: classify', ordinary, classify)
measure('automatic, as in the fixtures: classify', bounces, classify)
