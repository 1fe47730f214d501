/** What the relay's spool holds, by try and recipient, for the judge. */
import type { RecipientState } from '#mail/stored.ts'
import type { Spool } from '#spool/contract.ts'
import type { Ledger } from './ledger.ts'

export async function readKept(
  spool: Spool,
  ledger: Ledger,
): Promise<Map<string, Map<string, RecipientState['kind']>>> {
  const kept = new Map<string, Map<string, RecipientState['kind']>>()
  for (const { id } of [...spool.entries()]) {
    const result = await spool.read(id)
    if (result.kind !== 'stored') {
      ledger.violation(`${id} is in the index and ${result.kind}`)
      continue
    }
    const { envelope, recipients, content } = result.message
    const states = envelope.recipients.map(({ forwardPath }, i): [string, RecipientState['kind']] => [
      forwardPath.kind === 'postmaster' ? 'postmaster' : forwardPath.mailbox.localPart,
      recipients[i]!.kind,
    ])
    const tryId = ledger.tryOf(Buffer.concat(content.chunks).toString('latin1')) ?? id
    if (kept.has(tryId)) ledger.violation(`${tryId} is kept twice`)
    kept.set(tryId, new Map(states))
  }
  return kept
}
