// Who is called, and how: sound that the browser refuses, two windows at one desk, a
// station that nobody hears, a pause that ends, a stream that begins anew.
import assert from 'node:assert/strict'
import { armed, atStation, finish, inWindows, jeweller, pharmacy, raise, school, station } from './harness.mjs'
import { until } from './station.mjs'

/** Tones that a page has begun since it was loaded. */
const tones = (page) => page.evaluate(() => window.tonesBegun)

/** Waits until a page plays; says how many tones it began meanwhile. */
async function plays(page, limit = 10_000) {
  const before = await tones(page)
  return until('the page plays', async () => (await tones(page)) > before, limit)
}

/** What sounds here, by the word of the header: on, off, elsewhere, muted, not-heard. */
const sound = (page, state) => page.locator(`[data-sound=${state}]`).waitFor({ timeout: 10_000 })

atStation('attention', { deskGrace: '10s' }, () => {
  inWindows('a browser that refuses to play: said in red until a key lets it, then it rings', [{}], async (window) => {
    const zone = await armed(window, jeweller)
    // A window that nobody has touched yet: the browser lets nothing sound in it.
    const page = await window.context.newPage()
    await window.page.close()
    await page.goto(station.url)
    await page.locator('.link-state[data-phase=live]').waitFor()
    await sound(page, 'off')
    assert.match(await page.locator('[data-sound=off]').innerText(), /DŹWIĘK WYŁĄCZONY — kliknij/)
    window.page = page
    await raise(window, jeweller, zone, 4_000)
    await window.shot('sound-refused')
    assert.equal(await tones(page), 0)

    // Nobody else sits here: after the grace time the station itself calls for help.
    await page.locator('[data-fault=nobody_watches]').waitFor({ timeout: 25_000 })
    assert.equal(await tones(page), 0)

    await page.keyboard.press('j')
    await sound(page, 'on')
    await plays(page)
    await page.locator('[data-fault=nobody_watches]').waitFor({ state: 'detached', timeout: 25_000 })
    await finish(window, zone)
    await station.disarm(jeweller, zone.partition)
  })

  inWindows('two windows at one desk: one sounds, and when it goes the other does', [{}], async (window) => {
    const { page: first } = window
    const zone = await armed(window, pharmacy)
    const second = await window.context.newPage()
    await second.goto(station.url)
    await second.locator('.link-state[data-phase=live]').waitFor()
    await second.keyboard.press('j')
    await sound(first, 'on')
    await sound(second, 'elsewhere')

    await raise(window, pharmacy, zone)
    await plays(first)
    const quiet = await tones(second)
    await plays(first)
    assert.equal(await tones(second), quiet, 'both windows sounded')

    await first.close()
    window.page = second
    await sound(second, 'on')
    await plays(second)
    await finish(window, zone)
    await station.disarm(pharmacy, zone.partition)
  })

  inWindows('a muted desk is silent and says so, but a new P1 rings all the same', [{ lang: 'en' }], async (window) => {
    const { page } = window
    const zone = await armed(window, pharmacy)
    await raise(window, pharmacy, zone)
    await plays(page)
    await page.keyboard.press('m')
    await sound(page, 'muted')
    assert.match(await page.locator('[data-sound=muted]').innerText(), /Muted for \d+ s more/)
    const quiet = await tones(page)
    // A P2 that nobody has sounds each five seconds.
    await page.waitForTimeout(6_000)
    assert.equal(await tones(page), quiet, 'a muted desk sounded')

    const holdUp = { site: (await window.panels())[jeweller - 1].site.name, name: 'hold-up' }
    await station.act(jeweller, 'partitions/1/panic')
    await window.row(holdUp).waitFor({ state: 'attached', timeout: 4_000 })
    await plays(page, 3_000)
    await sound(page, 'muted')
    await finish(window, holdUp)
    await page.locator('[data-sound=muted]').click()
    await sound(page, 'on')
    await plays(page)
    await finish(window, zone)
    await station.disarm(pharmacy, zone.partition)
  })

  inWindows('nobody can hear: every open screen says so, loudly, until somebody can', [{ user: 0, heard: false }, { user: 2, heard: false, lang: 'en' }], async (one, two) => {
    for (const { page } of [one, two]) {
      await page.locator('[data-testid=station-band][data-loud=true] [data-fault=nobody_watches]').waitFor({ timeout: 25_000 })
      await page.locator('.rows .row.p1').filter({ hasText: 'Stacja monitorowania' }).waitFor()
      await sound(page, 'not-heard')
    }
    assert.match(await one.page.getByTestId('station-band').innerText(), /NIKT NIE CZUWA/)
    assert.match(await two.page.getByTestId('station-band').innerText(), /NOBODY WATCHES/)
    await one.shot('nobody-watches')

    await one.page.getByTestId('station-band').getByRole('button').click()
    await one.page.locator('[data-testid=station-band][data-loud=false]').waitFor()
    assert.equal(await two.page.getByTestId('station-band').getAttribute('data-loud'), 'true', 'it is quieter on one desk only')

    await two.page.locator('[data-sound=not-heard]').click()
    await two.page.locator('[data-played=yes] [data-answer=heard]:focus').waitFor()
    await two.page.keyboard.press('Enter')
    for (const { page } of [one, two]) await page.getByTestId('station-band').waitFor({ state: 'detached', timeout: 25_000 })
    await finish(two, { site: 'Stacja monitorowania', name: '' })
  })

  inWindows('a paused alarm comes back loudly, over a restart and another epoch of the stream', [{}], async (window, t) => {
    const { page } = window
    const zone = await armed(window, school)
    await raise(window, school, zone)
    await page.keyboard.press('Space')
    await window.opened('claimed')
    await page.keyboard.press('w')
    await page.locator('input[type=number]').fill('1')
    await page.locator('.alarm-form textarea').fill('właściciel oddzwoni')
    const paused = performance.now()
    await page.keyboard.press('Control+Enter')
    await page.locator('.alarm-form').waitFor({ state: 'detached' })
    await page.evaluate(() => (document.body.dataset.sameDocument = 'yes'))
    const { stream } = await window.get('/api/alarms')

    await station.kill()
    await window.banner.waitFor({ timeout: 5_000 })
    // It finds the station again only when the stream has begun anew.
    await page.route('**/api/ws/ticket', (route) => route.abort())
    await station.run()
    await station.resetStream()
    await until('another epoch', async () => (await window.get('/api/alarms')).stream.epoch > stream.epoch)
    await page.unroute('**/api/ws/ticket')
    await window.live(20_000)
    await window.row(zone).waitFor({ state: 'attached' })
    assert.equal(await page.evaluate(() => document.body.dataset.sameDocument), 'yes', 'the page was reloaded')

    const other = await armed(window, jeweller)
    await raise(window, jeweller, other, 4_000)
    await finish(window, other)
    assert.ok(performance.now() - paused < 55_000, 'it is still paused')
    await page.waitForTimeout(3_000)
    const before = await tones(page)
    await until('it rings again', async () => (await tones(page)) > before, 60_000)
    t.diagnostic(`rang ${Math.round((performance.now() - paused) / 100) / 10} s after it was paused for 60 s`)
    assert.ok(performance.now() - paused > 59_000, 'it rang before its time')
    await window.row(zone).filter({ has: page.locator('.tag.strong') }).waitFor()
    await window.shot('pause-over')
    await finish(window, zone)
    await station.disarm(school, zone.partition)
  })
})
