// Whether alarms flood the desk: more than ten new ones in some minute, until none such
// minute was for a while. Told from the times of opening alone, so that every window and
// one that was opened in the middle of it sees the same.

const minute = 60_000
export const floodOver = 10
/** How long no minute may be a flood before it is over: rows must not fold to and fro. */
export const calmAfter = 2 * minute

export interface Burst {
  since: number
  /** New alarms of the last ten minutes. */
  total: number
  /** The most in one minute of this flood. */
  peak: number
}

/** The flood that is on at an instant; times are in order. */
export function burstAt(times: readonly number[], now: number): Burst | undefined {
  let from = 0
  let since = 0
  let last = -Infinity
  let peak = 0
  times.forEach((time, i) => {
    while (time - times[from]! >= minute) from++
    const count = i - from + 1
    if (count <= floodOver) return
    if (time - last > calmAfter) {
      since = times[from]!
      peak = 0
    }
    last = time
    peak = Math.max(peak, count)
  })
  if (now - last >= calmAfter) return undefined
  return { since, peak, total: times.filter((time) => now - time < 10 * minute).length }
}

/** How many were opened in each of the last minutes, the current one last. */
export function perMinute(times: readonly number[], now: number, minutes: number): number[] {
  const counts = new Array<number>(minutes).fill(0)
  for (const time of times) {
    const ago = Math.max(0, Math.floor((now - time) / minute))
    if (ago < minutes) counts[minutes - 1 - ago]!++
  }
  return counts
}
