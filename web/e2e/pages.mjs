// What every page must be, in both themes and both languages: within the rules that axe
// knows, inside of the content policy, and true to the account that looks at it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { until } from './station.mjs'

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

/** Names the rules of WCAG 2.2 AA that the page breaks, each with its first places. */
export async function axeFindings(page) {
  // The page's policy lets in no script of another's: this one comes past it, over the debugger.
  const session = await page.context().newCDPSession(page)
  await session.send('Runtime.evaluate', { expression: axe })
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((found) =>
      found.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')))`,
    awaitPromise: true, returnByValue: true,
  })
  await session.detach()
  assert.equal(exceptionDetails, undefined)
  return result.value
}

export const places = ['#/alarms', '#/alarms?tab=closed', '#/panels', '#/panels/1', '#/sites', '#/sites/1', '#/events', '#/users', '#/users/1', '#/status', '#/settings']

export async function visit(page, place) {
  await page.evaluate((hash) => (location.hash = hash), place)
  await page.locator('.pane:visible').first().waitFor()
  await until(`${place} has loaded`, async () => !/Wczytuję|Loading/.test(await page.locator('.page').innerText()))
}
