/**
 * The DNS lists of one worker, made anew when their settings change. Questions under way keep the lists with which they began.
 */
import type { Config } from '#config/config.ts'
import type { ListState } from '#scan/spam/lists/spam-list.ts'
import { SpamLists, type SpamListsParts } from '#scan/spam/lists/spam-lists.ts'
import type { Clock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { RunningReport } from './worker-watch.ts'

export interface ListWorld {
  readonly dns?: Dns
  readonly clock: Clock
  readonly random: () => number
}

export class ListKeeper {
  readonly #parts: SpamListsParts | undefined
  #settings = ''
  #lists: SpamLists | undefined

  constructor(config: Config, report: RunningReport, { dns, clock, random }: ListWorld) {
    this.#parts = dns && { dns, clock, random, changed: telling(report) }
    this.replace(config)
    watchLists(report, this.lists)
  }

  /** Absent: without DNS nobody is asked. Names of clients are looked for without any list, too. */
  readonly lists = (): SpamLists | undefined => this.#lists

  replace({ spam }: Config): void {
    const wanted = spam.filter ? spam.lists : []
    const settings = JSON.stringify(wanted)
    if (this.#parts === undefined || settings === this.#settings) return
    this.#settings = settings
    this.#lists?.close()
    this.#lists = new SpamLists(wanted, this.#parts)
  }

  close(): void {
    this.#lists?.close()
  }
}

/** For /healthz: `zen (it answers 127.255.255.254 …)`. */
export const listsAside = (lists: SpamLists | undefined): string[] =>
  (lists?.reports() ?? []).flatMap(({ name, state }) => (state.kind === 'aside' ? [`${name} (${state.text})`] : []))

/** A list that does not answer comes back by itself; all other illnesses are for the operator. */
function telling(report: RunningReport) {
  return (list: string, state: ListState): void => {
    const aside = state.kind === 'aside'
    const text = `the DNS list ${list} is ${aside ? `set aside, and counts nothing: ${state.text}` : 'well again'}`
    if (aside && state.illness !== 'silent') report.report({ kind: 'alarm', symbol: 'spam-list', text })
    else report.notice(text)
  }
}

/** Names of lists are the operator's, and few. */
function watchLists({ metrics }: RunningReport, lists: () => SpamLists | undefined): void {
  const each = (value: (report: ReturnType<SpamLists['reports']>[number]) => number) => () =>
    (lists()?.reports() ?? []).map((report) => [{ list: report.name }, value(report)] as const)
  metrics.counterOf(
    'vorposten_spam_list_questions_total',
    'Questions to each DNS list, those of its checks too',
    each(({ counts }) => counts.questions),
  )
  metrics.counterOf(
    'vorposten_spam_list_listed_total',
    'Answers of each DNS list that somebody is listed',
    each(({ counts }) => counts.listed),
  )
  metrics.counterOf(
    'vorposten_spam_list_unknown_total',
    'Times that each DNS list did not say',
    each(({ counts }) => counts.unknown),
  )
  metrics.gauge(
    'vorposten_spam_list_aside',
    '1 for each worker that has set the DNS list aside',
    each(({ state }) => (state.kind === 'aside' ? 1 : 0)),
  )
}
