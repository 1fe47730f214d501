/** One look at one message: every rule, each symbol once, and the classifier. Runs in the reading thread, and in tools. */
import { DETAIL_LENGTH_MAX, type SpamSign } from '#mail/spam.ts'
import type { Learned } from './classifier/models.ts'
import { classifierSign } from './classifier/signs.ts'
import { type SpamAbout, signOf } from './contract.ts'
import { type Trail, trailOf } from './memory/facts.ts'
import { readMessage, type SpamMessage } from './message.ts'
import { RULES } from './rules.ts'

export interface SpamLook {
  readonly message: SpamMessage
  readonly signs: readonly SpamSign[]
  /** For the memory, which is not in this thread. */
  readonly trail: Trail
}

/** `octets`: the content as it came, without fields of ours. `learned`: what the classifier knows; absent: it is not asked. */
export function lookAt(octets: Buffer, about: SpamAbout, learned?: Learned): SpamLook {
  const message = readMessage(octets)
  const signs = new Map<string, SpamSign>()
  for (const { symbols, look } of RULES) {
    for (const said of look(message, about)) {
      const sign = signOf(symbols, { ...said, ...(said.detail !== undefined && { detail: shown(said.detail) }) })
      const before = signs.get(sign.symbol)
      if (before === undefined || Math.abs(before.weight) < Math.abs(sign.weight)) signs.set(sign.symbol, sign)
    }
  }
  if (learned !== undefined) {
    const sign = classifierSign(message, octets, learned)
    signs.set(sign.symbol, sign.detail === undefined ? sign : { ...sign, detail: shown(sign.detail) })
  }
  return { message, signs: [...signs.values()], trail: trailOf(message) }
}

const shown = (detail: string): string =>
  detail
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, DETAIL_LENGTH_MAX)
