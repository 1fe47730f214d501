import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ed25519Pair, inPieces, judged, RECORDS, signed, someMessage } from '#auth/dkim/testing.ts'
import { checked, KEYS, type SignWith, signedElsewhere, type TextZone } from '../testing.ts'
import { SIGNATURES_MAX } from './check-dkim.ts'

const LETTER = 'From: anna@bakery.test\r\nSubject:  bread \r\n\r\nToday  we have\t bread.\r\n\r\n\r\n'

async function results(message: string, zone?: TextZone): Promise<string[]> {
  const { dkim } = await checked(message, zone)
  return dkim.map(({ result, reason }) => (reason === undefined ? result : `${result}: ${reason}`))
}
const sign = (how?: SignWith) => signedElsewhere(LETTER, how)

describe('a DKIM signature', () => {
  it('of a foreign signer passes, in all forms and with both algorithms', async () => {
    const ed25519 = { privateKey: ed25519Pair.privateKey, selector: 'e1' }
    for (const canonicalization of ['relaxed/relaxed', 'relaxed/simple', 'simple/relaxed', 'simple/simple'])
      for (const key of [{}, ed25519])
        assert.deepEqual(await results(await sign({ canonicalization, ...key })), ['pass'], canonicalization)
    const { dkim } = await checked(await sign())
    assert.deepEqual(
      { ...dkim[0], begins: '' },
      { result: 'pass', domain: 'bakery.test', selector: 'r1', algorithm: 'rsa-sha256', begins: '' },
    )
  })

  it('fails when a signed field or the body was changed', async () => {
    const whole = await sign()
    assert.deepEqual(await results(whole.replace('bread.', 'cake.')), ['fail: the body was changed'])
    assert.deepEqual(await results(whole.replace('anna@', 'eve@')), [
      'fail: the signature is not of its key and fields',
    ])
    assert.deepEqual(await results(`X-New: 1\r\n${whole}`), ['pass'])
  })

  it('is no pass where it leaves a part of the body to others, has expired, or its key proves nothing', async () => {
    const part = await sign({ maxBodyLength: 10 })
    assert.match((await results(part))[0]!, /^policy: \d+ octets of the body are not signed/)
    assert.deepEqual(await results(await sign({ maxBodyLength: 22 })), ['pass'], 'all of it')
    assert.deepEqual(await results((await sign({ maxBodyLength: 22 })).replace('l=22', 'l=99')), [
      'fail: l= is more than the body has',
    ])
    assert.deepEqual(await results(await sign({ expires: new Date('2026-02-01T00:00:00Z') })), [
      'policy: it has expired',
    ])
    const small = generateKeyPairSync('rsa', { modulusLength: 512 })
    const record = small.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    const zone = { 'r1._domainkey.bakery.test': `p=${record}` }
    assert.deepEqual(await results(await sign({ privateKey: small.privateKey }), zone), [
      'policy: the key has 512 bits',
    ])
    const sha1 = (await sign()).replace('a=rsa-sha256', 'a=rsa-sha1')
    assert.deepEqual(await results(sha1), ['permerror: rsa-sha1 proves nothing any more'])
  })

  it('is judged by its key record', async () => {
    const name = 'r1._domainkey.bakery.test'
    const right = KEYS[name] as string
    const said: readonly (readonly [TextZone[string] | undefined, string])[] = [
      ['silent', 'temperror: no answer'],
      [[], 'permerror: there is no key'],
      [right.replace(/p=.*/, 'p='), 'permerror: the key is revoked'],
      [[right, right], 'permerror: there are several keys'],
      [[right, 'google-site-verification=x'], 'pass'],
      [`${right}; s=email:x; h=sha1:sha256; t=y`, 'pass'],
      [`${right}; s=tlsrpt`, 'permerror: the key is not for mail'],
      [`${right}; h=sha1`, 'permerror: the key is not for sha256'],
      [right.replace('k=rsa', 'k=ed25519'), 'permerror: the key is of another kind'],
    ]
    const whole = await sign()
    for (const [record, expected] of said)
      assert.deepEqual(await results(whole, record === undefined ? {} : { [name]: record }), [expected], expected)
    const changed = whole.replace('bread.', 'cake.')
    assert.deepEqual(await results(changed, { [name]: `${right}; t=y` }), [
      'neutral: the body was changed; its key is being tested',
    ])
  })

  it('must be of one domain, name From, and be a list of tags', async () => {
    const whole = await sign()
    const withTag = (tag: string) => whole.replace(' d=', ` ${tag}; d=`)
    assert.deepEqual(await results(withTag('i=anna@sub.bakery.test')), [
      'fail: the signature is not of its key and fields',
    ])
    assert.deepEqual(await results(withTag('i=@other.test')), ['permerror: i= is not of the signing domain'])
    assert.deepEqual(await results(whole.replace('q=dns/txt', 'q=dns/other')), ['permerror: q= wants no DNS'])
    assert.deepEqual(await results(withTag('t=9; x=8')), ['permerror: the field is no list of tags'], 't= stands twice')
    assert.deepEqual(await results(whole.replace(/From:/i, 'X:').replace(/h=[^;]*/i, 'h=subject')), [
      'permerror: From is not signed',
    ])
    assert.deepEqual(await results(`DKIM-Signature: v=1\r\n${LETTER}`), ['permerror: d= is no domain'])
    for (const domain of ["bakery.test'a.other.test", 'bakery.test\0.x', 'test', '-.test'])
      assert.match((await results(whole.replace('d=bakery.test', `d=${domain}`)))[0]!, /^permerror/, domain)
  })

  it('is looked at only among the first ones', async () => {
    let whole = LETTER
    for (let i = 0; i < SIGNATURES_MAX + 2; i++) whole = `DKIM-Signature: v=1\r\n${whole}`
    const all = await results(whole)
    assert.equal(all.length, SIGNATURES_MAX + 1)
    assert.equal(all.at(-1), 'neutral: 2 more signatures are not looked at')
  })

  it('of ours passes over any message, however it is changed on the way as it may be', async () => {
    const property = fc.asyncProperty(someMessage, fc.integer({ min: 1, max: 200 }), async (text, octets) => {
      const message = (await signed(inPieces(text, octets)))!
      const whole = Buffer.concat([...message.chunks]).toString('latin1')
      assert.deepEqual(await results(whole), ['pass', 'pass'])
    })
    await fc.assert(property, { numRuns: 200 })
  })

  it('is judged as mailauth judges it, whatever was done to the message', async () => {
    const property = fc.asyncProperty(
      someMessage,
      fc.nat(),
      fc.constantFrom('x', ' ', '\t', ''),
      async (text, at, put) => {
        const whole = await signedElsewhere(text, {
          canonicalization: at % 2 === 0 ? 'relaxed/relaxed' : 'simple/simple',
        })
        const where = at % whole.length
        // Half a line end is none: what a reader makes of it is nobody's business here.
        if (whole[where] === '\n' || whole[where - 1] === '\r' || whole[where] === '\r') return
        const changed = whole.slice(0, where) + put + whole.slice(where + (put === '' ? 1 : 0))
        const ours = (await results(changed)).map((one) => one === 'pass')
        const theirs = (await judged(changed, RECORDS)).map((one) => one.startsWith('pass'))
        // We may be stricter, never more lenient.
        assert.ok(
          ours.every((pass, i) => !pass || theirs[i]),
          JSON.stringify([changed, ours, theirs]),
        )
        // In the header section white space may make a field of something else, and readers differ.
        if (where < whole.indexOf('\r\n\r\n') + 4) return
        assert.deepEqual(ours, theirs, JSON.stringify(changed))
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })

  it('over a large body leaves turns to others', async () => {
    const whole = await signedElsewhere(`${LETTER}${'0123456789abcdef'.repeat(4)}\r\n`.repeat(1))
    const large = `${whole}${`${'x'.repeat(76)}\r\n`.repeat(60_000)}`
    let turns = 0
    const count = () => {
      turns++
      timer = setImmediate(count)
    }
    let timer = setImmediate(count)
    assert.deepEqual(await results(large), ['fail: the body was changed'])
    clearImmediate(timer)
    assert.ok(turns >= 15, `${turns} turns`)
  })
})
