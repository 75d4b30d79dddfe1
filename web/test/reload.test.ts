import { expect, it } from 'vitest'
import { Reload } from '../src/live/reload'

it('loads once more for all that was asked meanwhile, and never two at a time', async () => {
  const release: (() => void)[] = []
  let running = 0
  let most = 0
  const reload = new Reload(async () => {
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => release.push(resolve))
    running--
  })
  for (let i = 0; i < 50; i++) reload.ask()
  expect(release).toHaveLength(1)
  release[0]!()
  await new Promise((resolve) => setTimeout(resolve))
  expect(release).toHaveLength(2)
  release[1]!()
  await new Promise((resolve) => setTimeout(resolve))
  expect([release.length, most]).toEqual([2, 1])
  reload.ask()
  expect(release).toHaveLength(3)
})

it('ends what is on its way and begins nothing after it', async () => {
  let began = 0
  const reload = new Reload(
    (signal) =>
      new Promise((resolve) => {
        began++
        signal.addEventListener('abort', () => resolve())
      }),
  )
  reload.ask()
  reload.ask()
  reload.end()
  await new Promise((resolve) => setTimeout(resolve))
  expect(began).toBe(1)
})
