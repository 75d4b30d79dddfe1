// Writes BUILD.json beside the built client: a hash of what the build was made from and
// one of every file it gave. A Go test computes both again, so that a commit cannot
// carry a client that is not the one of its sources.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const web = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(web, '..', 'internal', 'webui', 'dist')
// The same list stands in internal/webui/build_test.go.
const inputs = ['index.html', 'package-lock.json', 'package.json', 'public', 'scripts', 'src', 'tsconfig.json', 'vite.config.ts', 'worker']

const sha256 = (data) => createHash('sha256').update(data).digest('hex')

function filesOf(root, path) {
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path)).flatMap((name) => filesOf(root, path === '.' ? name : `${path}/${name}`))
}

const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))

const sources = createHash('sha256')
for (const path of inputs.flatMap((input) => filesOf(web, input)).sort(byBytes)) {
  sources.update(`${sha256(readFileSync(join(web, path)))}  ${path}\n`)
}
const files = {}
for (const path of filesOf(dist, '.').filter((path) => path !== 'BUILD.json').sort(byBytes)) {
  files[path] = sha256(readFileSync(join(dist, path)))
}
writeFileSync(join(dist, 'BUILD.json'), `${JSON.stringify({ sources: sources.digest('hex'), files }, null, 2)}\n`)
