// The console at work: an alarm's whole way by keys, races, a server that freezes or dies,
// panels, languages, themes and the people who sit there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armed, assertDead, atStation, browser, finish, house, inWindows, jeweller, pharmacy, raise, results, school, station, warehouse } from './harness.mjs'
import { axeFindings, dialogs, places, visit } from './pages.mjs'
import { until } from './station.mjs'
import { Window } from './window.mjs'

atStation('console', {}, () => {
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
    await page.keyboard.press('d')
    await until('the number of the first contact can be dialled', () => page.evaluate(() => document.activeElement.href?.startsWith('tel:+48')))

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

    await page.locator('[data-tab=closed]').press('Enter')
    await page.locator('.row.past').filter({ hasText: zone.site }).first().waitFor()
    await window.shot('history')
    await station.disarm(jeweller, zone.partition)
  })

  inWindows('two windows race for one claim: one wins, the other learns who and keeps its words', [{ user: 0 }, { user: 1, lang: 'en' }], async (one, two, t) => {
    const zone = await armed(one, pharmacy)
    await Promise.all([raise(one, pharmacy, zone), two.row(zone).waitFor({ state: 'attached' })])
    for (const window of [one, two]) {
      await window.openByKeys(zone)
      const { page } = window
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
    assert.match(notice, loser === one ? /Wcześniej.*Twój tekst został/ : /Earlier.*Your text is kept/)
    await loser.shot('race-lost')
    await loser.page.keyboard.press('n')
    assert.equal(await loser.page.locator('.alarm-form textarea').inputValue(), 'nie zgub tego')

    for (const { page } of [one, two]) await page.unroute('**/api/alarms/*/claim')
    await finish(winner, zone)
    await station.disarm(pharmacy, zone.partition)
  })

  inWindows('a frozen server: the banner in time, dead buttons, and back without a reload', [{}, { user: 1, lang: 'en' }], async (window, english, t) => {
    const { page } = window
    const first = await armed(window, school)
    await raise(window, school, first)
    await window.openByKeys(first)
    await page.keyboard.press('n')
    await page.keyboard.type('pisane podczas przerwy')
    const next = await armed(window, warehouse)
    await page.evaluate(() => (document.body.dataset.sameDocument = 'yes'))

    await Promise.all([window.noteLoss(), english.noteLoss()])
    const began = Date.now()
    station.freeze()
    let meanwhile
    try {
      for (const { page, banner } of [window, english]) {
        await banner.waitFor({ timeout: 5_000 })
        const took = (await page.evaluate(() => window.lossSaidAt)) - began
        t.diagnostic(`said ${took} ms after the freeze`)
        assert.ok(took <= 3_000, `it was said after ${took} ms`)
      }
      assert.match(await window.banner.innerText(), /^Brak połączenia z serwerem/)
      assert.match(await english.banner.innerText(), /^No connection to the server/)
      await assertDead(english, 1)
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
    await window.open(zone)
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
    assert.ok((await page.getByTestId('urgent').textContent()).includes(other.site), 'the band shows the most urgent')
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

  const narrow = {
    'on a phone': { width: 360, height: 740, scheme: 'light' },
    // What is left of 1440 by 900 when everything is twice as large.
    'at 200 %': { width: 720, height: 450 },
  }
  for (const [where, size] of Object.entries(narrow)) {
    for (const lang of ['pl', 'en']) {
      inWindows(`nothing needs sideways scrolling ${where}, in ${lang}`, [{ ...size, lang, user: 3 }], async (window) => {
        const { page } = window
        const zone = await armed(window, pharmacy)
        await raise(window, pharmacy, zone)
        const fits = async (what) => {
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} is too wide`)
          await window.shot(`narrow-${lang}-${size.width}-${what.replaceAll(/\W+/g, '')}`)
        }
        for (const place of places) {
          await visit(page, place)
          await fits(place)
        }
        await visit(page, '#/alarms')
        await window.open(zone)
        await fits('alarm')
        for (const form of ['note', 'resolve', 'pause']) await page.locator(`[data-step=${form}]`).first().waitFor({ state: 'attached' })
        assert.ok((await page.getByTestId('urgent').textContent()).includes(zone.site))
        const [site, button, counters] = await Promise.all(['.urgent-site b', '.urgent .button', '.counters'].map((part) => page.locator(part).boundingBox()))
        assert.ok(site.width >= 80, `the urgent line has ${site.width} pixels for where it is`)
        const beside = button.x + button.width <= counters.x || button.y + button.height <= counters.y
        assert.ok(beside, 'the button lies over the counters')
        await page.locator('[data-testid=next-step] button').scrollIntoViewIfNeeded()
        const step = await page.locator('[data-testid=next-step] button').boundingBox()
        assert.ok(await page.evaluate(({ x, y, width, height }) => document.elementFromPoint(x + width / 2, y + height / 2)?.closest('[data-testid=next-step]'), step), 'the next step is covered')
        await visit(page, '#/alarms')
        await finish(window, zone)
        await station.disarm(pharmacy, zone.partition)
      })
    }
  }

  inWindows('an event that nobody can read is found, read, replayed and dismissed', [{ user: 3 }, { user: 0 }], async (admin, operator) => {
    const { page } = admin
    const site = (await admin.panels())[school - 1].site.name
    const { key } = await station.act(school, 'unreadable')
    const letters = async (state) => (await admin.get(`/api/dead-letters?state=${state}`)).dead_letters.filter((letter) => letter.key === key)
    // The operators hear of it; what is to be done about it is the administrator's.
    await operator.row({ site, name: 'Nieczytelne zdarzenie' }).waitFor()
    await operator.page.keyboard.press('Control+k')
    await operator.page.locator('.palette-input').fill('nieczytelne')
    await operator.page.locator('.palette-hit').filter({ hasText: site }).waitFor()
    assert.equal(await operator.page.locator('.palette-hit').filter({ hasText: 'Nieczytelne zdarzenia' }).count(), 0)
    await operator.page.keyboard.press('Escape')

    await page.keyboard.press('Control+k')
    await page.locator('.palette-input').fill('nieczytelne zdarzenia')
    await page.locator('.palette-hit[aria-selected=true]').filter({ hasText: 'Nieczytelne zdarzenia' }).waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.pane-head').getByText('Nieczytelne zdarzenia').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('e')
    await page.locator('.pane-head').getByText('Zdarzenia', { exact: true }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('d')
    await page.locator('.table').getByRole('link', { name: site }).focus()
    await page.keyboard.press('Enter')
    const state = page.getByTestId('letter-state')
    await state.getByText('czeka').waitFor()
    await page.getByText('version 99 is not known').last().waitFor()
    assert.equal(await page.getByTestId('payload').count(), 0, 'nobody reads it by accident')
    await page.getByRole('button', { name: 'Pokaż treść' }).click()
    await page.getByTestId('payload').getByText('of a later version').waitFor()
    assert.deepEqual(await axeFindings(page), [])
    await admin.shot('letter')

    const rings = await admin.get('/api/alarms?state=open')
    await page.getByRole('button', { name: 'Ponów', exact: true }).click()
    await page.locator('.sheet button[type=submit]').click()
    await until('it failed again', async () => (await letters('open'))[0]?.seen === 2)
    await state.getByText('czeka').waitFor()
    assert.deepEqual((await admin.get('/api/alarms?state=open')).alarms, rings.alarms, 'and rang nobody again')

    await page.locator('.pane-head').getByRole('button', { name: 'Ponów wszystkie' }).click()
    await page.locator('.sheet').getByRole('button', { name: 'Ponów wszystkie' }).click()
    await page.getByTestId('replay-outcome').getByText('Zakończone').waitFor()
    assert.deepEqual(await axeFindings(page), [])
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: 'Odrzuć', exact: true }).click()
    await page.locator('.sheet :focus').waitFor()
    await page.keyboard.type('próba odczytu')
    await page.locator('.sheet button[type=submit]').click()
    await state.getByText('odrzucone').waitFor()
    await page.locator('.beside-list').getByText('Nic nie czeka').waitFor()
    assert.equal((await letters('dismissed'))[0].note, 'próba odczytu')
    await finish(operator, { site, name: 'Nieczytelne zdarzenie' })
  })

  for (const theme of ['dark', 'light']) {
    inWindows(`every page and dialog in the ${theme} theme keeps the rules of accessibility`, [{ user: 3 }], async (window) => {
      const { page } = window
      await page.evaluate((name) => localStorage.setItem('dozor.theme', name), theme)
      await page.reload()
      await window.live()
      const findings = []
      const check = async (what) => {
        for (const finding of await axeFindings(page)) findings.push(`${what} ${finding}`)
        await window.shot(`${theme}-${what.replaceAll(/\W+/g, '')}`)
      }
      for (const place of places) {
        await visit(page, place)
        await check(place)
      }
      for (const [what, place, open] of dialogs) {
        await visit(page, place)
        await open(page)
        await page.locator('.sheet').waitFor()
        await check(what)
        await page.keyboard.press('Escape')
        await page.locator('.sheet').waitFor({ state: 'detached' })
      }

      await visit(page, '#/alarms')
      const zone = await armed(window, school)
      await raise(window, school, zone)
      await check('queue')
      await window.openByKeys(zone)
      await check('alarm new')
      await page.keyboard.press('c')
      await window.opened('claimed')
      for (const key of ['n', 'w', 'd']) {
        await page.keyboard.press(key)
        await page.locator(key === 'd' ? '[data-testid=revealed]' : '.alarm-form').waitFor()
        await check(`alarm ${key}`)
        if (key !== 'd') await page.keyboard.press('Escape')
      }
      await page.keyboard.press('a')
      await window.opened('acknowledged')
      await page.keyboard.press('r')
      await page.locator('.alarm-form').waitFor()
      await check('alarm outcome')
      await page.keyboard.press('Escape')
      station.freeze()
      try {
        await window.banner.waitFor()
        await check('degraded')
      } finally {
        station.thaw()
      }
      await window.live(15_000)
      await finish(window, zone)
      await station.disarm(school, zone.partition)
      assert.deepEqual(findings, [])
    })
  }

  test('the way in keeps the rules of accessibility in both themes', async () => {
    const window = await Window.open(browser, station, results, { signIn: false })
    const findings = []
    for (const theme of ['dark', 'light']) {
      await window.page.evaluate((name) => localStorage.setItem('dozor.theme', name), theme)
      await window.page.reload()
      await window.page.locator('input[name=login]').waitFor()
      findings.push(...(await axeFindings(window.page)))
    }
    await window.page.keyboard.type(window.user.login)
    await window.page.keyboard.press('Tab')
    await window.page.keyboard.type(window.user.password)
    await window.page.keyboard.press('Enter')
    await window.page.locator('[data-played=yes] [data-answer=heard]:focus').waitFor()
    findings.push(...(await axeFindings(window.page)))
    await window.close()
    assert.deepEqual(findings, [])
  })

  inWindows('G and a letter leads to every page, Ctrl+K to everything, and single keys can be switched off', [{ lang: 'en' }], async (window) => {
    const { page } = window
    const at = (hash) => until(`it is at ${hash}`, () => page.evaluate((wanted) => location.hash === wanted, hash))
    for (const [letter, hash] of Object.entries({ p: '#/panels', s: '#/sites', e: '#/events', i: '#/status', o: '#/settings', a: '#/alarms' })) {
      await page.keyboard.press('g')
      await page.keyboard.press(letter)
      await at(hash)
    }
    await page.keyboard.press('?')
    assert.match(await page.locator('.sheet').innerText(), /Keys[^]*claim the most urgent[^]*next contact/)
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    const { site } = (await window.panels())[school - 1]
    await page.keyboard.type(site.name.slice(0, 6).toLowerCase())
    await page.locator('.palette-hit').filter({ hasText: site.name }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.sheet').waitFor({ state: 'detached' })

    await visit(page, '#/settings')
    await page.getByRole('radio', { name: 'off', exact: true }).press('Space')
    const zone = await armed(window, house)
    await visit(page, '#/alarms')
    await raise(window, house, zone)
    const before = window.changes.length
    for (const key of ['Space', 'j', 'c', 'g', 'p', '?', 'm']) await page.keyboard.press(key)
    assert.deepEqual([window.changes.slice(before), await page.evaluate(() => location.hash), await page.locator('.sheet').count()], [[], '#/alarms', 0])
    for (let i = 0; i < 30 && !(await window.row(zone).evaluate((row) => row.classList.contains('cursor'))); i++) await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await window.opened('new')
    await visit(page, '#/settings')
    await page.getByRole('radio', { name: 'on', exact: true }).press('Space')
    await visit(page, '#/alarms')
    await finish(window, zone)
    await station.disarm(house, zone.partition)
  })

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
    // A claim of the version before the restore would be refused, and rightly so.
    await window.row(zone).getByText('×2').waitFor()
    await page.locator('body').click({ position: { x: 700, y: 5 } })
    await page.keyboard.press('Space')
    await window.opened('claimed')
    assert.match(await page.getByTestId('alarm').innerText(), /BURGLARY/)
    await page.keyboard.press('w')
    await page.keyboard.type('the owner calls back')
    await page.keyboard.press('Control+Enter')
    await page.getByText('paused, back').waitFor()
    // The frame may be here before the answer to the step, which takes no other meanwhile.
    await window.opened('claimed')
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
})
