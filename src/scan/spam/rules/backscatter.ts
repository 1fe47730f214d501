/**
 * Mail that answers mail: bounces and automatic replies. Whether the recipient wrote what they answer is not known here; if
 * not, it is backscatter. Read by the one who reads them for the reports of our own deliveries (mime/automatic).
 */

import { NULL_PATH, parseReversePath, type ReversePath } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import { classify } from '#mime/automatic/classify.ts'
import { mayBeAutomatic } from '#mime/automatic/pre-check.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import type { SpamAbout, SpamRules, SymbolTable } from '../contract.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  BACKSCATTER_BOUNCE: {
    family: 'bulk',
    weight: 0,
    en: 'says that a message could not be delivered',
    de: 'meldet, dass eine Nachricht nicht zugestellt wurde',
  },
  BACKSCATTER_AUTO_REPLY: {
    family: 'bulk',
    weight: 0,
    en: 'was written by a mailbox, not by a person',
    de: 'hat ein Postfach geschrieben, kein Mensch',
  },
  BACKSCATTER_CHALLENGE: {
    family: 'bulk',
    weight: 1,
    en: 'asks its recipient to prove that they wrote',
    de: 'verlangt vom Empfänger einen Beweis, dass er geschrieben hat',
  },
} as const satisfies SymbolTable

export const backscatterRules: SpamRules = {
  symbols,
  *look({ content: octets, header }: SpamMessage, { reversePath }: SpamAbout) {
    const whole = content([octets])
    const section = readHeaderSection(whole)
    const path = reversePath ?? (header.returnPath?.address === '' ? '<>' : undefined)
    const parsed = path === undefined || path === '<>' ? undefined : parseReversePath(`<${path}>`)
    const isNull = path === '<>' || path === ''
    const reverse = isNull ? NULL_PATH : parsed?.ok ? parsed.value : undefined
    if (!mayBeAutomatic(section, reverse)) return
    const found = classify({ reversePath: reverse ?? UNTOLD, header: section, content: whole })
    const symbol = SYMBOL_OF[found.kind]
    if (symbol !== undefined) yield { symbol, detail: found.reasons[0]?.detail ?? found.kind }
  },
}

/** Of a file on disk that does not say its reverse-path: it is not to be taken for the null path. */
const UNTOLD: ReversePath = {
  kind: 'mailbox',
  mailbox: { localPart: 'unknown', domain: { kind: 'name', ascii: 'unknown.invalid' }, internationalized: false },
}

const SYMBOL_OF: Readonly<Partial<Record<string, keyof typeof symbols>>> = {
  dsn: 'BACKSCATTER_BOUNCE',
  'out-of-office': 'BACKSCATTER_AUTO_REPLY',
  'auto-reply': 'BACKSCATTER_AUTO_REPLY',
  challenge: 'BACKSCATTER_CHALLENGE',
}
