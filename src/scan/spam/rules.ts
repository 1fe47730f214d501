/** The rules that look at what a message says, in the reading thread. Whoever writes a new family puts it here, and nowhere else. */
import type { SpamRules } from './contract.ts'
import { htmlRules } from './rules/html.ts'
import { impersonationRules } from './rules/impersonation.ts'
import { linksRules } from './rules/links.ts'
import { phishingRules } from './rules/phishing.ts'
import { textRules } from './rules/text.ts'

export const RULES: readonly SpamRules[] = [htmlRules, linksRules, textRules, phishingRules, impersonationRules]
