/** Who reports to other domains about TLS with their servers. */
import { mailbox } from './schema-tenant.ts'
import { prose, section, setting } from './setting.ts'

const ORGANIZATION_CHARACTERS_MAX = 200

const organization = setting({
  allowed: 'a name for people, on one line',
  brief: 'a name',
  read: (text) => (/^\P{Cc}+$/u.test(text) && text.length <= ORGANIZATION_CHARACTERS_MAX ? text.trim() : undefined),
  json: { type: 'string', minLength: 1, maxLength: ORGANIZATION_CHARACTERS_MAX },
})

export const tlsReportSettings = section({
  organization: organization.describe('Who you are, for the people who read the report.'),
  contact: mailbox.describe(prose('Where they reach you. Its domain is the submitter of the reports.')),
})
