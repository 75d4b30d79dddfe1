// Twice a second for those who show ages to the tenth, and at once when the connection
// comes or goes: then everything on the screen is as old as it is.
import { gate } from '../../live/gate'

const listeners = new Set<() => void>()
let stop: (() => void) | undefined

const beat = () => {
  for (const listener of [...listeners]) listener()
}

export function onPulse(listener: () => void): () => void {
  listeners.add(listener)
  if (!stop) {
    const timer = setInterval(beat, 500)
    const leave = gate.subscribe(beat)
    stop = () => {
      clearInterval(timer)
      leave()
    }
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    stop?.()
    stop = undefined
  }
}
