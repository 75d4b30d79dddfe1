// Theme and density before anything is drawn. The rest is in src/shell/prefs.ts.
(function () {
  var root = document.documentElement
  var kept = function (key) {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  }
  var theme = kept('dozor.theme')
  if (theme === 'system') theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
  root.dataset.theme = theme === 'light' ? 'light' : 'dark'
  root.dataset.density = kept('dozor.density') === 'dense' ? 'dense' : 'comfortable'
})()
