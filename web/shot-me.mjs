import { chromium } from 'playwright-core'
const [,, url, out, theme = 'dark', w = '1920', h = '1080', ...hashes] = process.argv
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'] })
const c = await b.newContext({ viewport: { width: +w, height: +h }, locale: 'pl-PL' })
const p = await c.newPage()
p.on('console', (m) => { if (/error|policy/i.test(m.type() + m.text())) console.log('console:', m.text().slice(0, 300)) })
p.on('pageerror', (e) => console.log('pageerror', e.message))
await p.addInitScript((t) => localStorage.setItem('dozor.theme', t), theme)
await p.goto(url)
await p.locator('input[name=login]').waitFor()
await p.screenshot({ path: `${out}-signin.png` })
await p.keyboard.type('lis'); await p.keyboard.press('Tab'); await p.keyboard.type('kierownik-demo'); await p.keyboard.press('Enter')
await p.waitForTimeout(1500)
await p.screenshot({ path: `${out}-check.png` })
await p.keyboard.press('Enter'); await p.waitForTimeout(600)
if (await p.locator('.link-state').count() === 0) { await p.keyboard.press('Escape'); await p.waitForTimeout(600) }
console.log(await p.locator('.link-state').count(), await p.locator('body').innerText().then((t) => t.slice(0, 200)))
for (const [i, hash] of hashes.entries()) {
  if (hash.startsWith('key:')) await p.keyboard.press(hash.slice(4))
  else if (hash.startsWith('click:')) await p.locator(hash.slice(6)).first().click({ timeout: 3000 }).catch((e) => console.log(e.message.slice(0, 200)))
  else await p.evaluate((x) => (location.hash = x), hash)
  await p.waitForTimeout(1300)
  await p.screenshot({ path: `${out}-${i}.png` })
}
await b.close()
