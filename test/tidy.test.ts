/**
 * The code checks its own manners. Each rule is a function over files (test/tidy/); here they are held against this
 * checkout. That each can fail is shown by planted violations in test/tidy/rules.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkoutPaths, commandRoots, readAll, readText } from './tidy/checkout.ts'
import { indexFaults, standards, unknownCitations } from './tidy/rules-rfc.ts'
import {
  deadFiles,
  type Forgiven,
  fileLengths,
  functionLengths,
  importDirection,
  portalApart,
} from './tidy/rules-structure.ts'
import { emptyNames, kebabCase, leftovers, machinePaths, makers, openings, pureEngines } from './tidy/rules-text.ts'

const paths = checkoutPaths()
const sources = readAll(paths.filter((path) => path.endsWith('.ts')))
const prose = readAll(paths.filter((path) => path.endsWith('.md') && !path.startsWith('fixtures/')))
/** All text that people of this project write: not the fixtures, which are other people's mail. */
const texts = readAll(
  paths.filter((path) => !/^(?:fixtures\/|package-lock\.json$|.*\.(?:png|ico|woff2|eml)$)/.test(path)),
)
const known = standards(readText('rfc/index.md'))

// Fuzzers are found by their folder.
const fuzzers = paths.filter((path) => /^fuzz\/[^/]+\.ts$/.test(path))
const roots = [...commandRoots(), ...fuzzers]

function clean(rule: string, findings: () => readonly string[]): void {
  test(rule, () => {
    const found = findings()
    if (found.length > 0) assert.fail(`${rule}:\n${found.join('\n')}`)
  })
}

clean('an import goes down the table of folders, and no stage imports a stage', () => importDirection(sources))
clean('the portal imports nothing of the product', () => portalApart(sources))
clean('the engines of mail, smtp and mime touch no outside world', () => pureEngines(sources))
clean('a function fits a screen', () =>
  functionLengths(sources, JSON.parse(readText('test/tidy/long-functions.json')) as Forgiven),
)
clean('a file is a chapter', () => fileLengths(sources))
clean('no file lies about unused', () => deadFiles(sources, roots))
clean('a file opens by saying what it is', () => openings(sources))
clean('custody and return paths are made in their places only', () => makers(sources))
clean('every RFC that is cited is in the index', () => unknownCitations([...sources, ...prose], known))
clean('the index of RFCs is whole and true', () => indexFaults(known, sources))
clean('nothing unfinished, no check switched off', () => leftovers(sources))
clean('names say something', () => [...emptyNames(paths), ...kebabCase(paths)])
clean('no path of one machine', () => machinePaths(texts))
