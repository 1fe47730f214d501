/**
 * `npm run campaign -- NAME [--messages N]`: the figures of recipient knowledge and backscatter at full size, against the
 * real program on loopback. Without a name: all, one after the other. Ends with 1 if a promise was broken.
 */
import { parseArgs } from 'node:util'
import { backscatter } from './backscatter.ts'
import { callouts } from './callouts.ts'
import { accountText, type Campaign } from './campaign.ts'
import { joeJob } from './joe-job.ts'
import { poisoning } from './poisoning.ts'

const CAMPAIGNS: { readonly [name: string]: { readonly campaign: Campaign; readonly messages: number } } = {
  backscatter: { campaign: backscatter, messages: 100_000 },
  callouts: { campaign: callouts, messages: 100_000 },
  'joe-job': { campaign: joeJob, messages: 100_000 },
  poisoning: { campaign: poisoning, messages: 2_000 },
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { messages: { type: 'string' } } })
const names = positionals.length > 0 ? positionals : Object.keys(CAMPAIGNS)
const told = (line: string): void => void process.stdout.write(`${line}\n`)
for (const name of names) {
  const found = CAMPAIGNS[name]
  if (found === undefined) throw new Error(`no such campaign: ${name}; there are ${Object.keys(CAMPAIGNS).join(', ')}`)
  const messages = values.messages === undefined ? found.messages : Number(values.messages)
  if (!Number.isSafeInteger(messages) || messages <= 0) throw new Error(`--messages ${values.messages} is no number`)
  const startMs = performance.now()
  told(`${name}, ${messages}`)
  const account = await found.campaign({ messages, told })
  told(`${accountText(account)}\n${((performance.now() - startMs) / 1000).toFixed(0)} s\n`)
  if (account.faults.length > 0) process.exitCode = 1
}
