// Draws the icons of the installed application from their SVGs with the Chromium that
// the browser tests use. Run after a change of an SVG; the PNGs are committed.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const scripts = dirname(fileURLToPath(import.meta.url))
const icons = join(scripts, '..', 'public')
const drawings = [
  ['favicon.svg', 'icons/icon'],
  ['../scripts/maskable.svg', 'icons/maskable'],
]

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
for (const [svg, name] of drawings) {
  for (const size of [192, 512]) {
    const page = await browser.newPage({ viewport: { width: size, height: size } })
    const data = readFileSync(join(icons, svg)).toString('base64')
    await page.setContent(`<style>body{margin:0}img{display:block;width:100vw;height:100vh}</style><img src="data:image/svg+xml;base64,${data}">`)
    await page.locator('img').evaluate((image) => image.decode())
    writeFileSync(join(icons, `${name}-${size}.png`), await page.screenshot({ omitBackground: true }))
    await page.close()
  }
}
await browser.close()
