/**
 * A linear model over the features of a message: the sum of the weights at its places, view by view, is its log odds for
 * spam. It is made of layers that are added: the starter, what the provider taught, what the tenant taught; each was
 * trained on what those below it get wrong, so that a layer without lessons changes nothing.
 *
 * Weights are eight bits, in steps that each view has of its own. A layer has 2^bits places a view; features that share one
 * share its weight.
 */
import type { MessageFeatures } from './features.ts'
import { type Features, PLACE_BITS } from './gathering.ts'

export const VIEWS = ['words', 'header', 'body'] as const
export type View = (typeof VIEWS)[number]

export interface Layer {
  /** Lessons it was made from. */
  readonly ham: number
  readonly spam: number
  readonly bits: number
  /** One for each of `VIEWS`. */
  readonly weights: readonly Int8Array[]
  /** What a weight of 1 is worth. */
  readonly steps: readonly number[]
}

export class Classifier {
  readonly layers: readonly Layer[]
  /** Of what was taught by whoever runs it. */
  readonly own: readonly Layer[]

  /** The first `starters` came with the program. */
  constructor(layers: readonly Layer[], starters = 0) {
    this.layers = layers
    this.own = layers.slice(starters)
  }

  /** How many messages it was taught, by kind. */
  get ham(): number {
    return this.layers.reduce((sum, { ham }) => sum + ham, 0)
  }

  get spam(): number {
    return this.layers.reduce((sum, { spam }) => sum + spam, 0)
  }

  /** Unbounded, as trained: see `signs.ts` for what it is worth. Above 0 is more likely spam. */
  score(features: MessageFeatures): number {
    return VIEWS.reduce((sum, view, i) => sum + this.viewScore(i, features[view]), 0)
  }

  /** By the number of the view. */
  viewScore(view: number, { places, scale }: Features): number {
    let all = 0
    for (const { bits, weights, steps } of this.layers) {
      const [shift, of] = [PLACE_BITS - bits, weights[view]!]
      let sum = 0
      for (let i = 0; i < places.length; i++) sum += of[places[i]! >>> shift]!
      all += sum * steps[view]!
    }
    return all * scale
  }
}
