// The page of the control room, driven by keys.
import { browser, station } from './harness.mjs'

/** Opens the room, watched for what a page must not do. */
export async function openRoom({ scheme = 'dark', lang = 'pl', width = 1500, height = 1100 } = {}) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme, locale: lang })
  page.troubles = []
  page.on('pageerror', (error) => page.troubles.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') page.troubles.push(message.text())
  })
  await page.goto(station.facts.room)
  await page.locator('#rabbitmq[data-state]').waitFor()
  return page
}

/** Presses a button of a component with the keyboard alone. */
export async function press(page, component, act) {
  await page.locator(`#${component} button[data-act=${act}]:not([aria-disabled=true])`).focus()
  await page.keyboard.press('Enter')
}

/** Kills the broker, freezes Redis, and waits until every process has seen that. */
export async function breakBoth(page) {
  await press(page, 'rabbitmq', 'kill')
  await press(page, 'redis', 'freeze')
  await page.locator('#rabbitmq[data-state=dead]').waitFor()
  await page.locator('#redis[data-state=frozen][data-silent]').waitFor()
  for (const part of ['rabbitmq', 'redis']) {
    await page.locator(`#${part}:has(li):not(:has([data-sight=ok]))`).waitFor({ timeout: 20_000 })
  }
}

/** Makes a hold-up and waits until it came through both APIs. */
export async function holdUp(page) {
  await page.locator('#hold-up').focus()
  await page.keyboard.press('Space')
  await page.locator('#took li:not(.room-waits)').nth(1).waitFor({ timeout: 10_000 })
}
