/**
 * What the objects of one message may cost together. Without it a message of 1 KB fills a disk: bombs are not rare, they
 * are a way to switch a scanner off. Whatever reaches a limit is said as a fact, never left out in silence.
 *
 * Units: octets after unpacking, ms of a steady clock. The memory of one scan is about twice `octetsMax`.
 */
import type { ScanLimit } from '#mail/scan.ts'
import type { ScanBudget } from '../contract.ts'

export interface UnpackLimits {
  /** Containers inside each other. People's mail has up to 5: a mail in a mail in a zip with a document. */
  readonly depthMax: number
  readonly objectsMax: number
  /** Of all objects together. */
  readonly octetsMax: number
  /** Of one object: it is in memory in one piece, and twice for a moment. */
  readonly objectOctetsMax: number
  /** Octets out for each octet in. Deflate can do 1,032; a blank picture comes near it, hence `ratioOctetsFree`. */
  readonly ratioMax: number
  /** A stream that gives less than this is no bomb, whatever its ratio. */
  readonly ratioOctetsFree: number
  readonly durationMsMax: number
}

export const UNPACK_LIMITS: UnpackLimits = {
  depthMax: 16,
  objectsMax: 10_000,
  octetsMax: 160 * 1024 * 1024,
  objectOctetsMax: 64 * 1024 * 1024,
  ratioMax: 250,
  ratioOctetsFree: 8 * 1024 * 1024,
  durationMsMax: 20_000,
}

/** `now` is a steady clock, in ms. */
export function createBudget(limits: UnpackLimits, now: () => number): ScanBudget {
  const endMs = now() + limits.durationMsMax
  let octets = 0
  let objects = 0
  const isOver = () => now() > endMs
  return {
    get octetsLeft() {
      return Math.max(0, Math.min(limits.objectOctetsMax, limits.octetsMax - octets))
    },
    take(outputOctets, inputOctets): ScanLimit | undefined {
      octets += outputOctets
      if (octets > limits.octetsMax || outputOctets > limits.objectOctetsMax) return 'octets'
      if (outputOctets > limits.ratioOctetsFree && outputOctets > inputOctets * limits.ratioMax) return 'ratio'
      return isOver() ? 'time' : undefined
    },
    object(depth): ScanLimit | undefined {
      objects++
      if (depth > limits.depthMax) return 'depth'
      if (objects > limits.objectsMax) return 'objects'
      return isOver() ? 'time' : undefined
    },
    isOver,
  }
}
