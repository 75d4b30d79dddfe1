// Keeps the files of one build of the client. FILES and VERSION are put in by the build.
// Answers of the interface are never kept and never touched.
const name = 'dozor-' + VERSION

addEventListener('install', (event) => {
  const fresh = FILES.map((file) => new Request(file, { cache: 'reload' }))
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(fresh)))
})

// The build before this one stays: another window may still run it.
addEventListener('activate', (event) => {
  const clean = async () => {
    const others = (await caches.keys()).filter((key) => key.startsWith('dozor-') && key !== name)
    await Promise.all(others.slice(0, -1).map((key) => caches.delete(key)))
    await clients.claim()
  }
  event.waitUntil(clean())
})

addEventListener('message', (event) => {
  if (event.data === 'activate') void skipWaiting()
})

addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin || /^\/api(\/|$)/.test(url.pathname)) return
  event.respondWith(answer(request, request.mode === 'navigate' ? '/' : url.pathname))
})

async function answer(request, path) {
  const cache = await caches.open(name)
  // A page has no name of its own in the cache, but a file may be opened as a page too.
  const file = new URL(request.url).pathname
  const kept = (await cache.match(FILES.includes(file) ? file : path)) ?? (await caches.match(path))
  return kept ?? fetch(request)
}
