// Wakes the page: a browser slows the timers of a hidden page down to one a minute, but
// not those of a worker.
const running = new Map<number, ReturnType<typeof setTimeout>>()

onmessage = ({ data }: MessageEvent<{ id: number; ms?: number }>) => {
  clearTimeout(running.get(data.id))
  running.delete(data.id)
  if (data.ms === undefined) return
  running.set(data.id, setTimeout(() => {
    running.delete(data.id)
    postMessage(data.id)
  }, data.ms))
}
