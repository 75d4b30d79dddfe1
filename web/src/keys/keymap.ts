// Which key means what. Pure, so that it can be tested without a screen.
import type { Page } from '../route'

export type KeyAction =
  | 'claim-next' | 'down' | 'up' | 'open' | 'claim' | 'ack' | 'resolve' | 'close' | 'release' | 'takeover' | 'note' | 'pause' | 'dial' | 'mute'
  | 'home' | 'back' | 'help' | 'search' | 'palette' | `go-${Page}`

/** Keys that are commands by themselves. They can be switched off. */
const single: Record<string, KeyAction> = {
  ' ': 'claim-next',
  j: 'down',
  k: 'up',
  c: 'claim',
  a: 'ack',
  r: 'resolve',
  z: 'close',
  x: 'release',
  t: 'takeover',
  n: 'note',
  w: 'pause',
  d: 'dial',
  m: 'mute',
  '/': 'search',
  '?': 'help',
}

/** Keys that write nothing: they stay, whatever is switched off. */
const named: Record<string, KeyAction> = {
  ArrowDown: 'down',
  ArrowUp: 'up',
  Enter: 'open',
  Home: 'home',
  Escape: 'back',
}

/** The page that each letter after G leads to. */
export const pageKeys: Record<string, Page> = { a: 'alarms', p: 'panels', s: 'sites', e: 'events', u: 'users', d: 'letters', i: 'status', o: 'settings' }

/** What a key press is for, as far as the place it happened in matters. */
export interface Press {
  key: string
  ctrlKey?: boolean
  altKey?: boolean
  metaKey?: boolean
  repeat?: boolean
  isComposing?: boolean
  target: EventTarget | null
}

const notText = new Set(['button', 'checkbox', 'radio', 'submit', 'range'])

/** Whether keys pressed there are text. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return !notText.has(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
}

/** Whether the place has a use of its own for the key: a button or link that was tabbed to. */
function usesItself(press: Press): boolean {
  const { target, key } = press
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return key === ' ' || key.startsWith('Arrow')
  if (target.matches('[role=tab], [role^=menuitem]') && (key.startsWith('Arrow') || key === 'Home')) return true
  const control = target.closest('button, a, summary, [role^=menuitem]')
  if (!control || !control.matches(':focus-visible')) return false
  return key === 'Enter' || (key === ' ' && control.tagName !== 'A')
}

const lower = (key: string) => (key.length === 1 ? key.toLowerCase() : key)

/** The action of a key press, or undefined when the key belongs to the place it was pressed in. */
export function actionFor(press: Press, singleKeys = true): KeyAction | undefined {
  if (press.isComposing || press.altKey) return undefined
  // The one command that also works while somebody types: it is no text.
  if ((press.ctrlKey || press.metaKey) && lower(press.key) === 'k') return press.repeat ? undefined : 'palette'
  if (press.ctrlKey || press.metaKey) return undefined
  const action = named[press.key] ?? (singleKeys ? single[lower(press.key)] : undefined)
  if (!action) return undefined
  if (action === 'back') return action
  if (isTyping(press.target) || usesItself(press)) return undefined
  // A key that is held down moves; it takes no second step.
  if (press.repeat && action !== 'down' && action !== 'up') return undefined
  return action
}

/** How long after G the letter of a page may come. */
export const chordTime = 1_500

/** Reads the keys of one desk: single ones, and G with the letter of a page after it. */
export class KeyReader {
  #chord = -Infinity

  /** The action of a press at an instant in milliseconds; 'chord' when it was the first half of one. */
  read(press: Press, now: number, singleKeys = true): KeyAction | 'chord' | undefined {
    const bare = !press.isComposing && !press.altKey && !press.ctrlKey && !press.metaKey
    // Shift alone is on its way to a letter and breaks no chord.
    if (press.key === 'Shift') return undefined
    const second = now - this.#chord <= chordTime
    this.#chord = -Infinity
    if (singleKeys && bare && !press.repeat && !isTyping(press.target)) {
      const page = second ? pageKeys[lower(press.key)] : undefined
      if (page) return `go-${page}`
      // A letter that leads to no page is a slip, not a step on an alarm.
      if (second && /^[a-z]$/i.test(press.key) && lower(press.key) !== 'g') return undefined
      if (lower(press.key) === 'g') {
        this.#chord = now
        return 'chord'
      }
    }
    return actionFor(press, singleKeys)
  }
}

/** Ctrl+Enter (or Cmd+Enter) sends the form the focus is in. */
export function isSend(press: Press): boolean {
  return press.key === 'Enter' && Boolean(press.ctrlKey || press.metaKey) && !press.isComposing && !press.repeat
}
