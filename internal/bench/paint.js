// Runs in the page before anything of it does: notes when a frame came, and when what it
// says was painted.
(() => {
  const awaited = new Map() // alarm -> { version, at }
  const bench = { samples: [], frames: [], waiting: () => awaited.size, counting: false }
  window.bench = bench

  const Native = window.WebSocket
  window.WebSocket = class extends Native {
    constructor(...how) {
      super(...how)
      // Before the page's own listener: it is added first.
      this.addEventListener('message', (event) => note(event.data, performance.now()))
    }
  }

  function note(text, at) {
    if (!bench.counting) return
    const message = JSON.parse(text)
    const alarm = message.data?.alarm
    // In a flood P3 to P5 fold into cards; P1 and P2 have a row of their own, always.
    if (!alarm || alarm.priority > 2 || alarm.state === 'closed') return
    const now = awaited.get(alarm.id)
    // Two frames of one alarm within one painting are both on the screen with it.
    awaited.set(alarm.id, { version: alarm.version, came: [...(now?.came ?? []), at] })
  }

  const painted = []
  const channel = new MessageChannel()
  channel.port1.onmessage = () => {
    const now = performance.now()
    for (const at of painted.splice(0)) bench.samples.push(now - at)
  }

  function look() {
    let found = false
    for (const [id, { version, came }] of awaited) {
      const row = document.querySelector(`[data-id="${id}"][data-version]`)
      if (!row || Number(row.dataset.version) < version) continue
      awaited.delete(id)
      painted.push(...came)
      found = true
    }
    // A message posted in a frame's callback comes after that frame was drawn.
    if (found) requestAnimationFrame(() => channel.port2.postMessage(0))
  }

  addEventListener('DOMContentLoaded', () => {
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-version'] })
  })

  let last = performance.now()
  requestAnimationFrame(function beat(now) {
    if (bench.counting) bench.frames.push(now - last)
    last = now
    requestAnimationFrame(beat)
  })
})()
