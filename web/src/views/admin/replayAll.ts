// Replaying all letters: batch after batch, each only when the one before has its outcome.
import type { Letters, Replay } from '../../api/letters'

/** How often a batch is asked for its outcome, in milliseconds. */
const askEvery = 500

type Calls = Pick<Letters, 'replayMany' | 'progress'>

/** Waits, and not past the end of signal. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, ms)
    signal.addEventListener('abort', over)
  })
}

/**
 * Replays every open letter of a reason once, and tells how far it is. When signal ends it,
 * the batch that was asked for goes on by itself and no more are.
 */
export async function replayAll(letters: Calls, reason: string, signal: AbortSignal, tell: (replay: Replay, left: number) => void): Promise<void> {
  let asked = await letters.replayMany(reason, undefined)
  while (!signal.aborted) {
    tell(asked.replay, asked.left)
    if (asked.replay.waiting > 0) {
      await wait(askEvery, signal)
      if (!signal.aborted) asked = { ...asked, replay: await letters.progress(asked.replay.id, { signal }) }
      continue
    }
    if (asked.left === 0) return
    const { taken } = asked.replay
    asked = await letters.replayMany(reason, asked.replay.id)
    // What is left is in other hands at this moment.
    if (asked.replay.taken === taken) await wait(askEvery, signal)
  }
}
