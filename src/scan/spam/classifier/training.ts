/**
 * Makes a layer from lessons: logistic regression with AdaGrad steps, each view from its own error, the lessons in their
 * order, several times over. The same lessons in the same order always make the same layer, to the bit.
 *
 * Time: 3,000 messages take about two seconds. It is meant for a thread of its own.
 */
import { Classifier, type Layer, VIEWS } from './classifier.ts'
import type { MessageFeatures } from './features.ts'
import { type Features, PLACE_BITS } from './gathering.ts'

export interface Taught {
  readonly features: MessageFeatures
  readonly isSpam: boolean
  /** 1 is an ordinary lesson, 0 teaches nothing. */
  readonly weight: number
}

/** Places of a layer for everybody: 768 KiB. */
export const GLOBAL_BITS = 18
/** Of a tenant's: 96 KiB. */
export const TENANT_BITS = 15

/** How far a step goes, for a lesson of weight 1; one of half the weight goes half as far. */
const RATE = 0.5
/** A feature that is seen for the first time moves as if it had been seen already: one lesson alone proves little. */
const CAUTION = 1e-4
/** It learns also from what it gets right, until it is this sure; a flood of one message moves it no further. */
const SURE = 0.9
const ROUNDS = 3
const WEIGHT_MAX = 127

/** `below`: what is there already, and stays. */
export function train(lessons: readonly Taught[], bits: number, below: readonly Layer[] = []): Layer {
  const base = new Classifier(below)
  const trained = VIEWS.map((view, i) => {
    const learning = new Learning(bits)
    const bases = lessons.map(({ features }) => base.viewScore(i, features[view]))
    for (let round = 0; round < ROUNDS; round++) {
      for (const [at, { features, isSpam, weight }] of lessons.entries())
        learning.learn(features[view], isSpam, weight, bases[at]!)
    }
    return quantised(learning.weights)
  })
  const counted = lessons.filter(({ weight }) => weight > 0)
  const spam = counted.filter(({ isSpam }) => isSpam).length
  return {
    ham: counted.length - spam,
    spam,
    bits,
    weights: trained.map(({ weights }) => weights),
    steps: trained.map(({ step }) => step),
  }
}

class Learning {
  readonly weights: Float32Array
  readonly #squares: Float32Array
  readonly #shift: number

  constructor(bits: number) {
    this.#shift = PLACE_BITS - bits
    this.weights = new Float32Array(2 ** bits)
    this.#squares = new Float32Array(2 ** bits).fill(CAUTION)
  }

  learn({ places, scale }: Features, isSpam: boolean, weight: number, base: number): void {
    const { weights } = this
    const [squares, shift] = [this.#squares, this.#shift]
    let sum = 0
    for (let i = 0; i < places.length; i++) sum += weights[places[i]! >>> shift]!
    const probability = 1 / (1 + Math.exp(-(base + sum * scale)))
    const wrong = isSpam ? 1 - probability : -probability
    const gradient = wrong * scale
    if (Math.abs(wrong) < 1 - SURE || gradient * weight === 0) return
    const square = gradient * gradient
    for (let i = 0; i < places.length; i++) {
      const at = places[i]! >>> shift
      const all = squares[at]! + square
      squares[at] = all
      weights[at]! += (RATE * weight * gradient) / Math.sqrt(all)
    }
  }
}

function quantised(weights: Float32Array): { readonly weights: Int8Array; readonly step: number } {
  let most = 0
  for (const weight of weights) most = Math.max(most, Math.abs(weight))
  // As a layer file keeps it.
  const step = Math.fround(most / WEIGHT_MAX)
  const small = new Int8Array(weights.length)
  if (step > 0) for (let i = 0; i < weights.length; i++) small[i] = Math.round(weights[i]! / step)
  return { weights: small, step }
}
