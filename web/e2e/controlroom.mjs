// The control room of the demo of several processes: with the broker dead and Redis frozen
// an alarm comes, and the page is true and within the rules in both languages and themes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atStation } from './harness.mjs'
import { axeFindings } from './pages.mjs'
import { breakBoth, holdUp, openRoom, press } from './room.mjs'

atStation('the control room', { full: true }, () => {
  test('kills, shows the truth, and the alarm comes', { timeout: 200_000 }, async () => {
    const page = await openRoom()
    await page.locator('tr[data-kind=api] .room-seen-as', { hasText: 'gotowy, strumień słychać' }).nth(1).waitFor()
    await breakBoth(page)
    await holdUp(page)
    const kill = page.locator('#rabbitmq button[data-act=kill]')
    assert.equal(await kill.getAttribute('aria-disabled'), 'true')
    assert.equal(await kill.getAttribute('aria-label'), 'Zabij: RabbitMQ')
    assert.match(await page.locator('[data-gauge="queue.rabbitmq.live"]').innerText(), /nie wiadomo/)
    assert.match(await page.locator('#journal li').first().innerText(), /Alarm doszedł przez api-/)
    for (const scheme of ['dark', 'light']) {
      for (const lang of ['pl', 'en']) {
        const other = await openRoom({ scheme, lang })
        assert.deepEqual(await axeFindings(other), [], `${scheme} ${lang}`)
        assert.equal(await other.locator('html').getAttribute('data-theme'), scheme)
        assert.equal(await other.locator('h1').innerText(), { pl: 'Sterownia', en: 'Control room' }[lang])
        assert.deepEqual(other.troubles, [])
        await other.close()
      }
    }
    await press(page, 'redis', 'thaw')
    await press(page, 'rabbitmq', 'start')
    await page.locator('#rabbitmq[data-state=running]:not([data-silent])').waitFor({ timeout: 60_000 })
    assert.deepEqual(page.troubles, [])
    await page.close()
  })
})
