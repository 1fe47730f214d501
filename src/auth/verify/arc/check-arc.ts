/**
 * ARC (RFC 8617 §5.2), read only: do the seals of those who passed the message on hold together, and is it as the last of them
 * had it? It says who has handled the message, not that they are to be trusted.
 */
import type { Arc } from '#mail/authentication.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { hashesOf } from '../dkim/body.ts'
import { type MessageToCheck, verified } from '../dkim/check-dkim.ts'
import { findKey } from '../dkim/key.ts'
import { type HeaderFields, isSignatureOf, ownText } from '../dkim/signed-text.ts'
import { type ArcSet, readChain } from './chain.ts'

type Said = Pick<Arc, 'reason'> & { readonly result: 'pass' | 'fail' | 'temperror' }

export async function checkArc(message: MessageToCheck, dns: Dns): Promise<Arc> {
  const chain = readChain(message.fields)
  if (chain.kind === 'none') return { result: 'none', instances: 0, sealers: [] }
  if (chain.kind === 'fault') return { result: 'fail', instances: chain.instances, sealers: [], reason: chain.reason }
  const { sets } = chain
  const said = await checked(message, sets, dns)
  const sealers = said.result === 'pass' ? sets.map(({ seal }) => seal.tags.domain).reverse() : []
  return { ...said, instances: sets.length, sealers }
}

const fail = (reason: string): Said => ({ result: 'fail', reason })

async function checked(message: MessageToCheck, sets: readonly ArcSet[], dns: Dns): Promise<Said> {
  // Who sealed a chain that had failed said so, and nothing after that mends it.
  for (const [i, { seal }] of sets.entries()) {
    if (seal.chain !== (i === 0 ? 'none' : 'pass')) return fail(`cv=${seal.chain} in set ${i + 1}`)
  }
  const last = await lastSignature(message, sets.at(-1)!, dns)
  if (last.result === 'fail') return last
  const seals = await sealsHold(message.fields, sets, dns)
  return seals.result === 'pass' ? last : seals
}

async function lastSignature(message: MessageToCheck, { signature }: ArcSet, dns: Dns): Promise<Said> {
  const { field, tags } = signature
  const key = findKey(tags, dns)
  const hashes = message.body === undefined ? new Map() : await hashesOf(message.body, new Set([tags.body]))
  const found = await key
  if (!found.ok) return { result: found.result === 'temperror' ? 'temperror' : 'fail', reason: found.reason }
  const { result, reason } = verified(message, field, tags, found, hashes)
  const isPart = tags.length !== undefined && tags.length < (hashes.get(tags.body)?.octets ?? 0)
  if (result === 'pass' && !isPart) return { result }
  return fail(`the message is not as the last seal has it: ${isPart ? 'the body is signed in part' : reason}`)
}

async function sealsHold(fields: HeaderFields, sets: readonly ArcSet[], dns: Dns): Promise<Said> {
  const keys = sets.map(({ seal }) => findKey(seal.tags, dns))
  let before = ''
  let unknown: string | undefined
  for (const [i, { results, signature, seal }] of sets.entries()) {
    before += fields.canonical(results, 'relaxed') + fields.canonical(signature.field, 'relaxed')
    const key = await keys[i]!
    if (!key.ok && key.result !== 'temperror') return fail(`seal ${i + 1}: ${key.reason}`)
    if (!key.ok) unknown ??= key.reason
    else if (!isSignatureOf(before + ownText(fields, seal.field, 'relaxed'), seal.tags, key.key))
      return fail(`seal ${i + 1} is not of its key and fields`)
    before += fields.canonical(seal.field, 'relaxed')
  }
  return unknown === undefined ? { result: 'pass' } : { result: 'temperror', reason: unknown }
}
