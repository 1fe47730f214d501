import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { CpuMeter, childPids, isAlive, treeMemory, treePids } from './process-tree.ts'

/** Prints a line when its own child runs, and works for as many ms as it is told. */
const PARENT = `
const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
child.once('spawn', () => console.log('up'))
process.stdin.on('data', (ms) => { const end = Date.now() + Number(ms); while (Date.now() < end); console.log('done') })
process.on('SIGTERM', () => { child.kill('SIGKILL'); process.exit(0) })`

test('a tree is the process and what it forked; its memory and its CPU time are theirs together', {
  timeout: 20_000,
}, async () => {
  const parent = spawn(process.execPath, ['-e', PARENT], { stdio: ['pipe', 'pipe', 'inherit'] })
  const meter = new CpuMeter(parent.pid!)
  try {
    await once(parent.stdout, 'data')
    const [child] = childPids(parent.pid!)
    assert.deepEqual(treePids(parent.pid!), [parent.pid, child])
    assert.ok(isAlive(child!))
    const { processes, rssOctets, pssOctets } = treeMemory(parent.pid!)
    assert.equal(processes, 2)
    assert.ok(pssOctets > 0 && pssOctets <= rssOctets, `${pssOctets} of ${rssOctets}`)
    const before = meter.seconds()
    parent.stdin.write('300')
    await once(parent.stdout, 'data')
    const used = meter.seconds() - before
    // The clock of the wall bounds it; how much of it the machine gave, nobody knows.
    assert.ok(used > 0.02, `${used}`)
    parent.kill('SIGTERM')
    await once(parent, 'exit')
    assert.ok(!isAlive(parent.pid!))
    assert.deepEqual(childPids(parent.pid!), [])
  } finally {
    parent.kill('SIGTERM')
    meter.close()
  }
})
