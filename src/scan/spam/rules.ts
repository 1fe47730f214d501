/** The rules that look at what a message says, in the reading thread. Whoever writes a new family puts it here, and nowhere else. */
import type { SpamRules } from './contract.ts'
import { htmlRules } from './rules/html.ts'

export const RULES: readonly SpamRules[] = [htmlRules]
