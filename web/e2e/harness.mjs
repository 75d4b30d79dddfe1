// What every browser test stands on: the program under test, one browser, and a station
// of its own for each group of tests.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { Station, until } from './station.mjs'
import { Window } from './window.mjs'

const named = process.argv[2] ?? process.env.DOZOR_BIN
const binary = named && resolve(named)
if (!binary || !existsSync(binary)) {
  console.error(`usage: npm run e2e -- <path of the dozor program>${binary ? `\nthere is no ${binary}` : ''}`)
  process.exit(2)
}

export const results = join(dirname(fileURLToPath(import.meta.url)), '..', 'test-results')
rmSync(results, { recursive: true, force: true })
mkdirSync(results, { recursive: true })

// Panels of the simulator; each test has one of its own, since alarms of a site join.
export const jeweller = 1
export const pharmacy = 2
export const school = 3
export const warehouse = 4
export const house = 5

export let browser
export let station

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  })
})
after(() => browser?.close())

/** A group of tests at one station, which starts before and ends after them. */
export function atStation(name, options, tests) {
  describe(name, () => {
    before(async () => (station = await Station.start(binary, results, options)))
    after(() => station?.stop())
    tests()
  })
}

/** Runs a test in windows that are closed, and judged, at its end. */
export function inWindows(name, wanted, run) {
  test(name, { timeout: 400_000 }, async (t) => {
    const windows = []
    try {
      for (const options of wanted) windows.push(await Window.open(browser, station, results, options))
      await run(...windows, t)
    } catch (error) {
      for (const [i, window] of windows.entries()) await window.shot(`failed-${name.replaceAll(/\W+/g, '-')}-${i}`).catch(() => {})
      throw error
    } finally {
      for (const window of windows) await window.close()
    }
  })
}

/** Arms the partition of a panel's instant zone; returns the zone and the site's name. */
export async function armed(window, n) {
  const panel = (await window.panels())[n - 1]
  assert.ok(panel, `there is no panel ${n}`)
  await window.panelReady(panel.site.name)
  const zone = await station.instantZone(n)
  await station.arm(n, zone.partition)
  return { ...zone, id: panel.id, site: panel.site.name }
}

/** Raises an alarm at an armed site, and waits for its row. */
export async function raise(window, n, zone, limit = 2_000) {
  const began = performance.now()
  await station.violate(n, zone.number)
  await window.row(zone).waitFor({ state: 'attached', timeout: limit })
  const took = performance.now() - began
  await station.restore(n, zone.number)
  // The panel tells of that, too: a step taken while it does would be overtaken by it.
  await until('the zone is quiet again', async () => {
    const { alarms } = await window.get('/api/alarms?state=open&limit=200')
    const alarm = alarms.find((found) => found.panel_id === zone.id && found.zone === zone.number && found.restored_at)
    return alarm && (await window.row(zone).first().getAttribute('data-version')) >= alarm.version
  })
  return took
}

/** Takes the alarm of a zone to its end in the window, so that it troubles no other test. */
export async function finish(window, zone) {
  const { page } = window
  await window.open(zone)
  const state = () => page.getByTestId('alarm').getAttribute('data-state')
  if ((await state()) === 'new') {
    await page.keyboard.press('c')
    await window.opened('claimed')
  }
  await page.keyboard.press('a')
  await window.opened('acknowledged')
  await page.keyboard.press('r')
  await page.keyboard.press('4')
  await page.keyboard.type('koniec próby')
  await page.keyboard.press('Control+Enter')
  await window.opened('resolved')
  await page.keyboard.press('z')
  await window.opened('closed')
}

/** Every control that changes something is dead, and keys send nothing. */
export async function assertDead(window, least = 3) {
  const { page } = window
  const controls = page.locator('[data-testid=mutating] button')
  assert.ok((await controls.count()) >= least, 'the page shows controls')
  for (const control of await controls.all()) assert.ok(await control.isDisabled(), `${await control.innerText()} is alive`)
  const sent = () => window.changes.filter((change) => change !== 'POST /api/ws/ticket').length
  const before = sent()
  for (const key of ['Space', 'c', 'a', 'x', 'z', 't']) await page.keyboard.press(key)
  assert.equal(sent(), before, `sent while disconnected: ${window.changes.join(', ')}`)
}
