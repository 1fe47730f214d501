/**
 * What the session shows of the client, without asking anybody: how it greeted, what its name looks like, whether it kept to
 * the protocol. Servers for mail have a name that leads back to them and say it; machines that were taken over do not.
 *
 * A file on disk has no session. What its Received fields say of it was written by others, and told nothing on the mail
 * that it was tried on: servers between the owner's own have no names either.
 */

import { isIP } from 'node:net'
import { registrant } from '#mail/registrable-domain.ts'
import type { Said, SpamAbout, SpamRules, SymbolTable } from '../contract.ts'
import type { HeaderView } from '../header.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  CLIENT_NAME_NONE: {
    family: 'connection',
    weight: 1.5,
    en: 'the client’s address has no name',
    de: 'die Adresse des Clients hat keinen Namen',
  },
  CLIENT_NAME_UNCONFIRMED: {
    family: 'connection',
    weight: 0.5,
    en: 'the client’s name does not lead back to it',
    de: 'der Name des Clients führt nicht zu ihm zurück',
  },
  CLIENT_NAME_UNKNOWN: {
    family: 'connection',
    weight: 0,
    en: 'the client’s name could not be asked for',
    de: 'nach dem Namen des Clients konnte nicht gefragt werden',
  },
  CLIENT_NAME_DYNAMIC: {
    family: 'connection',
    weight: 1.5,
    en: 'the client’s name is of an access line or made of its address',
    de: 'der Name des Clients gehört zu einem Anschluss oder besteht aus seiner Adresse',
  },
  CLIENT_NAME_FITS: {
    family: 'connection',
    weight: -1,
    en: 'the client belongs to the author’s domain',
    de: 'der Client gehört zur Domain des Absenders',
  },
  HELO_IS_ADDRESS: {
    family: 'connection',
    weight: 2.5,
    en: 'the client greeted with an address for a name',
    de: 'der Client grüßte mit einer Adresse statt mit einem Namen',
  },
  HELO_IS_LITERAL: {
    family: 'connection',
    weight: 1,
    en: 'the client greeted with its address',
    de: 'der Client grüßte mit seiner Adresse',
  },
  HELO_NOT_A_HOST: {
    family: 'connection',
    weight: 2,
    en: 'the client greeted with a name that no host has in the DNS',
    de: 'der Client grüßte mit einem Namen, den im DNS niemand hat',
  },
  HELO_IS_OURS: {
    family: 'connection',
    weight: 3,
    en: 'the client greeted with the recipient’s own domain',
    de: 'der Client grüßte mit der Domain des Empfängers',
  },
  HELO_UNLIKE_NAME: {
    family: 'connection',
    weight: 0.5,
    en: 'the client greeted with a domain that is not that of its name',
    de: 'der Client grüßte mit einer anderen Domain als der seines Namens',
  },
  CLIENT_TALKED_EARLY: {
    family: 'connection',
    weight: 2.5,
    en: 'the client spoke before it was its turn',
    de: 'der Client sprach, bevor er dran war',
  },
  CLIENT_WITHOUT_TLS: {
    family: 'connection',
    weight: 0.5,
    en: 'came in the clear',
    de: 'kam unverschlüsselt',
  },
} as const satisfies SymbolTable

export const connectionRules: SpamRules = {
  symbols,
  *look({ header }: SpamMessage, about: SpamAbout) {
    const { session } = about
    if (session === undefined) return
    yield* name(header, session)
    yield* greeting(about)
    if (session.earlyTalk === true) yield { symbol: 'CLIENT_TALKED_EARLY' }
    if (!session.tls) yield { symbol: 'CLIENT_WITHOUT_TLS' }
  },
}

type Session = NonNullable<SpamAbout['session']>

function* name(header: HeaderView, { client, clientName }: Session): Iterable<Said> {
  switch (clientName?.kind) {
    case undefined:
      return
    case 'none':
      yield { symbol: 'CLIENT_NAME_NONE', detail: client }
      return
    case 'unknown':
      yield { symbol: 'CLIENT_NAME_UNKNOWN' }
      return
    case 'unconfirmed':
      yield { symbol: 'CLIENT_NAME_UNCONFIRMED', detail: clientName.name }
      break
    case 'confirmed':
      if (registrant(clientName.name.toLowerCase()) === header.from.site)
        yield { symbol: 'CLIENT_NAME_FITS', detail: clientName.name }
  }
  if (isOfAccessLine(clientName.name.toLowerCase(), client))
    yield { symbol: 'CLIENT_NAME_DYNAMIC', detail: clientName.name }
}

const ACCESS =
  /(?:^|[.\d-])(?:dyn(?:amic)?|dsl|adsl|vdsl|xdsl|dhcp|dial(?:up|in)?|ppp(?:oe)?|pool|cable|fttx?|ftth|catv|broadband|wireless|mobile|customers?|client|home|res(?:idential)?|cpe|nat|hsi|modem)(?:[.\d-]|$)/
/** A name that says that a server is meant. */
const SERVER = /(?:^|[.\d-])(?:mail|mx|smtp|mta|out|relay|static|srv|server|send|mailer)/

/** A name of an access line, or one that is made of the address: neither is a server that its owner has named. */
export function isOfAccessLine(host: string, address: string): boolean {
  if (SERVER.test(host)) return false
  if (ACCESS.test(host)) return true
  if (isIP(address) !== 4) return false
  const octets = address.split('.')
  const numbers: readonly string[] = host.match(/\d{1,3}/g) ?? []
  const own = octets.filter((octet) => numbers.includes(octet) || numbers.includes(octet.padStart(3, '0'))).length
  const hex = octets.map((octet) => Number(octet).toString(16).padStart(2, '0')).join('')
  return own >= 3 || host.includes(hex)
}

function* greeting({ session, recipients = [], tenant }: SpamAbout): Iterable<Said> {
  const said = session?.greetingName?.toLowerCase().replace(/\.$/, '')
  if (said === undefined) return
  if (isIP(said) > 0) {
    yield { symbol: 'HELO_IS_ADDRESS', detail: said }
    return
  }
  if (said.startsWith('[')) {
    yield { symbol: 'HELO_IS_LITERAL', detail: said }
    return
  }
  const own = [...(tenant?.domains ?? []), ...recipients.map((address) => address.slice(address.lastIndexOf('@') + 1))]
  if (own.some((domain) => domain.toLowerCase() === said)) yield { symbol: 'HELO_IS_OURS', detail: said }
  else if (!IS_HOST.test(said) || NO_HOST.test(said)) yield { symbol: 'HELO_NOT_A_HOST', detail: said }
  else if (
    session?.clientName?.kind === 'confirmed' &&
    registrant(said) !== registrant(session.clientName.name.toLowerCase())
  )
    yield { symbol: 'HELO_UNLIKE_NAME', detail: said }
}

const IS_HOST = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.){1,20}(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/
/** What is reserved for use at home, and what routers and operating systems give to a network at home. */
const NO_HOST = /(?:^|\.)(?:localhost|localdomain|local|lan|home|internal|intranet|corp|workgroup|invalid|home\.arpa)$/
