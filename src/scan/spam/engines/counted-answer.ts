/**
 * Answers of the form that HTTP and spamd share: a first line, fields, an empty line, and as many octets as `Content-Length`
 * says. Read strictly: one that has no such field, has two of them, or goes on behind its end is garbled, and so is one that comes
 * before the server had all of the question.
 */
import type { Failure } from '../../servers.ts'
import type { Conversation } from '../../talk.ts'

export const HEAD_OCTETS_MAX = 16 * 1024
/** Rspamd names every symbol with its options; an answer has some kilobytes. */
export const BODY_OCTETS_MAX = 1024 * 1024
/** What an answer that cannot be read shows of itself. */
const SHOWN_CHARACTERS_MAX = 100

export interface AnswerReader<Answer> {
  /** For a person: what the answer is not. */
  readonly server: string
  /** What the first line says of itself; undefined: go on reading. */
  first(line: string): Failure | undefined
  read(fields: ReadonlyMap<string, string>, body: Buffer): Answer | Failure
}

export function countedConversation<Answer>(
  send: Conversation<Answer>['send'],
  reader: AnswerReader<Answer>,
): Conversation<Answer | Failure> {
  let chunks: Buffer[] = []
  let octets = 0
  let head: Head | undefined
  const whole = (): Buffer => {
    if (chunks.length > 1) chunks = [Buffer.concat(chunks)]
    return chunks[0] ?? Buffer.alloc(0)
  }
  const garbled = (): Failure => notAnAnswer(reader.server, whole().toString('latin1', 0, SHOWN_CHARACTERS_MAX))
  return {
    send,
    hear(more, sentAll) {
      chunks.push(more)
      octets += more.length
      if (head === undefined) {
        const heard = whole()
        const end = heard.indexOf('\r\n\r\n')
        if (end < 0 || end > HEAD_OCTETS_MAX) return octets > HEAD_OCTETS_MAX ? garbled() : undefined
        const text = heard.toString('latin1', 0, end)
        const failure = reader.first(firstLine(text))
        if (failure !== undefined) return failure
        head = readHead(text)
        if (head === undefined || !sentAll) return garbled()
      }
      if (octets > head.octets + head.length) return garbled()
      return octets < head.octets + head.length ? undefined : reader.read(head.fields, whole().subarray(head.octets))
    },
    // A refusal may be a first line and nothing else.
    closed() {
      if (octets === 0) return undefined
      const refusal = head === undefined ? reader.first(firstLine(whole().toString('latin1'))) : undefined
      return refusal ?? garbled()
    },
  }
}

const firstLine = (text: string): string => text.split('\r\n', 1)[0]!

interface Head {
  /** With the empty line. */
  readonly octets: number
  /** Of what follows. */
  readonly length: number
  readonly fields: ReadonlyMap<string, string>
}

const LENGTH = 'content-length'

function readHead(text: string): Head | undefined {
  const fields = new Map<string, string>()
  for (const line of text.split('\r\n').slice(1)) {
    const [, name, value] = /^([!-9;-~]{1,100}):[ \t]{0,10}([\t -~\x80-\xff]*)$/.exec(line) ?? []
    const key = name?.toLowerCase()
    if (key === undefined || (key === LENGTH && fields.has(LENGTH))) return undefined
    fields.set(key, value!.trim())
  }
  const length = fields.get(LENGTH) ?? ''
  if (!/^\d{1,7}$/.test(length) || Number(length) > BODY_OCTETS_MAX || fields.has('transfer-encoding')) return undefined
  return { octets: text.length + 4, length: Number(length), fields }
}

export const notAnAnswer = (server: string, shown: string): Failure => ({
  kind: 'garbled',
  text: `not an answer of ${server}: ${JSON.stringify(shown.slice(0, SHOWN_CHARACTERS_MAX))}`,
})
