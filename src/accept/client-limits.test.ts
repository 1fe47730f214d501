import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientLimits } from './client-limits.ts'

const GENEROUS = {
  sessionsPerClientMax: 1e6,
  sessionsPerNetworkMax: 1e6,
  newPerMinutePerClientMax: 1e6,
  newPerMinutePerNetworkMax: 1e6,
  exempt: ['198.51.100.0/24'],
}

test('sessions at a time: per client, per network, and given back', () => {
  const limits = new ClientLimits({ ...GENEROUS, sessionsPerClientMax: 2, sessionsPerNetworkMax: 3 })
  assert.deepEqual(
    ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.3.1'].map((a) => limits.open(a, 0)),
    [undefined, undefined, 'client-sessions', undefined, 'network-sessions', undefined],
  )
  limits.close('192.0.2.1')
  assert.equal(limits.open('192.0.2.3', 0), undefined)
  assert.equal(limits.open('192.0.2.1', 0), 'network-sessions')
})

test('IPv6 neighbours in a /64 are one network', () => {
  const limits = new ClientLimits({ ...GENEROUS, sessionsPerNetworkMax: 1 })
  assert.equal(limits.open('2001:db8::1', 0), undefined)
  assert.equal(limits.open('2001:db8::2', 0), 'network-sessions')
  assert.equal(limits.open('2001:db8:0:1::2', 0), undefined)
})

test('new sessions per minute slide: no second burst when the clock passes a minute', () => {
  const limits = new ClientLimits({ ...GENEROUS, newPerMinutePerClientMax: 10, newPerMinutePerNetworkMax: 15 })
  const burst = (address: string, nowMs: number): number => {
    let opened = 0
    for (let i = 0; i < 20; i++) {
      if (limits.open(address, nowMs) === undefined) {
        opened++
        limits.close(address)
      }
    }
    return opened
  }
  const start = 1_000_000
  assert.equal(burst('192.0.2.1', start), 10)
  assert.equal(burst('192.0.2.1', start + 59_000), 0)
  assert.equal(burst('192.0.2.1', start + 61_000), 1, 'one second of the old minute has left the window')
  assert.equal(burst('192.0.2.1', start + 90_000), 4, 'half of it, and the one just let in counts in full')
  assert.equal(limits.open('192.0.2.2', start + 90_000), undefined)
  assert.equal(burst('192.0.2.1', start + 300_000), 10, 'all forgotten')
  assert.equal(burst('192.0.2.9', start + 300_000), 5, 'the rest of the network')
})

test('named networks are not limited', () => {
  const limits = new ClientLimits({ ...GENEROUS, sessionsPerClientMax: 0 })
  assert.equal(limits.open('198.51.100.7', 0), undefined)
  limits.close('198.51.100.7')
  assert.equal(limits.open('192.0.2.1', 0), 'client-sessions')
})

test('a flood of addresses does not grow the tables without bound', () => {
  const limits = new ClientLimits({ ...GENEROUS, newPerMinutePerClientMax: 1 })
  for (let i = 0; i < 200_000; i++) {
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    assert.equal(limits.open(address, 1000), undefined)
    limits.close(address)
  }
  assert.equal(limits.open('10.3.13.63', 1000), 'client-rate', 'a recent one is known')
  assert.equal(limits.open('10.0.0.1', 1000), undefined, 'an old one was forgotten early')
})
