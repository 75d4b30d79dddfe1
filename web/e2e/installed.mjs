// The client as an application of its own: it installs, opens without the server, keeps no
// answer of it, and changes for a newer one only when somebody says so.
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { test } from 'node:test'
import { armed, atStation, browser, finish, inWindows, raise, results, school, station } from './harness.mjs'
import { until } from './station.mjs'
import { Window } from './window.mjs'

/** A way to the station that can be told to have a newer client. */
async function inFront() {
  let edition = ''
  const passOn = (asked, headers) => request({ host: 'localhost', port: new URL(station.url).port, method: asked.method, path: asked.url, headers })
  const server = createServer((asked, answer) => {
    const on = passOn(asked, { ...asked.headers, 'accept-encoding': 'identity' })
    on.on('error', () => answer.destroy())
    on.on('response', (response) => {
      if (asked.url !== '/sw.js') {
        answer.writeHead(response.statusCode, response.headers)
        response.pipe(answer)
        return
      }
      const { 'content-length': _, etag: __, ...headers } = response.headers
      answer.writeHead(response.statusCode, headers)
      response.on('data', (piece) => answer.write(piece.toString().replace(/const VERSION = "/, `$&${edition}`)))
      response.on('end', () => answer.end())
    })
    asked.pipe(on)
  })
  server.on('upgrade', (asked, socket, head) => {
    const on = passOn(asked, asked.headers)
    on.on('error', () => socket.destroy())
    on.on('upgrade', (response, other) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`)
      other.write(head)
      other.pipe(socket).pipe(other)
      for (const end of [other, socket]) end.on('error', () => (other.destroy(), socket.destroy()))
    })
    on.end()
  })
  await new Promise((resolve) => server.listen(0, 'localhost', resolve))
  return {
    url: `http://localhost:${server.address().port}`,
    publish: (name) => (edition = name),
    close: () => (server.closeAllConnections(), server.close()),
  }
}

/** Waits until the service worker answers for the page. */
const controlled = (page) => until('a service worker is in charge', () => page.evaluate(() => navigator.serviceWorker.controller !== null))

const kept = (page) => page.evaluate(async () => {
  const found = {}
  for (const name of await caches.keys()) found[name] = (await (await caches.open(name)).keys()).map((asked) => new URL(asked.url).pathname)
  return found
})

atStation('installed', {}, () => {
  inWindows('it can be installed, opens without the server and keeps none of its answers', [{}], async (window) => {
    const { page } = window
    await controlled(page)
    const session = await window.context.newCDPSession(page)
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors')
    // Windows of a test are private ones; nothing else may be wrong.
    assert.deepEqual(installabilityErrors.map((error) => error.errorId).filter((id) => id !== 'in-incognito'), [])
    assert.deepEqual((await session.send('Page.getAppManifest')).errors, [])

    for (const hash of ['#/sites', '#/events', '#/status', '#/panels/1']) {
      await page.evaluate((to) => (location.hash = to), hash)
      await page.locator('.pane:visible').first().waitFor()
    }
    const caches = await kept(page)
    assert.equal(Object.keys(caches).length, 1)
    const [files] = Object.values(caches)
    assert.ok(files.includes('/') && files.some((path) => path.endsWith('.css')))
    assert.deepEqual(files.filter((path) => path.startsWith('/api')), [])

    await station.kill()
    await page.reload()
    await page.getByText('Brak połączenia z serwerem').first().waitFor()
    await window.shot('without-server')
    assert.equal(await page.locator('.row, .cell').count(), 0, 'alarms are shown that nobody knows of now')
    await page.evaluate(() => (document.body.dataset.sameDocument = 'yes'))
    await station.run()
    await window.live(30_000)
    assert.equal(await page.evaluate(() => document.body.dataset.sameDocument), 'yes', 'the page was reloaded')
  })

  test('a newer client waits until the operator says so, and not while an alarm is in work', { timeout: 120_000 }, async () => {
    const front = await inFront()
    const window = await Window.open(browser, station, results, { url: front.url })
    const { page } = window
    try {
      await controlled(page)
      const [first] = Object.keys(await kept(page))
      await page.evaluate(() => (document.body.dataset.sameDocument = 'yes'))

      front.publish('newer')
      await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update())
      await page.getByTestId('update').waitFor()
      assert.equal(await page.evaluate(() => document.body.dataset.sameDocument), 'yes', 'it changed by itself')
      const zone = await armed(window, school)
      await raise(window, school, zone)
      await page.keyboard.press('Space')
      await window.opened('claimed')
      await page.getByTestId('update').click()
      const load = page.locator('.sheet').getByRole('button', { name: 'Wczytaj' })
      assert.ok(await load.isDisabled(), 'an alarm in work would lose its desk')
      await page.keyboard.press('Escape')
      await finish(window, zone)
      await page.getByTestId('update').click()
      await load.click()
      await until('it was loaded anew', async () => (await page.evaluate(() => document.body.dataset.sameDocument)) === undefined)
      await window.live()
      const caches = await kept(page)
      assert.ok(Object.keys(caches).some((name) => name !== first && name.includes('newer')), `kept: ${Object.keys(caches)}`)
      await station.disarm(school, zone.partition)
      await window.close()
    } finally {
      front.close()
    }
  })
})
