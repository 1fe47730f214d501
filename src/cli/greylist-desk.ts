/** The greylist as a worker asks it. Who cannot be looked up is let through: nobody waits for a list that remembers nothing. */
import { clientNetworks } from '#auth/client-networks.ts'
import { mailboxKey, pathText } from '#mail/address.ts'
import type { Transaction } from '#mail/session.ts'
import type { AskDesk } from '#recipients/shared-memory.ts'
import type { GreylistQuestions } from './clerks/greylist.ts'

/** Of the supervisor's answer, which is a look into a table. */
const ANSWER_MS_MAX = 1_000

export const greylistOf =
  (desk: AskDesk) =>
  async (transaction: Transaction): Promise<'wait' | 'pass'> => {
    const asked = desk('greylist/ask', { keys: keysOf(transaction) }, ANSWER_MS_MAX)
    return (await asked.catch(() => 'pass')) as GreylistQuestions['greylist/ask']['answer']
  }

/** Client network (IPv4 /24, IPv6 /64), reverse-path, recipient. */
export function keysOf({ session, envelope }: Transaction): string[] {
  const { network } = clientNetworks(session.client.address)
  const { reversePath, recipients } = envelope
  const from = reversePath.kind === 'null' ? '' : mailboxKey(reversePath.mailbox)
  return recipients.map(({ forwardPath }) => {
    const to = forwardPath.kind === 'mailbox' ? mailboxKey(forwardPath.mailbox) : pathText(forwardPath)
    return `${network} ${from} ${to}`
  })
}
