import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '#cli/exit.ts'
import { Desk } from './desk.ts'

test('a question goes to the clerk of its subject, a command too, and both say when nobody knows', async () => {
  const heard: unknown[] = []
  const desk = new Desk([
    {
      subject: 'limits',
      async answer(what, body, worker) {
        heard.push([what, body, worker])
        return 'yes'
      },
    },
    { subject: 'lists', command: async (what, body) => [what, body] },
  ])
  assert.equal(await desk.answer(1, 'limits/take', { key: 'a' }), 'yes')
  assert.deepEqual(heard, [['take', { key: 'a' }, 1]])
  assert.deepEqual(await desk.command('lists/show', 7), ['show', 7])
  await assert.rejects(desk.answer(0, 'lists/show', 7), /nobody here knows about lists\/show/)
  await assert.rejects(desk.answer(0, 'limits', 7), /nobody here knows about limits/)
  await assert.rejects(desk.command('limits/take', 7), UserError)
})

test('all clerks start, reload and close in their order', async () => {
  const heard: string[] = []
  const clerk = (subject: string) => ({
    subject,
    started: () => void heard.push(`${subject} started`),
    reload: async (settings: string) => void heard.push(`${subject} ${settings}`),
    close: async () => void heard.push(`${subject} closed`),
  })
  const desk = new Desk([clerk('a'), clerk('b')])
  desk.started(
    async () => [],
    async () => undefined,
    async () => undefined,
  )
  await desk.reload('new')
  await desk.close()
  assert.deepEqual(heard, ['a started', 'b started', 'a new', 'b new', 'a closed', 'b closed'])
})

test('the first clerk that is sick speaks for the desk', async () => {
  const clerk = (subject: string, sick?: string) => ({ subject, sickness: async () => sick })
  assert.equal(await new Desk([{ subject: 'a' }, clerk('b')]).sickness(), undefined)
  assert.equal(await new Desk([clerk('b'), clerk('c', 'no room'), clerk('d', 'worse')]).sickness(), 'no room')
})
