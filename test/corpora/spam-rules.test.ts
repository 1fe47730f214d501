/**
 * The rules of the spam filter against corpora: messages that deceive about their author, odd ones, bounces. The corpora are
 * larger than the project carries: beside the checkout, or where MAIL_CORPORA says.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { lookAt } from '#scan/spam/look.ts'
import { CORPORA, isMessage, readArchive } from './archive.ts'

const NOT_RUN = 'NOT RUN: the corpus is not here'
/** Of the processor, for one message of up to some 1 MB, with a machine that is busy. */
const CPU_MS_MAX = 1_000

const symbolsOf = (octets: Buffer, reversePath?: string): Set<string> =>
  new Set(lookAt(octets, { ...(reversePath !== undefined && { reversePath }) }).signs.map(({ symbol }) => symbol))

test('espoofer: whoever makes two readers see two authors is told', (t) => {
  const cases = new URL('email-auth/espoofer-cases.json', CORPORA)
  if (!existsSync(cases)) return t.diagnostic(NOT_RUN)
  const { cases: all } = JSON.parse(readFileSync(cases, 'utf8')) as { cases: { id: string; data_b64: string }[] }
  assert.equal(all.length, 22)
  const told = all
    .filter(({ data_b64 }) => symbolsOf(Buffer.from(data_b64, 'base64')).has('HEADER_FROM_AMBIGUOUS'))
    .map(({ id }) => id)
  // a1 to a7 and client_a3 deceive by the envelope, the signature or a login: their From is one address.
  const ofHeader = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((n) => `server_a${n}`)
  assert.deepEqual(told, [...ofHeader, 'client_a1', 'client_a2'])
})

test('odd messages are read in time, and none is too odd', (t) => {
  const folder = new URL('mime-messages/', CORPORA)
  if (!existsSync(folder)) return t.diagnostic(NOT_RUN)
  let messages = 0
  const slow: string[] = []
  for (const archive of readdirSync(folder).filter((name) => name.endsWith('.tar.gz')))
    for (const { path, octets } of readArchive(new URL(archive, folder))) {
      const from = process.cpuUsage()
      lookAt(octets, {})
      const { user, system } = process.cpuUsage(from)
      if ((user + system) / 1000 > CPU_MS_MAX) slow.push(path)
      messages++
    }
  assert.ok(messages >= 563, `${messages} messages`)
  assert.deepEqual(slow, [])
})

test('bounces are backscatter by class', (t) => {
  const at = new URL('bounces/sisimai.tar.gz', CORPORA)
  if (!existsSync(at)) return t.diagnostic(NOT_RUN)
  const all = readArchive(at).filter((file) => isMessage(file) && !/\/arf-|feedback/.test(file.path))
  const bounces = all.filter(({ octets }) => symbolsOf(crlf(octets), '<>').has('BACKSCATTER_BOUNCE'))
  t.diagnostic(`${bounces.length} of ${all.length}`)
  assert.ok(bounces.length > 0.9 * all.length, `${bounces.length} of ${all.length}`)
})

const crlf = (octets: Buffer): Buffer => Buffer.from(octets.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
