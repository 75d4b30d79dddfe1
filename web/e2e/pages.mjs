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
      found.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 9).map((n) => n.target.join(' ')).join(' | ')))`,
    awaitPromise: true, returnByValue: true,
  })
  await session.detach()
  assert.equal(exceptionDetails, undefined)
  return result.value
}

export const places = ['#/alarms', '#/alarms?tab=closed', '#/panels', '#/panels/1', '#/sites', '#/sites/1', '#/events', '#/users', '#/users/1', '#/letters', '#/status', '#/settings']

/** What lies over a page: its name, where it is, and how it is opened. */
export const dialogs = [
  ['keys', '#/alarms', (page) => page.keyboard.press('?')],
  ['palette', '#/alarms', (page) => page.keyboard.press('Control+k')],
  ['report', '#/alarms', (page) => page.locator('.by-hand').click()],
  ['sound', '#/alarms', (page) => page.locator('[data-sound=on]').click()],
  ['order', '#/panels/1', (page) => page.locator('[data-order=arm]').click()],
  ['new site', '#/sites', (page) => page.getByRole('button', { name: 'Nowy obiekt' }).click()],
  ['site', '#/sites/1', (page) => page.locator('.detail-acts').getByRole('button', { name: 'Zmień' }).click()],
  ['contact', '#/sites/1', (page) => page.getByRole('button', { name: 'Dodaj kontakt' }).click()],
  ['panel', '#/sites/1', (page) => page.getByRole('button', { name: 'Dodaj centralę' }).click()],
  ['new person', '#/users', (page) => page.getByRole('button', { name: 'Nowa osoba' }).click()],
  ['password', '#/users/1', (page) => page.getByRole('button', { name: 'Nadaj nowe hasło' }).click()],
]

export async function visit(page, place) {
  await page.evaluate((hash) => (location.hash = hash), place)
  await page.locator('.pane:visible').first().waitFor()
  await until(`${place} has loaded`, async () => !/Wczytuję|Loading/.test(await page.locator('.page').innerText()))
}
