// The theme before anything is drawn, as the system has it.
(function () {
  var light = matchMedia('(prefers-color-scheme: light)')
  var take = function () {
    document.documentElement.dataset.theme = light.matches ? 'light' : 'dark'
  }
  take()
  light.addEventListener('change', take)
})()
