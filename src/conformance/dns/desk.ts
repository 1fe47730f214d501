/** The deliverability desk: all records that a domain needs so that its mail arrives, through us and from us. Nothing rejects. */
import type { Dns } from '#sys/dns/answer.ts'
import { checkAddresses } from './addresses.ts'
import { checkDkim } from './dkim.ts'
import { checkDmarc } from './dmarc.ts'
import { checkMx } from './mx.ts'
import { checkReverse } from './reverse.ts'
import type { DeskFacts, Row } from './row.ts'
import { checkSenderToken } from './sender-token.ts'
import { checkSpf } from './spf.ts'
import { checkTlsa } from './tlsa.ts'
import { checkMtaSts, checkTlsRpt } from './transport-security.ts'

const CHECKS = [
  checkAddresses,
  checkMx,
  checkSenderToken,
  checkSpf,
  checkDkim,
  checkDmarc,
  checkReverse,
  checkMtaSts,
  checkTlsRpt,
  checkTlsa,
] as const

export async function checkRecords(facts: DeskFacts, dns: Dns): Promise<Row[]> {
  return (await Promise.all(CHECKS.map((check) => check(facts, dns)))).flat()
}

/** What is missing for certain weighs more than what nobody could say. */
export function outcomeOf(rows: readonly Row[]): 'complete' | 'incomplete' | 'unknown' {
  if (rows.some(({ state }) => state === 'missing' || state === 'wrong')) return 'incomplete'
  return rows.some(({ state }) => state === 'unknown') ? 'unknown' : 'complete'
}
