const VERSION = "7cd8f4b6d9c46b40"
const FILES = ["/assets/Ask-B62cl4dL.js","/assets/EventsPage-DhccPDfO.js","/assets/LettersPage-BYdjABpt.js","/assets/SettingsPage-9hYNNOpa.js","/assets/SitesPage-BJlMcnFo.js","/assets/StatusPage-Cz6DbaKT.js","/assets/Table-DiRjGcpG.js","/assets/UsersPage-BQayBn3W.js","/assets/admin-Did4PLEb.js","/assets/index-DpYwFdQj.css","/assets/index-a-IXNMBo.js","/assets/inter-latin-ext-wght-normal-DO1Apj_S.woff2","/assets/inter-latin-wght-normal-Dx4kXJAl.woff2","/assets/timers.worker-BGtOA3mQ.js","/assets/useInfiniteQuery-D9q0TpPK.js","/assets/useQuery-C9DMzXGH.js","/","/favicon.svg","/icons/icon-192.png","/icons/icon-512.png","/icons/maskable-192.png","/icons/maskable-512.png","/look.js","/manifest.webmanifest"]
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
