/** The rules that look at what a message says, in the reading thread. Whoever writes a new family puts it here, and nowhere else. */
import type { SpamRules } from './contract.ts'
import { attachmentRules } from './rules/attachments.ts'
import { backscatterRules } from './rules/backscatter.ts'
import { bulkRules } from './rules/bulk.ts'
import { connectionRules } from './rules/connection.ts'
import { headerRules } from './rules/header.ts'
import { subjectRules } from './rules/header-subject.ts'
import { htmlRules } from './rules/html.ts'
import { impersonationRules } from './rules/impersonation.ts'
import { languageRules } from './rules/language.ts'
import { linksRules } from './rules/links.ts'
import { mimeRules } from './rules/mime.ts'
import { phishingRules } from './rules/phishing.ts'
import { senderRules } from './rules/sender.ts'
import { textRules } from './rules/text.ts'
import { threadRules } from './rules/thread.ts'

export const RULES: readonly SpamRules[] = [
  headerRules,
  subjectRules,
  senderRules,
  threadRules,
  mimeRules,
  languageRules,
  attachmentRules,
  bulkRules,
  backscatterRules,
  connectionRules,
  htmlRules,
  linksRules,
  textRules,
  phishingRules,
  impersonationRules,
]
