/** The eleven chapters of the demo. Each says what it is about, lets it happen, and waits until it has. */
import { account, type Posted } from './account.ts'
import { INFECTED } from './infected.ts'
import { idOf, type Stage } from './stage.ts'
import { type Heard, makeLogin, OWNER, Thief } from './stolen-password.ts'
import type { Timeline } from './timeline.ts'
import { SENDERS, UNWANTED } from './unwanted.ts'

/** Much more than it takes on a busy machine; who waits longer has found a fault. */
const WAIT_MS_MAX = 45_000

export async function delivered({ timeline, stage }: Parties): Promise<void> {
  timeline.chapter(
    '1  Mail for people who exist',
    'The relay asks the bakery’s server whether the mailbox exists, takes the message, and hands it on at once.',
    'It tells the sender “yes” (250) only after the bakery has said so.',
  )
  await stage.post('shop-answer', 'service@shop.example', 'anna@bakery.example')
  await stage.post('bilingual-utf8', 'hello@friends.example', 'info@bakery.example')
  await stage.post('html-attachment', 'james@supplier.example', 'orders@bakery.example')
}

export async function unknownRecipient({ timeline, stage }: Parties): Promise<void> {
  timeline.chapter(
    '2  Mail for somebody who does not exist',
    'A relay that takes such mail has to send it back later: a bounce, often to someone who never wrote it.',
    'This one asks first. The message itself is never sent, and no bounce is ever needed.',
  )
  await stage.post('flu-shot-reminder', 'reply@clinic.example', 'ann@bakery.example')
}

export async function refusedContent({ timeline, stage }: Parties): Promise<void> {
  timeline.chapter(
    '3  Mail that the bakery does not want',
    'The bakery’s server reads the message and refuses it. The sender is still on the line and hears it himself.',
  )
  await stage.post('black-friday-newsletter', 'offers@shop.example', 'anna@bakery.example')
}

/** The answer is the message that has to come back. */
export async function outage({ timeline, stage }: Parties): Promise<Posted> {
  timeline.chapter(
    '4  The bakery’s server is down',
    'For people that the relay knows, it keeps the mail on its disk. Who the bakery itself has said does not exist is',
    'refused as before. Whether somebody it has never seen exists, nobody can say now: unknown is not no, so that',
    'sender is asked to come back.',
  )
  await stage.customer.switchOff()
  timeline.note('The bakery’s server has been switched off.\n', 'later')
  await stage.post('coupon-html-8bit', 'news@filters.example', 'anna@bakery.example')
  await stage.post('article-with-document', 'editor@paper.example', 'info@bakery.example')
  await stage.post('signed', 'james@supplier.example', 'orders@bakery.example')
  await stage.post('flu-shot-reminder', 'reply@clinic.example', 'ann@bakery.example')
  const asked = await stage.post('list-question', 'conor@list.example', 'bernd@bakery.example')
  timeline.note('What waits:')
  await stage.command('queue', 'list')
  return asked
}

export async function recovery({ timeline, stage }: Parties, asked: Posted): Promise<void> {
  timeline.chapter(
    '5  The bakery’s server is back',
    'Nobody has to do anything: the relay looks again by itself, 15 seconds after the first failure, and empties its',
    'queue. The sender who was asked to come back does so.',
  )
  await stage.customer.switchOn()
  timeline.note('The bakery’s server has been switched on.', 'good')
  timeline.startClock()
  await timeline.wait('the relay will look again', WAIT_MS_MAX, async () => (await stage.kept()) === 0)
  timeline.note('The queue is empty.\n', 'good')
  await stage.postAgain(asked)
}

export async function killedWorker({ timeline, stage }: Parties): Promise<void> {
  timeline.chapter(
    '6  kill -9, with mail in the queue',
    'The bakery is down again, mail waits, and then the process that keeps it is killed without a warning.',
    'Its promises are on the disk: a new process takes them over.',
  )
  await stage.customer.switchOff()
  await stage.post('hares-and-frogs-german', 'doug@tales.example', 'info@bakery.example')
  await stage.post('html-with-picture', 'mia@photos.example', 'anna@bakery.example')
  const last = await stage.post('utf8-subject', 'andre@university.example', 'orders@bakery.example')
  const before = await stage.kept()
  if (before !== 3) throw new Error(`3 messages should wait, and ${before} do`)
  stage.bouncesBefore = await stage.bounces()
  await killAndWait(stage, idOf(last.answers[0]!.reply))
  // The new process serves at once, and reads the disk meanwhile.
  await timeline.wait('it reads the disk', WAIT_MS_MAX, async () => (await stage.kept()) === before)
  timeline.note('The same mail waits as before:\n', 'good')
  await stage.command('queue', 'list')
  await stage.customer.switchOn()
  timeline.note('The bakery’s server has been switched on. This time the operator does not wait:', 'good')
  timeline.startClock()
  await stage.command('queue', 'flush')
  await timeline.wait('the queue empties', WAIT_MS_MAX, async () => (await stage.kept()) === 0)
  timeline.note('The queue is empty.', 'good')
}

async function killAndWait({ relay, timeline }: Stage, id: string): Promise<void> {
  // Log and trace are written a few times a second and promise nothing; the story at the end shall be whole.
  await timeline.wait('log and trace are written', WAIT_MS_MAX, async () => {
    return relay.workerOf(id) !== undefined && (await relay.command('trace', id)).includes('accepted')
  })
  const pid = relay.workerOf(id)!
  const restarts = await relay.metric('vorposten_worker_restarts_total')
  process.kill(pid, 'SIGKILL')
  timeline.note(`$ kill -9 ${pid}`, 'strong')
  const said = () => relay.log.find(({ text }) => text.includes(`(pid ${pid}) ended`))?.text
  await timeline.wait('the relay notices', WAIT_MS_MAX, () => said() !== undefined)
  timeline.note(`the relay’s log: ${said()}`)
  await timeline.wait('it is replaced', WAIT_MS_MAX, async () => {
    const ready = (await relay.metric('vorposten_workers', '{state="ready"}')) === 2
    return ready && (await relay.metric('vorposten_worker_restarts_total')) === restarts + 1
  })
  timeline.note('Replaced; the other process went on serving all the time.', 'good')
}

export async function outOfOffice({ timeline, stage }: Parties): Promise<void> {
  timeline.chapter(
    '7  Anna is on holiday',
    'Mail that the bakery sends leaves through the relay too. Anna’s mailbox answers everything by itself; two such',
    'answers a week to one person are enough. The third is taken, and nobody gets it.',
  )
  for (let number = 1; number <= 3; number++) await stage.answerAutomatically(number)
  await timeline.wait(
    'they arrive',
    WAIT_MS_MAX,
    async () => stage.world.messages.length >= 2 && (await stage.kept()) === 0,
  )
  const left = stage.world.messages.length
  if (left !== 2) throw new Error(`2 automatic replies should have left, and ${left} did`)
  timeline.note('Two have left. What became of the third:', 'good')
  await timeline.wait('the trace is written', WAIT_MS_MAX, () =>
    stage.relay.log.some(({ text }) => /discard/.test(text)),
  )
  const line = stage.relay.log.find(({ text }) => /discard/.test(text))
  timeline.note(`the relay’s log: ${line?.text}`)
}

export async function stolenPassword({ timeline, stage }: Parties): Promise<void> {
  timeline.chapter(
    '8  Bernd’s password is stolen',
    'Who has it may send as Bernd, and the thief works off a list where every fifth address is no more. The relay hears',
    'that from the servers it delivers to, and slows the login down; when it goes on all the same, it is locked.',
    'Everybody else at the bakery goes on.',
  )
  const thief = new Thief(stage.relay.submissionPort, await makeLogin(stage.relay))
  timeline.note('Bernd writes some letters a day, so his login may send to fewer people than others may:')
  await stage.command('credentials', 'limit', OWNER, '--per-day', '500')
  timeline.startClock()
  const slowed = await until(timeline, thief, 'the thief sends', ({ code }) => code >= 400)
  timeline.step('thief  ◀─ relay', slowed.line, 'later')
  await timeline.end('later', `${thief.taken} messages were taken, then the login was slowed down to a tenth`)
  tellLog(stage, await said(stage, /: slowed down/))
  const locked = await until(timeline, thief, 'the thief sends on', ({ code }) => code >= 500)
  timeline.step('thief  ◀─ relay', locked.line, 'bad')
  thief.close()
  await timeline.end('good', `he sent on, and the login was locked: ${thief.taken} of 300 messages in all were taken`)
  tellLog(stage, await said(stage, /: locked/))
  await stage.command('credentials', 'unlock', OWNER)
  const held = async () => (await stage.relay.command('queue', 'list', '--state', 'held')).match(/gone-/g)?.length
  await timeline.wait('what nobody took is held', WAIT_MS_MAX, async () => (await held()) === thief.stale)
  timeline.note(`To ${thief.stale} addresses that are no more went nothing; the postmaster deletes what is held:`)
  await stage.command('queue', 'delete', '--tenant', 'bakery', '--state', 'held')
  await timeline.wait('it is gone', WAIT_MS_MAX, async () => (await stage.kept()) === 0)
}

/** The thief sends, until he hears an answer of that kind. */
async function until(timeline: Timeline, thief: Thief, what: string, isIt: (heard: Heard) => boolean): Promise<Heard> {
  let last: Heard = { code: 0, line: '' }
  await timeline.wait(what, WAIT_MS_MAX, async () => {
    last = await thief.send()
    return isIt(last)
  })
  return last
}

/** What the relay logged about Bernd's login. */
async function said({ relay, timeline }: Stage, pattern: RegExp): Promise<string> {
  const line = () => relay.log.find(({ text }) => text.includes(`credential ${OWNER}`) && pattern.test(text))?.text
  await timeline.wait('it is in the log', WAIT_MS_MAX, () => line() !== undefined)
  return line() ?? ''
}

const tellLog = ({ timeline }: Stage, line: string): void => timeline.note(`the relay’s log: ${line}`)

export async function infected({ timeline, stage }: Parties): Promise<void> {
  timeline.chapter(
    '9  Messages with malware',
    'They carry the test file of EICAR, which every scanner knows and which does no harm: as it is, in an archive in an',
    'archive, and in one that only a password opens. The relay takes each message apart before it says 250; the sender',
    'hears why it is refused, and where to ask; the trace says where it was found. Nobody gets a bounce.',
  )
  for (const name of INFECTED) {
    const { answers } = await stage.post(name, 'accounts@parcel.example', 'anna@bakery.example')
    await stage.command('trace', traceOf(answers.at(-1)!.reply.line))
  }
}

export async function unwanted({ timeline, stage }: Parties): Promise<void> {
  timeline.chapter(
    '10  A newsletter, a spam and a phish',
    'The spam filter adds up what speaks for and against each message, from who vouches for its sender to where its links',
    'lead, and says so: to the bakery in fields of the message, to its people in the trace. What it is sure about is refused in the',
    'session, so that a sender who was misjudged hears of it. Here it has learned nothing yet: this is its first day.',
  )
  for (const name of UNWANTED) {
    const { answers } = await stage.post(name, SENDERS[name], 'anna@bakery.example')
    const { reply } = answers.at(-1)!
    await stage.command('trace', reply.code < 400 ? idOf(reply) : traceOf(reply.line))
  }
}

/** Of a message that was refused for what it carries. */
const traceOf = (line: string): string => /trace (\w+)/.exec(line)?.[1] ?? 'no id'

/** True: the account balances. */
export async function reckoning({ timeline, stage }: Parties): Promise<boolean> {
  timeline.chapter(
    '11  The account',
    'What the senders heard, against what lies in the bakery’s mailboxes, compared octet by octet.',
  )
  const bounces = stage.bouncesBefore + (await stage.bounces())
  const result = account(stage.posted, stage.customer.messages, { kept: await stage.kept(), bounces })
  row(timeline, 'sent', result.sent, 'real messages')
  row(timeline, 'delivered', result.delivered, 'each exactly once, unchanged')
  row(timeline, 'refused', result.refused, 'the sender heard it himself, in the session')
  row(timeline, 'deferred', result.deferred, `of which ${result.cameBack} came back and count as delivered`)
  row(timeline, 'bounces generated', result.bounces, 'to anyone')
  row(timeline, 'notices', result.notices, 'to the bakery’s own postmaster, of the login that was locked')
  for (const fault of result.faults) timeline.note(`✗ ${fault}`, 'bad')
  if (result.faults.length === 0) timeline.note('✓ the account balances\n', 'good')
  return result.faults.length === 0
}

function row(timeline: Timeline, name: string, figure: number, meaning: string): void {
  timeline.line(
    `   ${name.padEnd(18)} ${timeline.tone('strong', String(figure).padStart(3))}   ${timeline.tone('quiet', meaning)}`,
  )
}

/** Of the account's messages, the one with the longest way: it waited for the bakery. */
export async function trace({ timeline, stage }: Parties, number: number): Promise<void> {
  const { subject, answers } = stage.posted[number - 1]!
  timeline.note(`“Where is my mail?” Of each message the relay can tell its way; here message ${number}, “${subject}”:`)
  await stage.command('trace', idOf(answers[0]!.reply))
}

export interface Parties {
  readonly stage: Stage
  readonly timeline: Timeline
}
