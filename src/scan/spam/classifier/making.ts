/** Makes the layer of a tenant, or of everybody, from the lessons in the store, above what others taught. */
import { type Database, readStore } from '#store/database.ts'
import { GLOBAL, LessonReader } from '#store/spam-lessons.ts'
import { Classifier, type Layer } from './classifier.ts'
import { layerFile } from './layer-file.ts'
import { type Lesson, TEACHERS, weighed } from './lessons.ts'
import { Models } from './models.ts'
import { unpacked } from './packing.ts'
import { readStarter } from './starter.ts'
import { GLOBAL_BITS, TENANT_BITS, train } from './training.ts'

const PAGE_ROWS = 500

export interface Making {
  readonly storePath: string
  /** Of the layers. */
  readonly folder: string
  /** Or `GLOBAL`. */
  readonly tenant: string
}

export type Made =
  | { readonly kind: 'made'; readonly file: Uint8Array }
  /** There is nothing to make it from. */
  | { readonly kind: 'none' }

export function make({ storePath, folder, tenant }: Making): Made {
  const database = readStore(storePath)
  try {
    const lessons = lessonsOf(database, tenant)
    if (lessons.length === 0) return { kind: 'none' }
    const below = layersBelow(folder, tenant)
    // Mixed by what they are: nobody has the last word, and the order in which they came makes no difference.
    const taught = weighed(lessons, new Classifier(below))
      .map((lesson, i) => ({ ...lesson, key: lessons[i]!.hash }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    return { kind: 'made', file: layerFile(train(taught, tenant === GLOBAL ? GLOBAL_BITS : TENANT_BITS, below)) }
  } finally {
    database.close()
  }
}

function layersBelow(folder: string, tenant: string): readonly Layer[] {
  if (tenant === GLOBAL) {
    const starter = readStarter()
    return starter.kind === 'layer' ? [starter.layer] : []
  }
  const below = new Models(folder).of()
  if (below.kind === 'silent') throw new Error(below.text)
  return below.classifier.layers
}

function lessonsOf(database: Database, tenant: string): Lesson[] {
  const reader = new LessonReader(database)
  const lessons: Lesson[] = []
  for (let after = 0; ; ) {
    const page = reader.page(tenant, after, PAGE_ROWS)
    for (const { hash, isSpam, teacher, source, features } of page) {
      const read = unpacked(features)
      const who = TEACHERS.find((one) => one === teacher)
      if (read !== undefined && who !== undefined) lessons.push({ hash, isSpam, teacher: who, source, features: read })
    }
    if (page.length < PAGE_ROWS) return lessons
    after = page.at(-1)!.id
  }
}
