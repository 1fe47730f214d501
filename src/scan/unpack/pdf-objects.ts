/**
 * Objects that stand in a stream of a PDF, with heads before them as if they stood in the file: `7 0 obj … endobj`. So what
 * refers to them is found by one search. ISO 32000-1 §7.5.7. Sizes in octets.
 */

/** Writers put up to 200 into one stream; more than that is kept as it is. */
const OBJECTS_MAX = 20_000

export function numberedObjects(stream: Buffer, dictionary: string): Buffer {
  const first = Number(/\/First\s{0,8}(\d{1,10})/.exec(dictionary)?.[1] ?? 0)
  const pairs = [...stream.toString('latin1', 0, Math.min(first, stream.length)).matchAll(/(\d{1,10})\s+(\d{1,10})/g)]
  const parts: Buffer[] = []
  for (const [index, [, number, offset]] of pairs.slice(0, OBJECTS_MAX).entries()) {
    const end = pairs[index + 1]?.[2]
    const octets = stream.subarray(first + Number(offset), end === undefined ? stream.length : first + Number(end))
    parts.push(Buffer.from(`\n${number} 0 obj\n`), octets, Buffer.from('\nendobj\n'))
  }
  return parts.length > 0 ? Buffer.concat(parts) : stream
}
