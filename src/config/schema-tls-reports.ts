/** Who reports to other domains about TLS with their servers. */
import { mailbox, routeId } from './schema-tenant.ts'
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
  contact: mailbox.describe(
    prose(
      'Where they reach you, and the author of reports by mail. Its domain is the submitter of the reports: a domain of a',
      'tenant with `outbound`, that of `hostname`, or one above it. Reports by mail need a DKIM key of it.',
    ),
  ),
  route: routeId
    .optional()
    .describe(
      prose(
        'Route (`tenant/name`) by which reports leave by mail. Without it, the way out of the tenant that has the domain of',
        '`contact`; else `notices.route`.',
      ),
    ),
})
export type TlsReportsWritten = typeof tlsReportSettings._output
