// Which key means what. Pure, so that it can be tested without a screen.

export type KeyAction =
  | 'claim-next' | 'down' | 'up' | 'open' | 'claim' | 'ack' | 'resolve' | 'close' | 'release' | 'takeover' | 'note'
  | 'home' | 'back' | 'help'

const plain: Record<string, KeyAction> = {
  ' ': 'claim-next',
  j: 'down',
  ArrowDown: 'down',
  k: 'up',
  ArrowUp: 'up',
  Enter: 'open',
  c: 'claim',
  a: 'ack',
  r: 'resolve',
  z: 'close',
  x: 'release',
  t: 'takeover',
  n: 'note',
  Home: 'home',
  Escape: 'back',
  '?': 'help',
}

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
  const control = target.closest('button, a, summary')
  if (!control || !control.matches(':focus-visible')) return false
  return key === 'Enter' || (key === ' ' && control.tagName !== 'A')
}

/** The action of a key press, or undefined when the key belongs to the place it was pressed in. */
export function actionFor(press: Press): KeyAction | undefined {
  if (press.isComposing || press.ctrlKey || press.altKey || press.metaKey) return undefined
  const action = plain[press.key.length === 1 ? press.key.toLowerCase() : press.key]
  if (!action) return undefined
  if (action === 'back') return action
  if (isTyping(press.target) || usesItself(press)) return undefined
  // A key that is held down moves; it takes no second step.
  if (press.repeat && action !== 'down' && action !== 'up') return undefined
  return action
}

/** Ctrl+Enter (or Cmd+Enter) sends the form the focus is in. */
export function isSend(press: Press): boolean {
  return press.key === 'Enter' && Boolean(press.ctrlKey || press.metaKey) && !press.isComposing && !press.repeat
}
