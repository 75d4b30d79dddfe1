// Puts the service worker beside the build, with the list of what it keeps.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const publicFiles = (dir: string, under = ''): string[] =>
  readdirSync(join(dir, under), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? publicFiles(dir, `${under}${entry.name}/`) : [`${under}${entry.name}`])

export function serviceWorker(): Plugin {
  let publicDir = ''
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved(config) {
      publicDir = config.publicDir
    },
    generateBundle: {
      // After the plugin that writes index.html.
      order: 'post',
      handler(_options, bundle) {
        const hash = createHash('sha256')
        const files: string[] = []
        for (const name of Object.keys(bundle).sort()) {
          const file = bundle[name]!
          if (name === 'licences.txt' || name.endsWith('.map')) continue
          hash.update(name).update(file.type === 'chunk' ? file.code : file.source)
          files.push(name === 'index.html' ? '/' : `/${name}`)
        }
        for (const name of publicFiles(publicDir).sort()) {
          hash.update(name).update(readFileSync(join(publicDir, name)))
          files.push(`/${name}`)
        }
        if (!files.includes('/')) this.error('index.html is not among the files of the build')
        const code = readFileSync(join(import.meta.dirname, 'sw.js'), 'utf8')
        const head = `const VERSION = ${JSON.stringify(hash.digest('hex').slice(0, 16))}\nconst FILES = ${JSON.stringify(files)}\n`
        this.emitFile({ type: 'asset', fileName: 'sw.js', source: head + code })
      },
    },
  }
}
