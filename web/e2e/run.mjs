// The browser tests of the web client, each group against a whole station of its own:
//
//   npm run e2e -- ../bin/dozor
//
// or with DOZOR_BIN naming the program. They need Chromium (CHROMIUM, or /usr/bin/chromium) and leave pictures and the
// log of the stations in test-results. One group runs after the other: two stations and two browsers at once are too
// much for two cores to keep the times that are tested.
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

if (process.argv[2]) process.env.DOZOR_BIN = process.argv[2]

const file = (name) => fileURLToPath(new URL(`${name}.mjs`, import.meta.url))

const names = ['console', 'attention', 'installed', 'keeping', 'orders', 'controlroom', 'storm']
const tests = run({ files: names.map(file), concurrency: 1 })
tests.on('test:fail', () => { process.exitCode = 1 })
for await (const line of tests.compose(new spec())) process.stdout.write(line)
