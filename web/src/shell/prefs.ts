// What somebody has chosen for this desk: kept in the browser, told to the style sheets
// by attributes of <html>. public/look.js sets the same attributes before anything is
// drawn, so that no page ever flashes in the wrong theme.
import { Value } from '../live/value'

class Kept<T extends string> extends Value<T> {
  constructor(readonly key: string, readonly choices: readonly [T, ...T[]]) {
    super(remembered(key, choices))
  }

  override set(value: T): void {
    super.set(value)
    try {
      localStorage.setItem(this.key, value)
    } catch {
      // A window without storage forgets the choice on reload.
    }
  }

  /** Takes what another window of this desk has chosen. */
  follow(): void {
    super.set(remembered(this.key, this.choices))
  }
}

function remembered<T extends string>(key: string, choices: readonly [T, ...T[]]): T {
  try {
    const kept = localStorage.getItem(key)
    return choices.find((choice) => choice === kept) ?? choices[0]
  } catch {
    return choices[0]
  }
}

export type Theme = 'dark' | 'light' | 'system'
export type Density = 'comfortable' | 'dense'

export const theme = new Kept<Theme>('dozor.theme', ['dark', 'light', 'system'])
export const density = new Kept<Density>('dozor.density', ['comfortable', 'dense'])
/** Whether single keys are commands on this desk (WCAG 2.1.4). */
export const singleKeys = new Kept<'on' | 'off'>('dozor.keys', ['on', 'off'])

/** The theme in use: the system's wish counts only if it was asked for. */
export function shownTheme(): 'dark' | 'light' {
  const chosen = theme.get()
  if (chosen !== 'system') return chosen
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
}

function draw(): void {
  const { documentElement: root } = document
  root.dataset.theme = shownTheme()
  root.dataset.density = density.get()
  const bar = getComputedStyle(root).getPropertyValue('--bg-1').trim()
  document.querySelector('meta[name=theme-color]')?.setAttribute('content', bar)
}

/** Draws the choices, and again whenever one changes, here or in another window. */
export function followPrefs(): void {
  const kept = [theme, density, singleKeys]
  for (const pref of kept) pref.subscribe(draw)
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', draw)
  addEventListener('storage', (event) => kept.find((pref) => pref.key === event.key)?.follow())
  draw()
}
