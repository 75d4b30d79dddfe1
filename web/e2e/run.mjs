// The browser test of the web client against a whole station:
//
//   npm run e2e -- ../bin/dozor
//
// or with DOZOR_BIN naming the program. It needs Chromium (CHROMIUM, or /usr/bin/chromium) and leaves screenshots and the log
// of the station in test-results.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { Station, until } from './station.mjs'
import { axeFindings, places, visit } from './pages.mjs'
import { Window } from './window.mjs'

const named = process.argv[2] ?? process.env.DOZOR_BIN
const binary = named && resolve(named)
if (!binary || !existsSync(binary)) {
  console.error(`usage: npm run e2e -- <path of the dozor program>${binary ? `\nthere is no ${binary}` : ''}`)
  process.exit(2)
}

const results = join(dirname(fileURLToPath(import.meta.url)), '..', 'test-results')
rmSync(results, { recursive: true, force: true })
mkdirSync(results, { recursive: true })

// Panels of the simulator; each test has one of its own, since alarms of a site join.
const jeweller = 1
const pharmacy = 2
const school = 3
const warehouse = 4
const house = 5

let browser
let station
before(async () => {
  station = await Station.start(binary, results)
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  })
})
after(async () => {
  await browser?.close()
  await station?.stop()
})

/** Runs a test in windows that are closed, and judged, at its end. */
function inWindows(name, wanted, run) {
  test(name, { timeout: 180_000 }, async (t) => {
    const windows = []
    for (const options of wanted) windows.push(await Window.open(browser, station, results, options))
    try {
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
async function armed(window, n) {
  const panel = (await window.panels())[n - 1]
  assert.ok(panel, `there is no panel ${n}`)
  await window.panelReady(panel.site.name)
  const zone = await station.instantZone(n)
  await station.arm(n, zone.partition)
  return { ...zone, id: panel.id, site: panel.site.name }
}

/** Raises an alarm at an armed site, and waits for its row. */
async function raise(window, n, zone, limit = 2_000) {
  const began = performance.now()
  await station.violate(n, zone.number)
  await window.row(zone).waitFor({ state: 'attached', timeout: limit })
  const took = performance.now() - began
  await station.restore(n, zone.number)
  return took
}

/** Takes the alarm that is open in the window to its end, so that it troubles no other test. */
async function finish(window, zone) {
  const { page } = window
  await window.row(zone).click()
  await page.getByTestId('alarm').waitFor()
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

test('a wrong password is refused in words', async () => {
  const window = await Window.open(browser, station, results, { signIn: false })
  const { page } = window
  await page.locator('input[name=login]').fill(window.user.login)
  await page.locator('input[name=password]').fill('wrong')
  await page.keyboard.press('Enter')
  await page.getByText('Login albo hasło się nie zgadza.').waitFor()
  // It stays, chosen: it may have been the server, and the next letter replaces it.
  assert.equal(await page.locator('input[name=password]').inputValue(), 'wrong')
  await page.keyboard.type('x')
  assert.equal(await page.locator('input[name=password]').inputValue(), 'x')
  await window.shot('sign-in')
  await window.close()
})

inWindows('an alarm arrives and is claimed, handled and closed by keys alone', [{}], async (window, t) => {
  const { page } = window
  const zone = await armed(window, jeweller)
  const took = await raise(window, jeweller, zone)
  t.diagnostic(`on screen ${Math.round(took)} ms after the zone was violated`)
  const row = window.row(zone)
  assert.match(await row.innerText(), /P2[^]*WŁAMANIE/)
  await until('the title counts it', async () => /^\(\d+\) dozor$|^▲ P1/.test(await page.title()))
  await window.shot('alarm-new')

  await page.keyboard.press('Space')
  await window.opened('claimed')
  await page.locator('[data-sound=on]').waitFor()
  assert.match(await page.getByTestId('alarm').innerText(), new RegExp(zone.site))
  await page.keyboard.press('n')
  await page.keyboard.type('Sąsiad widział latarkę.')
  await page.keyboard.press('Control+Enter')
  await page.getByTestId('timeline').getByText('Sąsiad widział latarkę.').waitFor()
  await page.keyboard.press('a')
  await window.opened('acknowledged')

  await page.keyboard.press('z')
  await window.opened('acknowledged')
  await page.keyboard.press('r')
  await page.keyboard.press('1')
  await page.keyboard.type('Ślady na drzwiach tylnych, Policja na miejscu.')
  await window.shot('alarm-outcome')
  await page.keyboard.press('Control+Enter')
  await window.opened('resolved')
  await page.keyboard.press('z')
  await window.opened('closed')
  await window.shot('alarm-closed')
  await until('its row is gone', async () => (await window.row(zone).count()) === 0)

  await page.locator('[data-tab=closed]').click()
  await page.locator('.row.past').filter({ hasText: zone.site }).first().waitFor()
  await window.shot('history')
  await station.disarm(jeweller, zone.partition)
})

inWindows('two windows race for one claim: one wins, the other learns who and keeps its words', [{ user: 0 }, { user: 1 }], async (one, two, t) => {
  const zone = await armed(one, pharmacy)
  await Promise.all([raise(one, pharmacy, zone), two.row(zone).waitFor({ state: 'attached' })])
  for (const { page } of [one, two]) {
    await page.locator('.row').filter({ hasText: zone.site }).filter({ hasText: zone.name }).click()
    await page.getByTestId('alarm').waitFor()
  }
  for (const { page } of [one, two]) {
    await page.keyboard.press('n')
    await page.keyboard.type('nie zgub tego')
    await page.keyboard.press('Escape')
  }

  // Both have decided before either request is let go.
  let waiting = 0
  let release
  const both = new Promise((resolve) => (release = resolve))
  for (const { page } of [one, two]) {
    await page.route('**/api/alarms/*/claim', async (route) => {
      if (++waiting === 2) release()
      await both
      await route.continue()
    })
  }
  await Promise.all([one.page.keyboard.press('c'), two.page.keyboard.press('c')])
  await until('one window has lost', async () => {
    const notices = await Promise.all([one, two].map(({ page }) => page.getByTestId('step-notice').count()))
    return notices[0] + notices[1] === 1
  })
  const oneLost = (await one.page.getByTestId('step-notice').count()) === 1
  const [winner, loser] = oneLost ? [two, one] : [one, two]
  await winner.opened('claimed')
  await loser.opened('claimed')
  const winnerName = await winner.page.locator('.top .who.me .cut').innerText()
  const notice = await loser.page.getByTestId('step-notice').innerText()
  t.diagnostic(notice.replaceAll('\n', ' '))
  assert.ok(notice.includes(winnerName), `${notice} does not name ${winnerName}`)
  assert.match(notice, /Twój tekst został/)
  await loser.shot('race-lost')
  await loser.page.keyboard.press('n')
  assert.equal(await loser.page.locator('.alarm-form textarea').inputValue(), 'nie zgub tego')

  for (const { page } of [one, two]) await page.unroute('**/api/alarms/*/claim')
  await finish(winner, zone)
  await station.disarm(pharmacy, zone.partition)
})

/** Every control that changes something is dead, and keys send nothing. */
async function assertDead(window) {
  const { page } = window
  const controls = page.locator('[data-testid=mutating] button')
  assert.ok((await controls.count()) >= 3, 'the page shows controls')
  for (const control of await controls.all()) assert.ok(await control.isDisabled(), `${await control.innerText()} is alive`)
  const sent = () => window.changes.filter((change) => change !== 'POST /api/ws/ticket').length
  const before = sent()
  for (const key of ['Space', 'c', 'a', 'x', 'z', 't']) await page.keyboard.press(key)
  assert.equal(sent(), before, `sent while disconnected: ${window.changes.join(', ')}`)
}

inWindows('a frozen server: the banner in time, dead buttons, and back without a reload', [{}], async (window, t) => {
  const { page } = window
  const first = await armed(window, school)
  await raise(window, school, first)
  await window.row(first).click()
  await page.getByTestId('alarm').waitFor()
  await page.keyboard.press('n')
  await page.keyboard.type('pisane podczas przerwy')
  const next = await armed(window, warehouse)
  await page.evaluate(() => (document.body.dataset.sameDocument = 'yes'))

  const began = performance.now()
  station.freeze()
  let meanwhile
  try {
    await window.banner.waitFor({ timeout: 5_000 })
    t.diagnostic(`banner ${Math.round(performance.now() - began)} ms after the freeze`)
    assert.match(await window.banner.innerText(), /⚠ Brak połączenia z serwerem/)
    // The panel's alarm is on its way while nobody can see it.
    meanwhile = station.violate(warehouse, next.number)
    await window.shot('frozen')
    await page.keyboard.press('Escape')
    await assertDead(window)
  } finally {
    station.thaw()
  }
  const thawed = performance.now()
  await meanwhile
  await window.live(15_000)
  await window.banner.waitFor({ state: 'detached' })
  t.diagnostic(`live again ${Math.round(performance.now() - thawed)} ms after the thaw`)
  await window.row(next).waitFor({ state: 'attached', timeout: 10_000 })
  await window.row(first).waitFor({ state: 'attached' })
  assert.equal(await page.evaluate(() => document.body.dataset.sameDocument), 'yes', 'the page was reloaded')
  await page.keyboard.press('n')
  assert.equal(await page.locator('.alarm-form textarea').inputValue(), 'pisane podczas przerwy')
  await page.keyboard.press('Escape')
  await station.restore(warehouse, next.number)
  await finish(window, first)
  await finish(window, next)
  await station.disarm(school, first.partition)
})

inWindows('a killed server: the banner at once, and back without a reload or a missed alarm', [{}], async (window, t) => {
  const { page } = window
  const zone = await armed(window, house)
  await raise(window, house, zone)
  await window.row(zone).click()
  await page.getByTestId('alarm').waitFor()
  await page.evaluate(() => (document.body.dataset.sameDocument = 'yes'))

  const began = performance.now()
  await station.kill()
  await window.banner.waitFor({ timeout: 5_000 })
  t.diagnostic(`banner ${Math.round(performance.now() - began)} ms after the kill`)
  await assertDead(window)
  await window.shot('killed')

  // Nothing reaches this window until the station has raised what it must not miss.
  await page.route('**/api/ws/ticket', (route) => route.abort())
  await station.run()
  const second = await Window.open(browser, station, results)
  const other = await armed(second, jeweller)
  await raise(second, jeweller, other)
  await second.close()
  assert.ok(await window.banner.isVisible())
  await page.unroute('**/api/ws/ticket')

  await window.live(20_000)
  await window.banner.waitFor({ state: 'detached' })
  await window.row(other).waitFor({ state: 'attached' })
  await window.row(zone).waitFor({ state: 'attached' })
  assert.equal(await page.evaluate(() => document.body.dataset.sameDocument), 'yes', 'the page was reloaded')
  await finish(window, zone)
  await finish(window, other)
  await station.disarm(house, zone.partition)
})

inWindows('the row under the pointer stays where it is when others come above it', [{}], async (window) => {
  const { page } = window
  const zone = await armed(window, pharmacy)
  await raise(window, pharmacy, zone)
  const row = window.row(zone)
  const id = await row.getAttribute('data-id')
  await row.hover()
  const at = async () => (await page.locator(`#row-${id}`).boundingBox()).y
  const before = await at()
  const focused = await page.evaluate(() => document.activeElement?.className)

  // A hold-up is more urgent than any burglary: its row belongs above.
  const other = { site: (await window.panels())[jeweller - 1].site.name, name: 'napad' }
  await station.act(jeweller, 'partitions/1/panic')
  await window.row(other).waitFor({ state: 'attached', timeout: 3_000 })
  assert.match(await window.row(other).innerText(), /P1/)
  assert.equal(await at(), before)
  assert.equal(await page.evaluate(() => document.activeElement?.className), focused, 'the newcomer took the focus')
  assert.ok((await page.getByTestId('urgent').innerText()).includes(other.site), 'the band shows the most urgent')
  await window.shot('hold-up')
  await page.getByTestId('above').waitFor()
  await page.keyboard.press('Home')
  await page.getByTestId('above').waitFor({ state: 'detached' })
  await finish(window, other)
  await finish(window, zone)
  await station.disarm(pharmacy, zone.partition)
})

inWindows('a panel is armed through its dialog, and a lost link never looks live', [{}], async (window) => {
  const { page } = window
  const panel = (await window.panels())[house - 1]
  await window.panelReady(panel.site.name)
  await page.getByRole('link', { name: 'Panele' }).click()
  await page.locator(`[data-panel="${panel.id}"]`).waitFor()
  await until('states are live', async () => !['unknown', 'stale', 'no-link'].includes(await page.locator(`[data-panel="${panel.id}"]`).getAttribute('data-glyph')))
  await window.shot('panels')
  await page.locator(`[data-panel="${panel.id}"]`).click()
  await page.locator('[data-partition="2"][data-look=disarmed]').waitFor()

  await page.locator('[data-order=arm]').click()
  const submit = page.locator('.sheet button[type=submit]')
  await page.locator('input[name=partition-2]').check()
  assert.ok(await submit.isDisabled(), 'armed without the name of the site')
  await page.locator('input[name=confirm]').fill(panel.site.name)
  await window.shot('order')
  await page.keyboard.press('Control+Enter')
  await page.locator('[data-testid=order-result][data-state=done]').waitFor({ timeout: 20_000 })
  await page.keyboard.press('Escape')
  await page.locator('.sheet').waitFor({ state: 'detached' })
  await page.locator('[data-partition="2"]:is([data-look=exit], [data-look=armed])').waitFor()
  await window.shot('panel')

  await station.act(house, 'link/drop')
  await page.locator('[data-testid=panel][data-fresh=false]').waitFor({ timeout: 20_000 })
  await window.shot('panel-lost')
  await station.act(house, 'link/restore')
  await page.locator('[data-testid=panel][data-fresh=true]').waitFor({ timeout: 60_000 })
  await station.disarm(house, 2)
})

inWindows('the language changes without a reload, and stays', [{}], async (window) => {
  const { page } = window
  await page.evaluate(() => (document.body.dataset.sameDocument = 'yes'))
  await page.getByRole('button', { name: 'EN', exact: true }).click()
  await page.getByRole('link', { name: 'Alarms' }).waitFor()
  assert.equal(await page.evaluate(() => [document.documentElement.lang, document.body.dataset.sameDocument].join()), 'en,yes')
  assert.match(await page.locator('.clock-group').innerText(), /UTC\+[12]/)
  await page.reload()
  await page.getByRole('link', { name: 'Alarms' }).waitFor()
})

inWindows('signing out ends every window of the session', [{}], async (window) => {
  const { page } = window
  const other = await window.context.newPage()
  await other.goto(station.url)
  await other.locator('.link-state[data-phase=live]').waitFor()
  await page.getByRole('button', { name: 'Menu stanowiska' }).click()
  await page.getByRole('menuitem', { name: /Wyloguj/ }).click()
  await page.locator('input[name=login]').waitFor()
  await other.locator('input[name=login]').waitFor({ timeout: 10_000 })
})

inWindows('a narrow screen needs no sideways scrolling', [{ width: 360, height: 740, scheme: 'light' }], async (window) => {
  const { page } = window
  for (const place of ['#/alarms', '#/panels', '#/alarms?tab=closed', '#/panels/1', '#/sites', '#/events', '#/status', '#/settings']) {
    await page.evaluate((hash) => (location.hash = hash), place)
    await page.locator('.pane:visible').first().waitFor()
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${place} is too wide`)
    await window.shot(`narrow-${place.replaceAll(/\W+/g, '')}`)
  }
})

for (const theme of ['dark', 'light']) {
  inWindows(`every page in the ${theme} theme keeps the rules of accessibility`, [{ user: 3 }], async (window) => {
    const { page } = window
    await page.evaluate((name) => localStorage.setItem('dozor.theme', name), theme)
    await page.reload()
    await window.live()
    const findings = []
    for (const place of places) {
      await visit(page, place)
      for (const finding of await axeFindings(page)) findings.push(`${place} ${finding}`)
      await window.shot(`${theme}-${place.replaceAll(/\W+/g, '')}`)
    }
    await page.keyboard.press('Control+k')
    await page.locator('.palette-input').waitFor()
    for (const finding of await axeFindings(page)) findings.push(`palette ${finding}`)
    assert.deepEqual(findings, [])
  })
}

inWindows('a person who is disabled while signed in is out within a second', [{ user: 1 }, { user: 3 }], async (kos, admin, t) => {
  const { users } = await admin.get('/api/users')
  const user = users.find((found) => found.login === kos.user.login)
  await visit(admin.page, `#/users/${user.id}`)
  await admin.page.getByRole('button', { name: 'Wyłącz konto' }).click()
  const began = performance.now()
  await admin.page.locator('.sheet button[type=submit]').click()
  await kos.page.locator('input[name=login]').waitFor({ timeout: 3_000 })
  t.diagnostic(`out ${Math.round(performance.now() - began)} ms after the click`)
  assert.ok(performance.now() - began < 1_000, 'it took longer than a second')
  await admin.page.getByRole('button', { name: 'Włącz konto' }).click()
  await admin.page.getByRole('button', { name: 'Wyłącz konto' }).waitFor()
})

inWindows('by keys alone in English, from ring to close', [{ user: 2 }], async (window) => {
  const { page } = window
  await page.getByRole('button', { name: 'EN', exact: true }).press('Enter')
  await page.getByRole('link', { name: 'Alarms' }).waitFor()
  const zone = await armed(window, warehouse)
  await raise(window, warehouse, zone)
  await page.locator('body').click({ position: { x: 700, y: 5 } })
  await page.keyboard.press('Space')
  await window.opened('claimed')
  assert.match(await page.getByTestId('alarm').innerText(), /BURGLARY/)
  await page.keyboard.press('w')
  await page.keyboard.type('the owner calls back')
  await page.keyboard.press('Control+Enter')
  await page.getByText('paused, back').waitFor()
  await page.keyboard.press('a')
  await window.opened('acknowledged')
  await page.keyboard.press('r')
  await page.keyboard.press('2')
  await page.keyboard.type('the owner, by phone')
  await page.keyboard.press('Control+Enter')
  await window.opened('resolved')
  await page.keyboard.press('z')
  await window.opened('closed')
  await station.disarm(warehouse, zone.partition)
})
