/**
 * Whether a name or a domain is that of a well-known firm (data/brands.ts), or is made to look like it.
 *
 * `skeleton`: what is left of a word when letters, digits and pairs of letters that the eye takes for each other are one.
 */
import { plainText } from './classifier/words.ts'
import { BRANDS, type Brand, OFFICE } from './data/brands.ts'
import { CHEAP_SUFFIXES } from './data/top-levels.ts'
import { type Site, shownHost } from './links.ts'
import { folded, termsOf } from './terms.ts'

interface Name {
  readonly brand: Brand
  readonly words: readonly string[]
  readonly isCommon: boolean
}

/** Names in scripts that put no space between words: found anywhere in a text. */
const UNSPACED: { readonly brand: Brand; readonly name: string }[] = []
const UNSPACED_SCRIPT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u
/** By the skeleton of the first word. */
const NAMES = new Map<string, Name[]>()
/** Labels of domains and names that are one word, long enough to be told apart when a letter is wrong. */
const LABELS = new Map<string, Brand>()
const LABEL_LENGTH_MIN = 5
const OWNERS = new Map<string, Brand>()

const CHANGED = /[i1|!0534]|rn|vv/
const SAME: readonly (readonly [RegExp, string])[] = [
  [/[i1|!]/g, 'l'],
  [/0/g, 'o'],
  [/5/g, 's'],
  [/3/g, 'e'],
  [/4/g, 'a'],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
]

/** Of a lower-case word. */
export const skeleton = (word: string): string =>
  !CHANGED.test(word) ? word : SAME.reduce((text, [pattern, one]) => text.replace(pattern, one), word)

for (const brand of BRANDS) {
  for (const { words, isCommon } of brand.names) {
    if (UNSPACED_SCRIPT.test(words.join(''))) {
      UNSPACED.push({ brand, name: folded(words.join('')) })
      continue
    }
    const key = skeleton(words[0]!)
    NAMES.set(key, [...(NAMES.get(key) ?? []), { brand, words, isCommon }])
    if (words.length === 1 && words[0]!.length >= LABEL_LENGTH_MIN && !isCommon) LABELS.set(words[0]!, brand)
  }
  for (const domain of brand.domains) OWNERS.set(domain, brand)
  for (const label of brand.labels) if (label.length >= LABEL_LENGTH_MIN) LABELS.set(label, brand)
}

/** Names written as one word, for local parts. */
const JOINED = new Map(
  BRANDS.flatMap((brand) =>
    brand.names
      .filter(({ words, isCommon }) => !isCommon && words.join('').length >= LABEL_LENGTH_MIN)
      .map(({ words }) => [words.join(''), brand] as const),
  ),
)

const SKELETONS = new Map([...LABELS].map(([label, brand]) => [skeleton(label), { label, brand }]))

/** Whether a site is the brand's own. */
export function isOf(brand: Brand, site: Site): boolean {
  if (brand.domains.has(site.domain)) return true
  for (const domain of brand.domains) if (site.host.endsWith(domain) && site.host.endsWith(`.${domain}`)) return true
  const label = labelOf(site)
  if (site.suffix === brand.name) return true
  return brand.labels.has(label) && !site.isHosted && !CHEAP_SUFFIXES.has(site.suffix)
}

export const ownerOf = (site: Site): Brand | undefined => OWNERS.get(site.domain)

/** The part that was chosen: `paypal` of `paypal.co.uk`. */
const labelOf = ({ domain, suffix }: Site): string => domain.slice(0, Math.max(0, domain.length - suffix.length - 1))

const NONE: readonly Name[] = []
/** By three letters of the skeleton: most words begin no name, and need none. */
const BEGINNINGS = new Uint8Array(1 << 16)
const ONE = new Uint8Array(128)
for (let c = 0; c < 128; c++) ONE[c] = skeleton(String.fromCharCode(c)).charCodeAt(0)
const one = (word: string, at: number): number => ONE[word.charCodeAt(at) & 127]!
const beginning = (word: string): number =>
  (Math.imul((one(word, 0) << 14) | (one(word, 1) << 7) | (word.length > 2 ? one(word, 2) : 0), 0x9e3779b1) >>> 16) &
  0xffff
for (const key of NAMES.keys()) BEGINNINGS[beginning(key)] = 1
/** Two letters that are one in the skeleton, among the first. */
const JOINS = /^.{0,2}(?:rn|vv)/

const namesFrom = (word: string): readonly Name[] =>
  BEGINNINGS[beginning(word)] === 1 || JOINS.test(word) ? (NAMES.get(skeleton(word)) ?? NONE) : NONE

export interface Named {
  readonly brand: Brand
  /** Written with letters that only look right: `WaImart`, `Micr0soft`. */
  readonly isForged: boolean
}

/** Which brand a display name gives itself; a name that is also an ordinary word counts only as an office of that firm. */
export function brandNamed(name: string): Named | undefined {
  const words = termsOf(name)
  let found = unspacedIn(words)[0]
  for (let at = 0; at < words.length; at++)
    for (const candidate of namesFrom(words[at]!)) {
      const there = words.slice(at, at + candidate.words.length)
      if (there.length < candidate.words.length || !candidate.words.every((word, i) => isLike(there[i]!, word)))
        continue
      const others = [...words.slice(0, at), ...words.slice(at + there.length)]
      if (candidate.isCommon && !others.every((word) => OFFICE.has(word) || /^\d+$/.test(word))) continue
      const isForged = there.some((word, i) => word !== candidate.words[i])
      if (found === undefined || candidate.words.length > 1) found = { brand: candidate.brand, isForged }
    }
  return found
}

/** A brand before the @: `parcelfedex@`, `statefarm@`. */
export function brandInAddress(address: string): Named | undefined {
  const local = address.slice(0, Math.max(0, address.lastIndexOf('@'))).toLowerCase()
  if (local.length < LABEL_LENGTH_MIN || local.length > 40) return undefined
  for (const [name, brand] of JOINED)
    if (local.startsWith(name) || local.endsWith(name)) return { brand, isForged: false }
  return undefined
}

const isLike = (word: string, other: string): boolean =>
  word === other || (other.length >= LABEL_LENGTH_MIN && skeleton(word) === skeleton(other))

const unspacedIn = (words: readonly string[]): Named[] => {
  const some = words.filter((word) => UNSPACED_SCRIPT.test(word)).join(' ')
  return some === ''
    ? []
    : UNSPACED.filter(({ name }) => some.includes(name)).map(({ brand }) => ({ brand, isForged: false }))
}

/** Brands whose names stand in a text, with how often; common words do not count. */
export function brandsIn(words: readonly string[]): Map<Brand, number> {
  const found = new Map<Brand, number>(unspacedIn(words).map(({ brand }) => [brand, 2]))
  for (let at = 0; at < words.length; at++)
    for (const { brand, words: name, isCommon } of namesFrom(words[at]!)) {
      if (isCommon || !name.every((word, i) => words[at + i] !== undefined && isLike(words[at + i]!, word))) continue
      found.set(brand, (found.get(brand) ?? 0) + 1)
    }
  return found
}

export interface Likeness {
  readonly name: string
  /** `letters`: looks the same; `near`: one letter wrong; `joined`: with other words; `above`: as a name above a domain. */
  readonly kind: 'letters' | 'near' | 'joined' | 'above'
}

/** How a site's name is made to look like one of `labels`, or like a brand; undefined if it is not, or is the brand's own. */
export function likenessOf(site: Site): Likeness | undefined {
  if (site.isIp || ownerOf(site) !== undefined) return undefined
  const label = labelOf(site)
  const own = LABELS.get(label)
  if (own !== undefined) return undefined
  const shown = folded(plainText(shownHost(label)).text)
  const same = SKELETONS.get(skeleton(shown))
  if (same !== undefined) return { name: same.label, kind: 'letters' }
  for (const [name, brand] of LABELS) if (isNear(shown, name) && !isOf(brand, site)) return { name, kind: 'near' }
  return joined(site, label) ?? above(site)
}

function joined(site: Site, label: string): Likeness | undefined {
  const parts = label.split(/[-_.]/)
  if (parts.length < 2 && label.length < 10) return undefined
  for (const part of parts) {
    const like = SKELETONS.get(skeleton(part))
    if (like !== undefined && parts.length > 1 && !isOf(like.brand, site)) return { name: like.label, kind: 'joined' }
  }
  for (const [name, brand] of LABELS)
    if (
      name.length >= 6 &&
      label.length > name.length + 2 &&
      (label.startsWith(name) || label.endsWith(name)) &&
      !isOf(brand, site)
    )
      return { name, kind: 'joined' }
  return undefined
}

/** `paypal.com.account.example`, `secure-paypal.example`. */
function above(site: Site): Likeness | undefined {
  const names = site.host.slice(0, Math.max(0, site.host.length - site.domain.length - 1)).split(/[-_.]/)
  for (const name of names) {
    const like = SKELETONS.get(skeleton(name))
    if (like !== undefined && name.length >= LABEL_LENGTH_MIN && !isOf(like.brand, site))
      return { name: like.label, kind: 'above' }
  }
  return undefined
}

/** One letter is wrong, missing, too much, or two have changed places. */
export function isNear(word: string, name: string): boolean {
  const [a, b] = word.length <= name.length ? [word, name] : [name, word]
  if (a.length < 6 || b.length - a.length > 1 || word === name) return false
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  if (at === 0) return false
  if (a.length < b.length) return a.slice(at) === b.slice(at + 1)
  if (a.slice(at + 1) === b.slice(at + 1)) return true
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2)
}
