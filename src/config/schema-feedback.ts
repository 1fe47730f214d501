/** Where complaints of receivers come in, and whose are believed. */
import { network } from './schema-listener.ts'
import { mailbox } from './schema-tenant.ts'
import { oneOrMore, prose, section, setting } from './setting.ts'
import { readFullDomain } from './units.ts'

const reportingDomain = setting({
  allowed: 'a domain such as mailbox-provider.example',
  brief: 'a domain',
  read: readFullDomain,
  json: { type: 'string' },
})

export const feedbackSettings = section({
  addresses: oneOrMore(mailbox).describe(
    prose(
      'The addresses that you gave to the operators of feedback loops, at domains that are served here. Reports (ARF, RFC',
      '5965) are read as they pass, and go on to these mailboxes.',
    ),
  ),
  'from-networks': oneOrMore(network)
    .optional()
    .describe('Clients whose reports are believed. Either this or `from-domains`, or both; else nobody’s are.'),
  'from-domains': oneOrMore(reportingDomain)
    .optional()
    .describe(
      prose(
        'Domains, with their subdomains, whose reports are believed, if SPF or a DKIM signature of the very domain verifies',
        'the reverse-path (of `<>`: the author’s domain).',
      ),
    ),
})
