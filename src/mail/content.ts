/**
 * Content: header section and body (RFC 5321 §2.3.1) as octets, dots unstuffed, without the final dot.
 * Kept as the chunks it arrived in: nothing on the path needs it in one piece, so nobody copies it.
 */
export interface Content {
  readonly chunks: readonly Buffer[]
  readonly octets: number
}

export function content(chunks: readonly Buffer[]): Content {
  let octets = 0
  for (const chunk of chunks) octets += chunk.length
  return { chunks, octets }
}

/** The content with trace fields put before it (RFC 5321 §4.4: prepended, nothing else touched). */
export function withTrace(trace: Buffer, body: Content): Content {
  return { chunks: [trace, ...body.chunks], octets: trace.length + body.octets }
}

/** Without its first octets. */
export function withoutHead(body: Content, octets: number): Content {
  const chunks: Buffer[] = []
  let left = octets
  for (const chunk of body.chunks) {
    if (left < chunk.length) chunks.push(chunk.subarray(left))
    left = Math.max(0, left - chunk.length)
  }
  return { chunks, octets: Math.max(0, body.octets - octets) }
}

/** The first `octetsMax` octets in one buffer; a copy only when they span chunks. */
export function head(body: Content, octetsMax: number): Buffer {
  const first = body.chunks[0]
  if (first === undefined) return Buffer.alloc(0)
  if (first.length >= octetsMax || body.chunks.length === 1) return first.subarray(0, octetsMax)
  const parts: Buffer[] = []
  let left = octetsMax
  for (const chunk of body.chunks) {
    if (left <= 0) break
    parts.push(chunk.subarray(0, left))
    left -= chunk.length
  }
  return Buffer.concat(parts)
}
