/** What HTML does behind the back of its reader: text that only filters see, forms, scripts. */
import type { SpamRules } from '../contract.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  HTML_FORM_PASSWORD: {
    family: 'html',
    weight: 3,
    en: 'asks for a password in the mail',
    de: 'fragt in der Mail nach einem Passwort',
  },
  HTML_SCRIPT: { family: 'html', weight: 1, en: 'has a script', de: 'enthält ein Skript' },
} as const

export const htmlRules: SpamRules = {
  symbols,
  *look({ texts }: SpamMessage) {
    for (const { html } of texts) {
      if (html === undefined) continue
      if (html.passwords > 0) yield { symbol: 'HTML_FORM_PASSWORD' }
      if (html.scripts > 0) yield { symbol: 'HTML_SCRIPT' }
    }
  },
}
