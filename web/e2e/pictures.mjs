// Pictures for the documents, of a station at work: eighty panels, 300 open alarms, a flood.
//
//   npm run pictures -- ../bin/dozor
//
// They go to docs/screenshots.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atStation, browser, inWindows, results, station } from './harness.mjs'
import { visit } from './pages.mjs'
import { breakBoth, holdUp, openRoom } from './room.mjs'
import { until } from './station.mjs'
import { Window } from './window.mjs'

const pictures = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'screenshots')
mkdirSync(pictures, { recursive: true })

const sites = 80
const wide = { width: 1920, height: 1080 }
const phone = { width: 390, height: 844 }
const reports = [
  ['technical', 'brak wody w kotłowni, ciśnienie 0,4 bara'],
  ['temperature', 'mroźnia 2, minus 9 stopni i rośnie'],
  ['other', 'pracownik zostawił klucze, prosi o sprawdzenie bramy'],
]

async function picture(window, name, theme) {
  if (theme) {
    await window.page.evaluate((name) => localStorage.setItem('dozor.theme', name), theme)
    await window.page.reload()
    await window.live()
    await window.page.keyboard.press('Shift')
  }
  // What the pointer or a tip covers is not part of it.
  await window.page.mouse.move(0, 0)
  await window.page.waitForTimeout(600)
  await window.page.screenshot({ path: join(pictures, `${name}.png`) })
}

/** Two thirds of the panels armed; an alarm of each kind from so many. */
async function fill(window) {
  const api = await station.api(3)
  const panels = await window.panels()
  await until('all panels are read', async () => (await window.panels()).every((panel) => panel.state?.link === 'up'), 120_000)
  const armed = []
  for (let n = 1; n <= sites; n++) {
    if (n % 3 === 0) continue
    const zone = await station.instantZone(n)
    await station.act(n, `partitions/${zone.partition}/arm`)
    const { zones } = await station.panel(n)
    const second = zones.find((found) => found.partition === zone.partition && found.reaction === zone.reaction && found.number !== zone.number)
    armed.push({ n, zone: zone.number, partition: zone.partition, second: second?.number })
  }
  for (const [i, panel] of panels.entries()) {
    for (const [kind, text] of reports) await api('POST', '/api/alarms', { site_id: panel.site.id, kind, text })
    if (i % 2 === 0) await station.act(i + 1, 'trouble/mains')
    if (i % 3 === 0) await station.act(i + 1, 'trouble/battery')
  }
  for (const { n, zone, partition } of armed.filter((_, i) => i % 4 === 0)) {
    await until(`panel ${n} is armed`, async () => (await station.panel(n)).partitions.find((found) => found.number === partition).phase === 'armed', 30_000)
    await station.violate(n, zone)
    await station.restore(n, zone)
  }
  // A second line speaks at one of them: that is a confirmed one.
  await station.violate(armed[4].n, armed[4].second)
  for (const n of [8, 17]) await station.act(n, 'link/drop')
}

atStation('pictures', { sites }, () => {
  inWindows('made for the documents', [{ user: 0, ...wide }, { user: 1, ...wide }], async (window, other) => {
    const { page } = window
    const entrance = await Window.open(browser, station, results, { signIn: false, ...wide })
    await entrance.page.evaluate(() => localStorage.setItem('dozor.theme', 'light'))
    await entrance.page.reload()
    await picture(entrance, 'sign-in-light')
    await entrance.close()

    await fill(window)
    await page.waitForTimeout(3_000)
    for (let i = 0; i < 3; i++) {
      await other.page.keyboard.press('Space')
      await other.opened('claimed')
    }
    await page.keyboard.press('Space')
    await window.opened('claimed')
    await station.act(1, 'partitions/1/panic')
    await page.locator('.rows .row.p1').first().waitFor()
    await page.keyboard.press('Home')
    await picture(window, 'storm-dark')

    // The hold-up, led to its middle.
    await page.keyboard.press('Space')
    // The alarm that was open before is claimed, too.
    await page.locator('[data-testid=alarm][data-state=claimed]:not([data-pending])', { hasText: 'Napad, alarm z klawiatury' }).waitFor()
    await page.keyboard.press('a')
    await window.opened('acknowledged')
    await page.keyboard.press('n')
    await page.keyboard.type('Policja powiadomiona 112, patrol GI-4 w drodze. Na salę nie dzwonić.')
    await page.keyboard.press('Control+Enter')
    await page.getByTestId('timeline').getByText('Policja powiadomiona').waitFor()
    const alarm = page.url().split('#')[1]

    await visit(page, '#/panels')
    await picture(window, 'panels-dark')
    const { panels } = await window.get('/api/panels?limit=1')
    await visit(page, `#/panels/${panels[0].id}`)
    await window.panelReady(panels[0].site.name)
    await picture(window, 'panel-dark')
    await visit(page, '#/status')
    await picture(window, 'status-dark')

    await visit(page, `#${alarm}`)
    await until('the flood is over', async () => (await page.getByTestId('flood').count()) === 0, 200_000)
    await page.keyboard.press('Home')
    await picture(window, 'alarm-dark')
    await picture(window, 'alarm-light', 'light')
    await visit(page, '#/panels')
    await picture(window, 'panels-light')
    await visit(page, '#/alarms')
    await picture(window, 'queue-light')
    await picture(window, 'queue-dark', 'dark')

    await page.setViewportSize({ width: 960, height: 540 })
    await visit(page, `#${alarm}`)
    await picture(window, 'zoom-200-dark')
    await page.setViewportSize(wide)

    const hand = await Window.open(browser, station, results, { user: 2, ...phone })
    await picture(hand, 'phone-queue-dark')
    await hand.page.locator('.rows .row').first().click()
    await hand.page.getByTestId('alarm').waitFor()
    await picture(hand, 'phone-alarm-dark')
    await picture(hand, 'phone-alarm-light', 'light')
    await hand.close()

    await visit(page, `#${alarm}`)
    station.freeze()
    await window.banner.waitFor()
    await page.waitForTimeout(6_000)
    await picture(window, 'degraded-dark')
    station.thaw()
    await window.live(20_000)
  })
})

atStation('pictures of the control room', { full: true }, () => {
  test('made for the documents', { timeout: 200_000 }, async () => {
    const page = await openRoom()
    await page.locator('tr[data-kind=api] .room-seen-as', { hasText: 'strumień słychać' }).nth(1).waitFor()
    await breakBoth(page)
    await holdUp(page)
    await page.evaluate(() => document.activeElement.blur())
    await page.screenshot({ path: join(pictures, 'control-room-dark.png') })
    await page.close()
  })
})
