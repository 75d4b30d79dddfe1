// Sites, contacts, panels and people, kept in the browser by somebody who may, with input
// that is wrong at first.
import assert from 'node:assert/strict'
import { atStation, browser, inWindows, results, station } from './harness.mjs'
import { visit } from './pages.mjs'
import { Window } from './window.mjs'

/** The dialog that is open. */
const sheet = (page) => page.locator('.sheet')
const field = (page, label) => sheet(page).getByLabel(label, { exact: true })

async function send(page) {
  await sheet(page).locator('button[type=submit]').click()
}

async function saved(page) {
  await send(page)
  await sheet(page).waitFor({ state: 'detached' })
}

atStation('keeping', {}, () => {
  inWindows('a site with a contact and a panel is added, and what is wrong is said in words', [{ user: 3 }], async (window) => {
    const { page } = window
    await visit(page, '#/sites')
    await page.getByRole('button', { name: 'Nowy obiekt' }).click()
    await field(page, 'Nazwa').fill('Przychodnia „Pod Gruszą”, Łąkowa 3')
    await field(page, 'Ulica i numer').fill('ul. Łąkowa 3')
    await field(page, 'Szerokość geograficzna').fill('pięćdziesiąt')
    await sheet(page).getByText('Podaj liczbę, na przykład 51,7592').waitFor()
    await field(page, 'Szerokość geograficzna').fill('51,7592')
    await field(page, 'Długość geograficzna').fill('19,45')
    await saved(page)
    await page.locator('.detail-head').getByText('Przychodnia „Pod Gruszą”, Łąkowa 3').waitFor()

    await page.getByRole('button', { name: 'Dodaj kontakt' }).click()
    await field(page, 'Imię i nazwisko').fill('Żaneta Źdźbło')
    await field(page, 'Telefon').fill('zadzwoń')
    await send(page)
    await sheet(page).getByRole('alert').waitFor()
    await field(page, 'Telefon').fill('+48 500 600 700')
    await saved(page)
    const contact = page.locator('.line.keeps').filter({ hasText: 'Żaneta Źdźbło' })
    assert.doesNotMatch(await contact.innerText(), /600/)
    await contact.getByRole('button', { name: 'Pokaż numer' }).click()
    await contact.getByTestId('revealed').getByText('+48 500 600 700').waitFor()
    await window.shot('contact')

    await page.getByRole('button', { name: 'Dodaj centralę' }).click()
    await field(page, 'Nazwa').fill('GRUSZA')
    await field(page, 'Adres modułu ETHM-1').fill('127.0.0.1')
    await field(page, 'Kod użytkownika').fill('1234')
    await field(page, 'Port').fill('70000')
    await sheet(page).getByText('Podaj liczbę').waitFor()
    const look = sheet(page).getByRole('button', { name: 'Sprawdź połączenie' })
    assert.ok(await look.isDisabled())
    await field(page, 'Port').fill('1')
    await look.click()
    await sheet(page).getByText('Pod tym adresem nikt nie odbiera połączeń.').waitFor()
    // A module that another session holds.
    const { panel } = await window.get(`/api/panels/${(await window.panels())[0].id}`)
    await field(page, 'Adres modułu ETHM-1').fill(panel.host)
    await field(page, 'Port').fill(String(panel.port))
    await look.click()
    await sheet(page).getByText('Moduł jest zajęty: ma z nim połączenie inny program albo ta stacja.').waitFor({ timeout: 20_000 })
    await send(page)
    await sheet(page).getByText('Inna centrala ma już ten adres i port.').waitFor()
    await field(page, 'Adres modułu ETHM-1').fill('10.255.255.1')
    await saved(page)
    await page.getByText('GRUSZA').first().waitFor()
    await window.shot('site-kept')
  })

  inWindows('a person is added, signs in, gets another password and is out at once', [{ user: 3, lang: 'en' }], async (window) => {
    const { page } = window
    await visit(page, '#/users')
    await page.getByRole('button', { name: 'New person' }).click()
    await field(page, 'Name').fill('Łucja Żółć')
    await field(page, 'Login').fill(station.user(0).login)
    await field(page, 'Password').fill('bardzo-tajne')
    await send(page)
    await sheet(page).getByRole('alert').waitFor()
    await field(page, 'Login').fill('zolc')
    await saved(page)

    const own = await Window.open(browser, station, results, { signIn: false })
    own.user = { login: 'zolc', password: 'bardzo-tajne' }
    await own.signIn()
    await page.getByRole('link', { name: 'Łucja Żółć' }).click()
    await page.getByRole('button', { name: 'Give a new password' }).click()
    await field(page, 'Password').fill('inne-tajne')
    await saved(page)
    await own.page.locator('input[name=login]').waitFor({ timeout: 3_000 })
    await own.close()
  })
})
