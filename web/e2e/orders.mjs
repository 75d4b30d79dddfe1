// Orders to a panel and the key of its module: what the screen says is held against what the
// simulated panel says of itself.
import assert from 'node:assert/strict'
import { atStation, inWindows, jeweller, pharmacy, station } from './harness.mjs'
import { axeFindings, visit } from './pages.mjs'
import { until } from './station.mjs'

const supervisor = 2
const administrator = 3

atStation('orders', {}, () => {
  inWindows('a zone is bypassed by keys, and an open one is named before arming', [{ user: supervisor }], async (window) => {
    const { page } = window
    const { id, site } = await window.panelReady((await window.panels())[jeweller - 1].site.name)
    const zones = (await station.panel(jeweller)).zones.filter((zone) => zone.partition === 1)
    const bypassed = zones.find((zone) => zone.name.startsWith('Witryna lewa'))
    const open = zones.find((zone) => zone.name.startsWith('Drzwi tylne'))
    const truth = async (number) => (await station.panel(jeweller)).zones.find((zone) => zone.number === number)
    const judge = async (what) => {
      for (const theme of ['light', 'dark']) {
        await page.evaluate((name) => (document.documentElement.dataset.theme = name), theme)
        assert.deepEqual(await axeFindings(page), [], `${what} in the ${theme} theme`)
        await window.shot(`orders-${what}-${theme}`)
      }
    }
    const send = async (state, named = true) => {
      if (named) {
        await page.locator('input[name=confirm]:focus').waitFor()
        await page.keyboard.type(site.name)
      }
      await page.keyboard.press('Control+Enter')
      await page.locator(`[data-testid=order-result][data-state=${state}]`).waitFor({ timeout: 20_000 })
    }
    const leave = async () => {
      await page.keyboard.press('Escape')
      await page.locator('.sheet').waitFor({ state: 'detached' })
    }

    await visit(page, `#/panels/${id}`)
    const menu = page.locator(`[data-zone="${bypassed.number}"]`).getByRole('button')
    await menu.press('Enter')
    await page.getByRole('menuitem', { name: 'Zablokuj…' }).waitFor()
    await window.shot('orders-menu')
    await page.keyboard.press('Enter')
    await send('done')
    await judge('bypassed')
    assert.equal((await truth(bypassed.number)).bypassed, true)
    await leave()
    await page.locator(`[data-zone="${bypassed.number}"][data-look=bypassed]`).waitFor()

    await station.violate(jeweller, open.number)
    await page.locator(`[data-zone="${open.number}"][data-look=violated]`).waitFor()
    await page.locator('[data-partition="1"] button').press('Enter')
    await page.locator(`[data-zone-open="${open.number}"]`).waitFor()
    assert.equal(await page.locator(`[data-zone-open="${bypassed.number}"]`).count(), 0, 'a bypassed zone is in nobody’s way')
    assert.ok((await page.getByTestId('in-the-way').innerText()).includes(open.name))
    await judge('in-the-way')
    await send('refused')
    assert.equal((await station.panel(jeweller)).partitions[0].phase, 'disarmed')
    await judge('arming-refused')
    await page.locator('[data-order=force_arm]').press('Enter')
    await page.locator(`[data-zone-open="${open.number}"]`).waitFor()
    await page.locator('input[name=confirm]:focus').waitFor()
    await judge('force')
    await send('done')
    await until('what is open is left out', async () => (await truth(open.number)).bypassed)
    assert.notEqual((await station.panel(jeweller)).partitions[0].phase, 'disarmed')
    await judge('forced')
    await leave()
    await page.getByRole('tab', { name: 'Polecenia' }).press('Enter')
    await page.getByText('Blokada linii').first().waitFor()
    await judge('told')
    await page.getByRole('tab', { name: 'Zmiany' }).press('Enter')
    await judge('changes')
    await station.restore(jeweller, open.number)

    await station.act(jeweller, 'clock?jump=1200000')
    await page.locator('[data-order=set_clock]').press('Enter') // offered where it is wrong
    await page.locator('.sheet').waitFor()
    await send('done', false)
    await judge('clock')
    await leave()
  })

  inWindows('a module that encrypts is tried with a wrong key and with its own, and a key that stops fitting is said', [{ user: administrator }], async (window) => {
    const { page } = window
    const { id, site, name } = await window.panelReady((await window.panels())[pharmacy - 1].site.name)
    const sheet = page.locator('.sheet')
    const edit = async () => {
      await page.getByRole('button', { name: `Zmień: ${name}`, exact: true }).press('Enter')
      await sheet.waitFor()
    }
    const save = async () => {
      await sheet.locator('button[type=submit]').press('Enter')
      await sheet.waitFor({ state: 'detached' })
    }
    // A module takes one connection: the station's own makes room for that of the form.
    await visit(page, `#/sites/${site.id}`)
    await edit()
    await sheet.getByLabel('Nadzorowana').uncheck()
    await save()
    await until('the station has let go', async () => !(await station.panel(pharmacy)).connected)
    await edit()
    assert.ok(await sheet.getByLabel('Moduł koduje integrację').isChecked())
    await sheet.getByLabel('Kod użytkownika').fill('4711')
    const key = sheet.getByLabel('Klucz kodowania integracji')
    const look = sheet.getByRole('button', { name: 'Sprawdź połączenie' })
    assert.ok(await look.isDisabled(), 'a kept key can’t be tried from here')
    await key.fill('Nie-ten-klucz'.slice(0, 12))
    await look.press('Enter')
    await sheet.getByRole('alert').filter({ hasText: 'klucz' }).waitFor({ timeout: 20_000 })
    assert.deepEqual(await axeFindings(page), [])
    await window.shot('key-wrong')
    await key.fill('Lowicz-Rynek')
    await look.press('Enter')
    await sheet.locator('.probe-found').filter({ hasText: 'INTEGRA' }).waitFor({ timeout: 20_000 })
    assert.deepEqual(await axeFindings(page), [])
    await window.shot('key-right')
    await sheet.getByLabel('Nadzorowana').check()
    await save()

    await visit(page, `#/panels/${id}`)
    await page.getByTestId('panel-facts').getByText('łącze szyfrowane').waitFor()
    await page.locator('[data-testid=panel][data-fresh=true]').waitFor({ timeout: 60_000 })
    await station.act(pharmacy, 'key?key=another&wrong=close')
    await page.getByTestId('panel-link').getByText('klucz kodowania integracji').waitFor({ timeout: 40_000 })
    await page.getByTestId('panel-tries').waitFor()
    assert.deepEqual(await axeFindings(page), [])
    await window.shot('key-changed')
  })
})
