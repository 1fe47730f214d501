/**
 * Encrypted PDF that everybody can read: where the password of the user is empty, only the rights of readers are encrypted,
 * and readers ask nobody. Malware is sent like that, since scanners see nothing in it. Other passwords are not tried.
 *
 * The standard security handler, revisions 2 to 6 (RC4 of 40 to 128 bits, AES of 128 and 256): ISO 32000-1 §7.6, ISO 32000-2
 * §7.6.4. Sizes in octets.
 */
import { createCipheriv, createDecipheriv, hash } from 'node:crypto'
import { valueAt, withPlainNames } from './pdf-dictionary.ts'

/** What fills up a password to 32 octets (§7.6.3.3). */
const PADDING = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex')
const DICTIONARY_CHARACTERS = 4_000
const AES_BLOCK_OCTETS = 16

export interface PdfDecryption {
  /** Of one stream. */
  decrypt(octets: Buffer, object: readonly [number: number, generation: number]): Buffer
}

type Cipher = 'rc4' | 'aes-128' | 'aes-256'

/** `file` and its latin1 text are the same. Undefined: it has another password, or another handler. */
export function openWithoutPassword(file: Buffer, text: string): PdfDecryption | undefined {
  const dictionary = encryptDictionary(file, text)
  if (dictionary === undefined || !/\/Filter\s{0,8}\/Standard(?![A-Za-z])/.test(dictionary)) return undefined
  const revision = numberOf(dictionary, 'R') ?? 0
  const cipher = cipherOf(dictionary)
  if (cipher === undefined) return undefined
  const key = revision >= 5 ? longKey(dictionary, revision) : shortKey(dictionary, revision, text)
  return key && { decrypt: (octets, object) => decryptStream(octets, object, key, cipher) }
}

function encryptDictionary(file: Buffer, text: string): string | undefined {
  // Trailers follow each other; the last one counts.
  const at = text.lastIndexOf('/Encrypt')
  const value = text.slice(at + '/Encrypt'.length, at + DICTIONARY_CHARACTERS)
  const reference = /^\s{0,8}(\d{1,10}\s{1,8}\d{1,5}\s{1,8}R)/.exec(value)?.[1]
  return reference === undefined ? withPlainNames(value) : valueAt(file, reference)
}

function cipherOf(dictionary: string): Cipher | undefined {
  const version = numberOf(dictionary, 'V') ?? 0
  if (version === 1 || version === 2) return 'rc4'
  const method = /\/CFM\s{0,8}\/(V2|AESV2|AESV3)(?![A-Za-z0-9])/.exec(dictionary)?.[1]
  if (method === 'V2') return 'rc4'
  if (method === 'AESV2') return 'aes-128'
  return method === 'AESV3' ? 'aes-256' : undefined
}

function numberOf(dictionary: string, name: string): number | undefined {
  const found = new RegExp(`/${name}\\s{0,8}(-?\\d{1,10})(?![0-9])`).exec(dictionary)
  return found ? Number(found[1]) : undefined
}

/** A string in parentheses or in hexadecimal digits (§7.3.4). */
function stringOf(dictionary: string, name: string): Buffer {
  const from = new RegExp(`/${name}\\s{0,8}(?=[(<])`).exec(dictionary)
  if (!from) return Buffer.alloc(0)
  const at = from.index + from[0].length
  if (dictionary[at] === '<')
    return Buffer.from(/^<([^>]{0,600})/.exec(dictionary.slice(at))![1]!.replace(/\s/g, ''), 'hex')
  return literalString(dictionary, at + 1)
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

function literalString(text: string, start: number): Buffer {
  let out = ''
  let depth = 1
  for (let at = start; at < text.length; at++) {
    let character = text[at]!
    if (character === '(') depth++
    if (character === ')' && --depth === 0) break
    if (character === '\\') {
      const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1, at + 4))?.[0]
      at += octal?.length ?? 1
      const escaped = text[at] ?? ''
      character =
        octal === undefined ? (ESCAPES[escaped] ?? escaped) : String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
    }
    out += character
  }
  return Buffer.from(out, 'latin1')
}

/** Algorithm 2 of §7.6.3.3, and 4 and 5, by which the password is tried. */
function shortKey(dictionary: string, revision: number, text: string): Buffer | undefined {
  const bits = numberOf(dictionary.replace(/\/CF\s{0,8}<<.*?>>\s{0,8}>>/s, ''), 'Length') ?? 40
  const octets = revision < 3 ? 5 : cipherOf(dictionary) === 'aes-128' ? 16 : Math.min(16, Math.max(5, bits >> 3))
  const rights = Buffer.alloc(4)
  rights.writeInt32LE((numberOf(dictionary, 'P') ?? 0) | 0)
  const id = stringOf(text.slice(Math.max(0, text.lastIndexOf('/ID'))).replace(/^\/ID\s{0,8}\[\s{0,8}/, '/ID'), 'ID')
  const isMetadataPlain = revision >= 4 && /\/EncryptMetadata\s{0,8}false/.test(dictionary)
  const owner = stringOf(dictionary, 'O').subarray(0, 32)
  const parts = [PADDING, owner, rights, id, ...(isMetadataPlain ? [Buffer.alloc(4, 0xff)] : [])]
  let key = md5(Buffer.concat(parts)).subarray(0, octets)
  if (revision >= 3) for (let round = 0; round < 50; round++) key = md5(key).subarray(0, octets)
  const user = stringOf(dictionary, 'U')
  if (revision < 3) return rc4(key, PADDING).equals(user.subarray(0, 32)) ? key : undefined
  let check = rc4(key, md5(Buffer.concat([PADDING, id])))
  for (let round = 1; round < 20; round++) check = rc4(key.map((octet) => octet ^ round) as Buffer, check)
  return check.equals(user.subarray(0, 16)) ? key : undefined
}

/** Algorithm 2.A of ISO 32000-2 §7.6.4.3.3. */
function longKey(dictionary: string, revision: number): Buffer | undefined {
  const user = stringOf(dictionary, 'U')
  const sealed = stringOf(dictionary, 'UE').subarray(0, 32)
  if (user.length < 48 || sealed.length < 32) return undefined
  const hashed = revision >= 6 ? hardenedHash : (salt: Buffer) => hash('sha256', salt, 'buffer')
  if (!hashed(user.subarray(32, 40)).equals(user.subarray(0, 32))) return undefined
  const decipher = createDecipheriv('aes-256-cbc', hashed(user.subarray(40, 48)), Buffer.alloc(AES_BLOCK_OCTETS))
  decipher.setAutoPadding(false)
  return Buffer.concat([decipher.update(sealed), decipher.final()])
}

/** Algorithm 2.B, of the empty password: at least 64 rounds, and on until the last octet is small enough. */
function hardenedHash(salt: Buffer): Buffer {
  let key: Buffer = hash('sha256', salt, 'buffer')
  for (let round = 0; ; round++) {
    const cipher = createCipheriv('aes-128-cbc', key.subarray(0, 16), key.subarray(16, 32))
    cipher.setAutoPadding(false)
    const sealed = cipher.update(Buffer.concat(Array.from({ length: 64 }, () => key)))
    const rest = sealed.subarray(0, 16).reduce((sum, octet) => sum + octet, 0) % 3
    key = hash((['sha256', 'sha384', 'sha512'] as const)[rest]!, sealed, 'buffer')
    if (round >= 63 && sealed.at(-1)! <= round - 31) return key.subarray(0, 32)
  }
}

/** Algorithm 1 of §7.6.2. */
function decryptStream(octets: Buffer, [number, generation]: readonly [number, number], key: Buffer, cipher: Cipher) {
  if (cipher === 'aes-256') return decryptAes(octets, key, cipher)
  const place = Buffer.alloc(5)
  place.writeUIntLE(number % 2 ** 24, 0, 3)
  place.writeUInt16LE(generation % 2 ** 16, 3)
  const salt = cipher === 'rc4' ? [] : [Buffer.from('sAlT')]
  const own = md5(Buffer.concat([key, place, ...salt])).subarray(0, Math.min(16, key.length + 5))
  return cipher === 'rc4' ? rc4(own, octets) : decryptAes(octets, own, cipher)
}

/** The first block is the vector; what is no whole number of blocks at the end is left out. */
function decryptAes(octets: Buffer, key: Buffer, cipher: 'aes-128' | 'aes-256'): Buffer {
  const end = octets.length - (octets.length % AES_BLOCK_OCTETS)
  if (end < 2 * AES_BLOCK_OCTETS) return Buffer.alloc(0)
  const decipher = createDecipheriv(`${cipher}-cbc`, key, octets.subarray(0, AES_BLOCK_OCTETS))
  decipher.setAutoPadding(false)
  const plain = decipher.update(octets.subarray(AES_BLOCK_OCTETS, end))
  const padding = plain.at(-1) ?? 0
  return padding >= 1 && padding <= AES_BLOCK_OCTETS ? plain.subarray(0, plain.length - padding) : plain
}

function md5(octets: Buffer): Buffer {
  return hash('md5', octets, 'buffer')
}

function rc4(key: Buffer, octets: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index)
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + state[i]! + key[i % key.length]!) & 0xff
    ;[state[i], state[j]] = [state[j]!, state[i]!]
  }
  const out = Buffer.alloc(octets.length)
  for (let at = 0, i = 0, j = 0; at < octets.length; at++) {
    i = (i + 1) & 0xff
    const a = state[i]!
    j = (j + a) & 0xff
    const b = state[j]!
    state[i] = b
    state[j] = a
    out[at] = octets[at]! ^ state[(a + b) & 0xff]!
  }
  return out
}
