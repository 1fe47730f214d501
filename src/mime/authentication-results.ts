/**
 * The Authentication-Results field (RFC 8601): what we found out, for everybody behind us. Our host name is the authserv-id;
 * fields of others that claim it are removed at the border (`forgedResults` in trace-fields.ts).
 *
 * Values are domain names that we have read, or quoted and bounded; nobody can write a line of it. ARC that DNS did not answer
 * is left out: the registry has no word for it, and "fail" would be wrong.
 */
import type { Arc, Authentication, DkimSignature, Dmarc, Spf } from '#mail/authentication.ts'

/** Of a value that strangers have a part in. */
const VALUE_CHARACTERS_MAX = 255
const REASON_CHARACTERS_MAX = 100

/** The whole field with its CRLF. Undefined: nobody looked (§2.2: "none"). */
export function authenticationResults(hostname: string, found: Authentication | undefined): string {
  if (found === undefined) return `Authentication-Results: ${hostname}; none\r\n`
  const { spf, dkim, dmarc, arc } = found
  const results = [spfResult(spf), ...dkimResults(dkim), dmarcResult(dmarc), ...arcResult(arc)]
  return `Authentication-Results: ${hostname};\r\n\t${results.join(';\r\n\t')}\r\n`
}

function spfResult({ result, identity, domain, reason }: Spf): string {
  return resultOf('spf', result, result === 'pass' ? undefined : reason, [
    [identity === 'helo' ? 'smtp.helo' : 'smtp.mailfrom', domain],
  ])
}

function dkimResults(signatures: readonly DkimSignature[]): string[] {
  if (signatures.length === 0) return ['dkim=none']
  return signatures.map(({ result, domain, selector, algorithm, begins, reason }) =>
    resultOf('dkim', result, reason, [
      ['header.d', domain],
      ['header.s', selector],
      ['header.a', algorithm],
      ['header.b', begins],
    ]),
  )
}

function dmarcResult({ result, domain, policy, reason }: Dmarc): string {
  return resultOf('dmarc', result, reason, [
    ['header.from', domain],
    ['policy.dmarc', policy],
  ])
}

function arcResult({ result, sealers, reason }: Arc): string[] {
  if (result === 'none' || result === 'temperror') return []
  return [resultOf('arc', result, reason, [['header.d', sealers[0]]])]
}

type Property = readonly [name: string, value: string | undefined]

/** §2.2 resinfo; one line each, so that lines stay short. */
function resultOf(method: string, result: string, reason: string | undefined, properties: readonly Property[]): string {
  const said = reason === undefined ? '' : ` reason=${quoted(reason.slice(0, REASON_CHARACTERS_MAX))}`
  const facts = properties.flatMap(([name, value]) => (value === undefined ? [] : `${name}=${valueText(value)}`))
  return `${method}=${result}${said}${facts.length === 0 ? '' : `\r\n\t ${facts.join('\r\n\t ')}`}`
}

// §2.2 pvalue: a token, or a quoted string.
const valueText = (value: string): string =>
  /^[a-z0-9._-]{1,255}$/i.test(value) ? value : quoted(value.slice(0, VALUE_CHARACTERS_MAX))
const quoted = (text: string): string => `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, "'")}"`
