/**
 * A linear model that learns one message at a time (logistic regression with AdaGrad steps) over hashed features. The sum
 * of the weights of a message's features is its log odds for spam; an untrained model says 0, that is nothing.
 *
 * A feature is a number of 32 bits; the model has 2^bits places, and features that share one share its weight.
 */
import type { Features, MessageFeatures } from './features.ts'

/** 2^18 places are 1 MB of weights and 1 MB of steps for each view; a site's mail fills a fifth of them. */
export const MODEL_BITS = 18
/** AdaGrad: how far a first step goes. */
const RATE = 0.4
/** It learns also from what it gets right, until it is this sure: 0.9 is a probability. */
const SURE = 0.9

/** One view of messages. */
class View {
  readonly weights: Float32Array
  readonly squares: Float32Array
  readonly #shift: number

  constructor(bits: number) {
    this.#shift = 32 - bits
    this.weights = new Float32Array(2 ** bits)
    this.squares = new Float32Array(2 ** bits)
  }

  score({ hashes, scale }: Features): number {
    let sum = 0
    for (let i = 0; i < hashes.length; i++) sum += this.weights[hashes[i]! >>> this.#shift]!
    return sum * scale
  }

  learn(features: Features, isSpam: boolean, weight: number): void {
    const { hashes, scale } = features
    const probability = 1 / (1 + Math.exp(-this.score(features)))
    const wrong = isSpam ? 1 - probability : -probability
    const gradient = wrong * scale * weight
    if (Math.abs(wrong) < 1 - SURE || gradient === 0) return
    const square = gradient * gradient
    for (let i = 0; i < hashes.length; i++) {
      const at = hashes[i]! >>> this.#shift
      const squares = this.squares[at]! + square
      this.squares[at] = squares
      this.weights[at]! += (RATE * gradient) / Math.sqrt(squares)
    }
  }
}

export class Classifier {
  /** How many it has learned, by kind. */
  ham = 0
  spam = 0
  readonly #words: View
  readonly #header: View
  readonly #text: View

  constructor(bits = MODEL_BITS) {
    this.#words = new View(bits)
    this.#header = new View(bits)
    this.#text = new View(bits)
  }

  /** Log odds, unbounded; above 0 is more likely spam. */
  score({ words, header, text }: MessageFeatures): number {
    return this.#words.score(words) + this.#header.score(header) + this.#text.score(text)
  }

  /** Learns one message; each view from its own error. `weight` 1 is an ordinary lesson. */
  learn({ words, header, text }: MessageFeatures, isSpam: boolean, weight = 1): void {
    if (isSpam) this.spam++
    else this.ham++
    this.#words.learn(words, isSpam, weight)
    this.#header.learn(header, isSpam, weight)
    this.#text.learn(text, isSpam, weight)
  }
}
