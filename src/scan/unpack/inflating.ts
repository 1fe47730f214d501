/**
 * Decompression of one stream that may be damaged, cut short, a bomb, or followed by something else. zlib throws away what
 * it has when it meets an error; other programs keep it, and so do we: the longest part of the input that decodes is
 * found by bisection, since an error stands at a fixed place of the input.
 */
import { inflateRawSync, inflateSync, constants as zlib, zstdDecompressSync } from 'node:zlib'
import type { ScanBudget } from '../contract.ts'

export interface Inflated {
  readonly octets: Buffer
  /** Octets of the input up to the end of the stream, or to the error. */
  readonly consumed: number
  /** `over`: it makes more than the budget has left; `octets` are then empty. */
  readonly end: 'whole' | 'cut' | 'damaged' | 'over'
}

export type Method = 'deflate' | 'zlib' | 'zstd'

interface Run {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

type Outcome = Run | 'cut' | 'damaged' | 'over'

/**
 * Chunks of zlib's output, in octets: where one holds all of it, nothing is copied together; larger ones than that cost memory
 * for each small stream. Texts pack to a quarter or less.
 */
const CHUNK_OCTETS_MIN = 4 * 1024
const CHUNK_OCTETS_MAX = 1024 * 1024
const RATIO = 6

/** `packedOctets`: as much of the input as is probably meant, where it goes on behind the stream. */
export function inflate(
  method: Method,
  input: Buffer,
  outputOctetsMax: number,
  budget: ScanBudget,
  packedOctets = input.length,
): Inflated {
  if (outputOctetsMax <= 0) return { octets: Buffer.alloc(0), consumed: 0, end: 'over' }
  const chunkOctets = Math.min(CHUNK_OCTETS_MAX, Math.max(CHUNK_OCTETS_MIN, packedOctets * RATIO))
  const run = runOnce(method, input, outputOctetsMax, false, chunkOctets)
  if (typeof run !== 'string') return { octets: run.buffer, consumed: run.engine.bytesWritten, end: 'whole' }
  if (run === 'over') return { octets: Buffer.alloc(0), consumed: input.length, end: 'over' }
  const all = runOnce(method, input, outputOctetsMax, true, chunkOctets)
  if (typeof all !== 'string') return { octets: all.buffer, consumed: input.length, end: run }
  return longestPart(method, input, outputOctetsMax, budget)
}

function longestPart(method: Method, input: Buffer, outputOctetsMax: number, budget: ScanBudget): Inflated {
  let good = 0
  let bad = input.length
  let octets: Buffer = Buffer.alloc(0)
  while (bad - good > 1 && !budget.isOver()) {
    const middle = Math.floor((good + bad) / 2)
    const run = runOnce(method, input.subarray(0, middle), outputOctetsMax, true, CHUNK_OCTETS_MAX)
    if (typeof run === 'string') bad = middle
    else {
      good = middle
      octets = run.buffer
    }
  }
  return { octets, consumed: good, end: 'damaged' }
}

function runOnce(method: Method, input: Buffer, maxOutputLength: number, isPart: boolean, chunkSize: number): Outcome {
  try {
    return decode(method, input, maxOutputLength, isPart, chunkSize)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'ERR_BUFFER_TOO_LARGE') return 'over'
    if (code === 'Z_BUF_ERROR') return 'cut'
    if (code.startsWith('Z_') || code.startsWith('ZSTD_')) return 'damaged'
    throw error
  }
}

function decode(method: Method, input: Buffer, maxOutputLength: number, isPart: boolean, chunkSize: number): Run {
  const options = { info: true, maxOutputLength, chunkSize }
  if (method === 'zstd') {
    const finishFlush = isPart ? zlib.ZSTD_e_flush : zlib.ZSTD_e_end
    return zstdDecompressSync(input, { ...options, finishFlush }) as unknown as Run
  }
  const finishFlush = isPart ? zlib.Z_SYNC_FLUSH : zlib.Z_FINISH
  const decoder = method === 'deflate' ? inflateRawSync : inflateSync
  return decoder(input, { ...options, finishFlush }) as unknown as Run
}
