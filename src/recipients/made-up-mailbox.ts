/**
 * A mailbox that nobody has, and that looks as if somebody might: servers answer `test-12345` otherwise than a name. With
 * eight random syllables and a number, a real one is never hit, and a server cannot know ours.
 */
import { type Mailbox, parseMailbox } from '#mail/address.ts'

const CONSONANTS = 'bdfgklmnprstvz'
const VOWELS = 'aeiou'

/** Undefined where the domain's name is too long for an address like this. */
export function madeUpMailbox(domain: string, random: () => number): Mailbox | undefined {
  const pick = (letters: string): string => letters[Math.floor(random() * letters.length)]!
  const name = (syllables: number): string =>
    Array.from({ length: syllables }, () => pick(CONSONANTS) + pick(VOWELS)).join('')
  const parsed = parseMailbox(`${name(3)}.${name(5)}${10 + Math.floor(random() * 90)}@${domain}`)
  return parsed.ok ? parsed.value : undefined
}
