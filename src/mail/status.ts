/** Enhanced status codes (RFC 3463): class.subject.detail, the class typed so that it cannot contradict a reply code. */
export type StatusClass = 2 | 4 | 5
export type Status<C extends StatusClass = StatusClass> = `${C}.${number}.${number}`

/** Reads `5.1.1` at the start of a text; undefined if there is none (RFC 3463 §2: up to three digits each). */
export function parseStatus(text: string): Status | undefined {
  const match = /^([245])\.(\d{1,3})\.(\d{1,3})(?= |$)/.exec(text)
  return match ? (match[0] as Status) : undefined
}

export const statusClass = (status: Status): StatusClass => Number(status[0]) as StatusClass
