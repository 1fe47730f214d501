/**
 * What the authentication of a sender says of a message being spam. A pass says who it is from, not that it is wanted: spam has
 * domains of its own, with all records in order. So a pass counts little, and the disavowal of the domain that the reader sees
 * counts much. What DNS did not answer is a sign of its own and weighs nothing.
 */
import type { Authentication } from '#mail/authentication.ts'
import type { SpamSign } from '#mail/spam.ts'
import { type SpamAbout, type SymbolTable, signOf } from '../contract.ts'

export const AUTHENTICATION_SYMBOLS = {
  AUTH_DMARC_REJECT: {
    family: 'authentication',
    weight: 3,
    en: 'the domain in From has not vouched for it, and wants such mail refused (DMARC)',
    de: 'die Domain in From bürgt nicht für sie und will solche Post abgelehnt wissen (DMARC)',
  },
  AUTH_DMARC_QUARANTINE: {
    family: 'authentication',
    weight: 2,
    en: 'the domain in From has not vouched for it, and calls such mail suspicious (DMARC)',
    de: 'die Domain in From bürgt nicht für sie und nennt solche Post verdächtig (DMARC)',
  },
  AUTH_DMARC_FAIL: {
    family: 'authentication',
    weight: 0.7,
    en: 'the domain in From has not vouched for it, and asks for nothing (DMARC)',
    de: 'die Domain in From bürgt nicht für sie und verlangt nichts (DMARC)',
  },
  AUTH_DMARC_PASS: {
    family: 'authentication',
    weight: -0.4,
    en: 'the domain in From has vouched for it (DMARC)',
    de: 'die Domain in From bürgt für sie (DMARC)',
  },
  AUTH_FROM_AMBIGUOUS: {
    family: 'authentication',
    weight: 1.5,
    en: 'mail programs could show different senders of it',
    de: 'Mailprogramme könnten verschiedene Absender anzeigen',
  },
  AUTH_SPF_FAIL: {
    family: 'authentication',
    weight: 1.5,
    en: 'its envelope domain says that this server may not send for it (SPF)',
    de: 'laut der Domain im Umschlag darf dieser Server nicht für sie senden (SPF)',
  },
  AUTH_SPF_SOFTFAIL: {
    family: 'authentication',
    weight: 0.5,
    en: 'its envelope domain says that this server is probably not one of its own (SPF)',
    de: 'laut der Domain im Umschlag ist dieser Server wohl keiner der ihren (SPF)',
  },
  AUTH_SPF_BROKEN: {
    family: 'authentication',
    weight: 0.3,
    en: 'its envelope domain has an SPF record that cannot be used',
    de: 'die Domain im Umschlag hat einen unbrauchbaren SPF-Eintrag',
  },
  AUTH_DKIM_ALIGNED: {
    family: 'authentication',
    weight: -0.4,
    en: 'signed by the domain in From',
    de: 'von der Domain in From signiert',
  },
  AUTH_DKIM_BROKEN: {
    family: 'authentication',
    weight: 0.4,
    en: 'signed, and no signature holds',
    de: 'signiert, und keine Signatur hält',
  },
  AUTH_NOTHING: {
    family: 'authentication',
    weight: 0.7,
    en: 'no domain has vouched for it in any way',
    de: 'keine Domain bürgt auf irgendeine Weise für sie',
  },
  AUTH_ARC_PASS: {
    family: 'authentication',
    weight: 0,
    en: 'passed on by hands that sealed it (ARC)',
    de: 'von Stellen weitergereicht, die sie versiegelt haben (ARC)',
  },
  AUTH_UNKNOWN: {
    family: 'authentication',
    weight: 0,
    en: 'DNS did not say who has vouched for it',
    de: 'DNS sagte nicht, wer für sie bürgt',
  },
} as const satisfies SymbolTable

type Symbol = keyof typeof AUTHENTICATION_SYMBOLS

const sign = (symbol: Symbol, detail?: string): SpamSign =>
  signOf(AUTHENTICATION_SYMBOLS, { symbol, ...(detail !== undefined && { detail }) })

export function signsOf(authentication: Authentication): SpamSign[] {
  const { spf, dkim, dmarc, arc } = authentication
  const signs = [...dmarcSigns(authentication), ...spfSigns(authentication)]
  const aligned = dmarc.domain !== undefined && dkim.some((one) => isPass(one) && one.domain === dmarc.domain)
  if (aligned) signs.push(sign('AUTH_DKIM_ALIGNED', dmarc.domain))
  else if (
    dkim.length > 0 &&
    dkim.every(({ result }) => result === 'fail' || result === 'permerror' || result === 'policy')
  )
    signs.push(sign('AUTH_DKIM_BROKEN', dkim[0]!.domain))
  if (arc.result === 'pass') signs.push(sign('AUTH_ARC_PASS', arc.sealers[0]))
  if (isUnknown(authentication)) signs.push(sign('AUTH_UNKNOWN'))
  else if (spf.result !== 'pass' && !dkim.some(isPass) && dmarc.result === 'none')
    signs.push(sign('AUTH_NOTHING', dmarc.domain))
  return signs
}

/** For the rules, the memory and the people who read their signs. */
export function authenticatedBy({ spf, dkim, dmarc }: Authentication): NonNullable<SpamAbout['authenticated']> {
  return {
    ...(spf.result === 'pass' && spf.domain !== undefined && { spf: spf.domain }),
    dkim: [...new Set(dkim.flatMap((one) => (isPass(one) && one.domain !== undefined ? [one.domain] : [])))],
    dmarc: dmarc.result === 'temperror' ? 'unknown' : dmarc.result === 'permerror' ? 'none' : dmarc.result,
    ...(dmarc.policy && { dmarcPolicy: dmarc.policy }),
  }
}

const isPass = ({ result }: { readonly result: string }): boolean => result === 'pass'

const isUnknown = ({ spf, dkim, dmarc }: Authentication): boolean =>
  [spf, dmarc, ...dkim].some(({ result }) => result === 'temperror')

const FAILED = { none: 'AUTH_DMARC_FAIL', quarantine: 'AUTH_DMARC_QUARANTINE', reject: 'AUTH_DMARC_REJECT' } as const

function dmarcSigns({ dmarc }: Authentication): SpamSign[] {
  const { result, domain, policy = 'none' } = dmarc
  if (result === 'pass') return [sign('AUTH_DMARC_PASS', domain)]
  if (result === 'fail') return [sign(FAILED[policy], domain)]
  return result === 'permerror' ? [sign('AUTH_FROM_AMBIGUOUS', dmarc.reason)] : []
}

function spfSigns({ spf }: Authentication): SpamSign[] {
  if (spf.result === 'fail') return [sign('AUTH_SPF_FAIL', spf.domain)]
  if (spf.result === 'softfail') return [sign('AUTH_SPF_SOFTFAIL', spf.domain)]
  return spf.result === 'permerror' ? [sign('AUTH_SPF_BROKEN', spf.domain)] : []
}
