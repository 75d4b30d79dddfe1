// The browser tests of the web client, each group against a whole station of its own:
//
//   npm run e2e -- ../bin/dozor
//
// or with DOZOR_BIN naming the program. They need Chromium (CHROMIUM, or /usr/bin/chromium) and leave pictures and the
// log of the stations in test-results. Most of them wait most of the time, so two groups run at once; the storm, which
// measures pictures, has the machine for itself.
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

if (process.argv[2]) process.env.DOZOR_BIN = process.argv[2]

const file = (name) => fileURLToPath(new URL(`${name}.mjs`, import.meta.url))

async function group(names, concurrency) {
  const tests = run({ files: names.map(file), concurrency })
  tests.on('test:fail', () => { process.exitCode = 1 })
  for await (const line of tests.compose(new spec())) process.stdout.write(line)
}

await group(['console', 'attention', 'installed', 'keeping', 'orders', 'controlroom'], 2)
await group(['storm'], 1)
