// The service worker keeps the client itself, never an answer of the server, so that the
// window opens while the server is away. A new client waits until somebody asks for it:
// nothing here ever loads the page anew by itself.
import { Value } from '../live/value'

const askEach = 30 * 60_000

export class Update {
  /** Whether another client than the one that runs is there. */
  readonly ready = new Value(false)
  #container: ServiceWorkerContainer | undefined
  #reload: () => void
  #registration: ServiceWorkerRegistration | undefined
  #loading = false

  /** Plain http on a network has no service workers: container is undefined there. */
  constructor(container: ServiceWorkerContainer | undefined, reload: () => void) {
    this.#container = container
    this.#reload = reload
  }

  /** Registers the worker and looks for new ones until the window closes. */
  async start(): Promise<void> {
    const container = this.#container
    if (!container) return
    // The first worker of all takes over a page that has none: that is no new client.
    let had = container.controller !== null
    container.addEventListener('controllerchange', () => {
      if (this.#loading) this.#reload()
      else if (had) this.ready.set(true)
      had = true
    })
    try {
      this.#registration = await container.register('/sw.js')
    } catch {
      // No worker: the client works as before, but does not open without the server.
      return
    }
    const registration = this.#registration
    if (registration.waiting && container.controller) this.ready.set(true)
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'installed' && container.controller) this.ready.set(true)
      })
    })
    setInterval(this.look, askEach)
  }

  /** Asks the server whether there is a newer client: after each time it was away. */
  look = (): void => {
    this.#registration?.update().catch(() => {})
  }

  /** Loads the new client. Whoever calls has made sure that nobody's work is lost. */
  load(): void {
    const waiting = this.#registration?.waiting
    if (!waiting) {
      // Another window has let it in already.
      this.#reload()
      return
    }
    this.#loading = true
    waiting.postMessage('activate')
  }
}

export const update = new Update(import.meta.env.PROD && 'serviceWorker' in navigator ? navigator.serviceWorker : undefined, () => location.reload())
