// A browser window of an operator, watched for everything that must never happen: a
// violation of the content policy, an error of the page, a request to another host.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { until } from './station.mjs'

export class Window {
  static async open(browser, station, results, { user = 0, width = 1440, height = 900, scheme = 'dark', signIn = true, heard = true, lang = 'pl', url = station.url } = {}) {
    const window = new Window()
    window.station = station
    window.url = url
    window.results = results
    window.user = station.user(user)
    window.heard = heard
    window.violations = []
    window.strangers = []
    window.errors = []
    window.changes = []
    window.context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: 'pl-PL', timezoneId: 'America/Lima' })
    await window.context.exposeBinding('reportViolation', (_, text) => window.violations.push(text))
    // Chosen once, as somebody at the desk does; what is chosen later stays.
    await window.context.addInitScript((chosen) => localStorage.getItem('dozor.language') ?? localStorage.setItem('dozor.language', chosen), lang)
    await window.context.addInitScript(() => {
      const { start } = OscillatorNode.prototype
      window.tonesBegun = 0
      OscillatorNode.prototype.start = function (...how) {
        window.tonesBegun++
        return start.apply(this, how)
      }
      addEventListener('securitypolicyviolation', (event) => window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))
    })
    window.page = await window.context.newPage()
    window.#watch()
    try {
      await window.page.goto(url)
      if (signIn) await window.signIn()
    } catch (error) {
      await window.shot('failed-to-open')
      await window.context.close()
      throw error
    }
    return window
  }

  #watch() {
    const origin = new URL(this.url)
    this.page.on('request', (request) => {
      const url = new URL(request.url())
      if (!['data:', 'blob:'].includes(url.protocol) && url.host !== origin.host) this.strangers.push(request.url())
      if (request.method() !== 'GET') this.changes.push(`${request.method()} ${url.pathname}`)
    })
    this.page.on('websocket', (socket) => {
      if (new URL(socket.url()).host !== origin.host) this.strangers.push(socket.url())
    })
    this.page.on('pageerror', (error) => this.errors.push(error.stack ?? error.message))
    this.page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) this.violations.push(message.text())
    })
  }

  async signIn() {
    const { page } = this
    await page.locator('input[name=login]').waitFor()
    await page.keyboard.type(this.user.login)
    await page.keyboard.press('Tab')
    await page.keyboard.type(this.user.password)
    await page.keyboard.press('Enter')
    // The second step: whether this desk can be heard.
    await page.locator('[data-played=yes] [data-answer=heard]:focus').waitFor()
    if (this.heard) {
      await page.keyboard.press('Enter')
    } else {
      await page.keyboard.press('n')
      await page.locator('[data-answer=without]').click()
    }
    await this.live()
  }

  /** Waits until the window says that it is live. */
  async live(limit = 10_000) {
    await this.page.locator('.link-state[data-phase=live]').waitFor({ state: 'attached', timeout: limit })
  }

  /** The row of an open alarm: of this site, with this text. */
  row({ site, name }) {
    return this.page.locator('.rows .row').filter({ hasText: site }).filter({ hasText: name })
  }

  /** Waits until the alarm that is open is in a state, and no step on it is on its way. */
  async opened(state, limit = 5_000) {
    await this.page.locator(`[data-testid=alarm][data-state=${state}]:not([data-pending])`).waitFor({ timeout: limit })
  }

  /** Opens an alarm by a click on its row. */
  async open(zone) {
    const id = await this.row(zone).getAttribute('data-id')
    await this.row(zone).click()
    await this.shows(id)
  }

  /** Waits until an alarm is the one that is open: another may have been. */
  async shows(id) {
    await this.page.locator(`[data-testid=alarm][data-id="${id}"]`).waitFor()
  }

  /** Goes to an alarm's row and opens it, by keys alone. */
  async openByKeys(zone) {
    const row = this.row(zone).first()
    const chosen = () => row.evaluate((element) => element.classList.contains('cursor'))
    for (const key of ['k', 'j']) {
      for (let i = 0; i < 30 && !(await chosen()); i++) await this.page.keyboard.press(key)
    }
    assert.ok(await chosen(), `the keys do not reach ${zone.site}`)
    const id = await row.getAttribute('data-id')
    await this.page.keyboard.press('Enter')
    await this.shows(id)
  }

  /** Lets the page itself note the instant at which it says that the link is lost. */
  noteLoss() {
    return this.page.evaluate(() => {
      window.lossSaidAt = undefined
      const seen = new MutationObserver(() => {
        if (!document.querySelector('[data-testid=banner]')) return
        window.lossSaidAt = Date.now()
        seen.disconnect()
      })
      seen.observe(document.body, { childList: true, subtree: true })
    })
  }

  get banner() {
    return this.page.getByTestId('banner')
  }

  get(path) {
    return this.context.request.get(this.station.url + path).then(async (response) => {
      assert.ok(response.ok(), `GET ${path}: ${response.status()}`)
      return response.json()
    })
  }

  /** Waits until the station, since it was last started, has a panel's link, and has read the names of its parts. */
  async panelReady(siteName) {
    return until(`${siteName} is connected and read`, async () => {
      const { panels } = await this.get('/api/panels?limit=200')
      const found = panels.find((panel) => panel.site.name === siteName)
      if (found?.state?.link !== 'up' || Date.parse(found.state.answered_at) < this.station.began) return undefined
      const { objects } = await this.get(`/api/panels/${found.id}`)
      return objects.some((object) => object.kind === 'zone') && found
    }, 60_000)
  }

  /** The panels in the order of the simulator's numbers. */
  async panels() {
    const { panels } = await this.get('/api/panels?limit=200')
    return panels.sort((a, b) => a.id - b.id)
  }

  shot(name) {
    return this.page.screenshot({ path: join(this.results, `${name}.png`) })
  }

  /** Closes the window and says what it met that must not be. */
  async close() {
    await this.context.close()
    assert.deepEqual(this.violations, [], 'violations of the content policy')
    assert.deepEqual(this.strangers, [], 'requests that leave the origin')
    assert.deepEqual(this.errors, [], 'errors of the page')
  }
}
