import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'

const told = (common: string, own: string) => {
  const tenant = `bakery: {postmaster: chef@bakery.example, ${own}domains: {bakery.example: {deliver-to: a.example}}}`
  const text = `hostname: mx.example\nlisteners: {name: mx, addresses: 192.0.2.1:25, tls: none}\n${common}tenants: {${tenant}}\n`
  return parseConfig(text, 'v')
}

test('a time zone is an IANA name, of the relay and of a tenant', () => {
  const zones = (common: string, own: string) => {
    const result = told(common, own)
    return result.ok ? [result.config.notices.timeZone, result.config.tenants[0]?.timeZone] : result.problems
  }
  assert.deepEqual(zones('', ''), ['UTC', undefined])
  assert.deepEqual(zones('notices: {time-zone: Europe/Vienna}\n', ''), ['Europe/Vienna', undefined])
  assert.deepEqual(zones('', 'time-zone: America/Argentina/Buenos_Aires, '), ['UTC', 'America/Argentina/Buenos_Aires'])
})

test('what is none says which was meant', () => {
  const problem = (zone: string) => {
    const result = told('', `time-zone: ${zone}, `)
    return result.ok ? 'sound' : result.problems.map(problemLine).join()
  }
  assert.match(
    problem('Europe/Berln'),
    /time-zone: "Europe\/Berln" is not allowed here; .*; did you mean Europe\/Berlin\?$/,
  )
  assert.match(problem('berlin'), /did you mean Europe\/Berlin\?$/)
  assert.match(problem('"America/New York"'), /did you mean America\/New_York\?$/)
  assert.match(problem('"+01:00"'), /such as Europe\/Berlin or UTC$/)
  assert.match(problem('Mars/Olympus'), /such as Europe\/Berlin or UTC$/)
})
