/**
 * Anna is on holiday, and her mailbox answers by itself (RFC 3834). What leaves goes by the relay's second door to a server
 * that plays the rest of the world.
 */
import type { Letter } from './sending-server.ts'

export const ABSENT = 'anna@bakery.example'
export const CORRESPONDENT = 'hello@friends.example'

/** The `number`th automatic reply, as Anna's server writes it. */
export function outOfOffice(number: number): Letter {
  const content = [
    `From: Anna <${ABSENT}>`,
    `To: <${CORRESPONDENT}>`,
    'Subject: Abwesenheitsnotiz: Re: Bread for Saturday',
    `Message-ID: <away-${number}@mail.bakery.example>`,
    'Date: Tue, 24 Nov 2026 09:00:00 +0100',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'I am on holiday until Monday. The shop is open as usual.',
    '',
  ].join('\r\n')
  return { reversePath: '', forwardPath: CORRESPONDENT, content: Buffer.from(content) }
}
