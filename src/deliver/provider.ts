/**
 * Who has the mail of a domain: the registrable domain of its best exchanger, by name. A domain that has its own server is
 * its own provider.
 *
 * Without the public suffix list, which is large and never up to date: of `mail.example.co.uk` three labels count, since `co`
 * under a country is a registry's. A suffix that is not known here makes one provider of several; they then share a pace
 * while one of them complains, and nothing else.
 */
import { isIP } from 'node:net'
import type { Dns } from '#sys/dns/answer.ts'
import type { Route } from '#tenant/directory.ts'
import { readMx } from './exchangers.ts'

/** Second labels that registries of countries use. */
const REGISTRIES = new Set(
  'ac ad asn co com ed edu firm gen go gob gouv gov gv id in ind info lg ltd me mil ne net nhs nom or org plc police sch web'.split(
    ' ',
  ),
)

export function providerOf(exchanger: string): string {
  if (isIP(exchanger) > 0) return exchanger
  const labels = exchanger.split('.')
  const [second = '', top = ''] = labels.slice(-2)
  return labels.slice(top.length === 2 && REGISTRIES.has(second) ? -3 : -2).join('.')
}

/** Undefined for what is not found by MX, and where nobody can say now. Never rejects. */
export const providerBy =
  (dns: Dns) =>
  async ({ destination, byMx }: Pick<Route, 'destination' | 'byMx'>): Promise<string | undefined> => {
    if (destination === undefined || byMx === undefined || destination.startsWith('[')) return undefined
    const mx = readMx(destination, await dns.lookup(destination, 'MX'))
    return mx.kind === 'exchangers' ? providerOf(mx.list[0]!.name) : undefined
  }
