/**
 * systemd's notification protocol (sd_notify(3)): READY, RELOADING, STOPPING, STATUS, WATCHDOG.
 *
 * The protocol is a datagram to a Unix socket, which Node cannot send; `systemd-notify` does it. Because that is another
 * process than the main one, the unit needs `NotifyAccess=all`. One process is started per message: at most a few, and
 * one per half watchdog period. Without NOTIFY_SOCKET nothing is started. A message that fails is a notice, no more.
 */
import { execFile } from 'node:child_process'

export interface SystemdEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined
  readonly WATCHDOG_USEC?: string | undefined
}

export class Systemd {
  readonly #active: boolean
  readonly #notice: (text: string) => void
  readonly #command: string
  /** Half of the watchdog's period, as sd_watchdog_enabled(3) recommends; undefined: no watchdog. */
  readonly watchdogMs: number | undefined

  constructor(environment: SystemdEnvironment, notice: (text: string) => void, command = 'systemd-notify') {
    this.#active = Boolean(environment.NOTIFY_SOCKET)
    this.#notice = notice
    this.#command = command
    const periodUsec = Number(environment.WATCHDOG_USEC)
    this.watchdogMs = this.#active && periodUsec > 0 ? periodUsec / 2000 : undefined
  }

  ready(status: string): Promise<void> {
    return this.#send('READY=1', `STATUS=${status}`)
  }
  /** Type=notify-reload compares the time with that of its signal: CLOCK_MONOTONIC, which hrtime is on Linux. */
  reloading(): Promise<void> {
    return this.#send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
  }
  stopping(): Promise<void> {
    return this.#send('STOPPING=1', 'STATUS=finishing open transactions')
  }
  watchdog(): Promise<void> {
    return this.#send('WATCHDOG=1')
  }

  #send(...assignments: string[]): Promise<void> {
    if (!this.#active) return Promise.resolve()
    return new Promise((resolve) => {
      execFile(this.#command, assignments, { timeout: 5_000 }, (error) => {
        if (error) this.#notice(`${this.#command} ${assignments[0]} failed: ${error.message.split('\n')[0]}`)
        resolve()
      })
    })
  }
}
