/**
 * Takes objects apart until nothing is left to open, and has every object examined on the way. Depth first: an object is
 * let go once all in it has been seen, so memory holds one branch of the tree, not the tree.
 *
 * Every opener that recognises an object opens it: a file that is a zip to one program and a PDF to another is both. The
 * same octets are opened once; inside themselves they are a bomb of their own kind, and said to be one.
 *
 * What an opener or an examiner throws goes through to the caller: a defect, and the message was not looked at.
 */
import { hash } from 'node:crypto'
import { FACTS_MAX, type ScanFact } from '#mail/scan.ts'
import type { Examiner, Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { overLimit } from './inside.ts'

export async function unpack(
  objects: readonly ScanObject[],
  openers: readonly Opener[],
  examiners: readonly Examiner[],
  budget: ScanBudget,
): Promise<readonly ScanFact[]> {
  const walk = new Walk(openers, examiners, budget)
  for (const object of objects) await walk.visit(object, new Set())
  return walk.facts.all()
}

class Facts {
  readonly #facts: ScanFact[] = []
  #droppedFrom: string | undefined
  #dropped = 0

  add(fact: ScanFact): void {
    if (this.#facts.length < FACTS_MAX - 1) this.#facts.push(fact)
    else {
      this.#dropped++
      this.#droppedFrom ??= 'where' in fact ? fact.where : fact.engine
    }
  }

  all(): readonly ScanFact[] {
    if (this.#droppedFrom === undefined) return this.#facts
    return [...this.#facts, overLimit('facts', this.#droppedFrom, `${this.#dropped} more facts were dropped`).fact]
  }
}

class Walk {
  readonly facts = new Facts()
  readonly #opened = new Set<string>()
  readonly #openers: readonly Opener[]
  readonly #examiners: readonly Examiner[]
  readonly #budget: ScanBudget
  #isOver = false

  constructor(openers: readonly Opener[], examiners: readonly Examiner[], budget: ScanBudget) {
    this.#openers = openers
    this.#examiners = examiners
    this.#budget = budget
  }

  async visit(object: ScanObject, around: ReadonlySet<string>): Promise<void> {
    if (this.#isOver) return
    const limit = this.#budget.object(object.depth)
    if (limit !== undefined) {
      this.facts.add(overLimit(limit, object.where).fact)
      // One that is nested too deep says nothing about its neighbours.
      this.#isOver = limit !== 'depth'
      return
    }
    for (const examiner of this.#examiners)
      for (const fact of examiner.examine(object, this.#budget)) this.facts.add(fact)
    const openers = this.#openers.filter((opener) => opener.recognises(object.octets))
    if (openers.length > 0) await this.#open(object, openers, around)
  }

  async #open(object: ScanObject, openers: readonly Opener[], around: ReadonlySet<string>): Promise<void> {
    const key = hash('sha256', object.octets)
    if (around.has(key)) {
      this.facts.add(overLimit('depth', object.where, 'it contains itself').fact)
      return
    }
    if (this.#opened.has(key)) return
    this.#opened.add(key)
    const within = new Set([...around, key])
    for (const opener of openers)
      for await (const opened of opener.open(object, this.#budget)) {
        await this.#take(opened, within)
        if (this.#isOver) return
      }
  }

  async #take(opened: Opened, within: ReadonlySet<string>): Promise<void> {
    if ('object' in opened) return this.visit(opened.object, within)
    this.facts.add(opened.fact)
  }
}
