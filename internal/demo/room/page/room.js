// Shows what the room knows, and gives its orders. What is drawn once stays: only texts
// and states change, so that focus and a reader's place are kept.
const words = JSON.parse(document.getElementById('words').textContent)
const every = 700

const put = (element, text) => {
  if (element.textContent !== text) element.textContent = text
}
const fill = (sentence, values) => sentence.replace(/\{(\w*)\}/g, (_, key) => values[key] ?? '')
const locale = { pl: 'pl-PL', en: 'en-GB' }[words.lang]
const clock = (at) => new Date(at).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const rounded = (n) => n.toLocaleString(locale, { maximumFractionDigits: 1 })
const milliseconds = (n) => n < 10 ? `${rounded(n)} ms` : n < 2_000 ? `${Math.round(n)} ms` : `${rounded(n / 1000)} s`

const kinds = {}
const nameOf = (id) => words.names[kinds[id]] ?? id

/** Makes a list's items what they should be, and touches nothing that is so already. */
function items(list, wanted, key, make) {
  const signs = wanted.map(key).join('\n')
  if (list.dataset.signs === signs) return
  list.dataset.signs = signs
  list.replaceChildren(...wanted.map(make))
}

function element(tag, classes, ...children) {
  const made = document.createElement(tag)
  if (classes) made.className = classes
  made.append(...children)
  return made
}

function showComponent(c, all) {
  const row = document.getElementById(c.id)
  const silent = c.state !== 'dead' && !c.answered
  row.dataset.state = c.state
  row.toggleAttribute('data-doing', Boolean(c.doing))
  row.toggleAttribute('data-silent', silent)
  put(row.querySelector('.room-state'), c.doing ? words.doing[c.doing] : words.states[c.state])
  const facts = [c.pid && fill(words.pid, { '': c.pid }), fill(words.since, { '': clock(c.since) })]
  put(row.querySelector('.room-pid'), facts.filter(Boolean).join(' · '))
  put(row.querySelector('.room-answers'), c.answered ? milliseconds(c.ms) : c.state === 'dead' ? '' : words.no_answer)
  showSeen(row.querySelector('.room-seen-as'), c, all)
  for (const button of row.querySelectorAll('button')) {
    button.setAttribute('aria-disabled', String(!c.acts.includes(button.dataset.act)))
  }
}

/** How the processes see a part; of a process, whether it is ready. */
function showSeen(cell, c, all) {
  const processes = all.filter((p) => ['worker', 'relay', 'api'].includes(p.kind))
  if (!processes.includes(c)) {
    if (c.kind === 'sites') return
    const list = cell.querySelector('ul') ?? cell.appendChild(element('ul'))
    const seen = processes.map((p) => {
      const sight = p.answered ? p.sees?.find((s) => s.part === c.id) : { state: 'silent' }
      return { id: p.id, state: sight?.state ?? 'silent', reason: sight?.reason ?? p.problem ?? '' }
    })
    items(list, seen, (s) => `${s.id} ${s.state} ${s.reason}`, (s) => {
      const mark = element('span', 'room-mark')
      mark.ariaHidden = 'true'
      const item = element('li', 'room-sight', mark, s.id, element('span', 'unseen', `: ${words.sights[s.state]}`))
      item.dataset.sight = s.state
      item.title = [words.sights[s.state], s.reason].filter(Boolean).join(': ')
      return item
    })
    return
  }
  let text = ''
  if (c.answered) {
    text = c.unready ? `${words.unready}: ${c.unready}` : words.ready
    if (c.kind === 'api') text += `, ${c.hears ? words.hears : words.deaf}`
  } else if (c.kind === 'api' && c.state !== 'dead') text = c.hears ? words.hears : words.deaf
  put(cell, text)
  cell.classList.toggle('room-unready', Boolean(c.answered && c.unready))
}

function showAlarms(view) {
  const { hold_up: holdUp, last, last_minute: n } = view.alarms
  const list = document.getElementById('took')
  if (holdUp) {
    const waited = Math.max(0, Math.round((Date.parse(view.time) - Date.parse(holdUp.at)) / 1000))
    const ways = view.components.filter((c) => c.kind === 'api').map((c) => ({
      came: c.id in holdUp.took,
      text: c.id in holdUp.took ? fill(words.through, { '': c.id, ms: milliseconds(holdUp.took[c.id]) })
        : `${c.id}: ${c.state === 'running' ? fill(words.on_its_way, { s: waited }) : words.states[c.state]}`,
    }))
    items(list, ways, (way) => way.text, (way) => element('li', way.came ? '' : 'room-waits', way.text))
  }
  put(document.getElementById('minute'), fill(words.last_minute, { n }))
  const said = last && `P${last.priority} ${words.lang === 'pl' ? last.text_pl : last.text_en}, ${last.site.name}, ${clock(view.alarms.last_at)}`
  put(document.getElementById('last'), said ? fill(words.last, { '': said }) : '')
}

/** Only what is new is put in, so that it alone is read out. */
let told = 0
function showJournal(entries) {
  const list = document.getElementById('journal')
  for (const e of entries.filter((e) => e.seq > told).reverse()) {
    told = e.seq
    const at = element('time', 'num', clock(e.at))
    at.dateTime = e.at
    const text = fill(words.entries[e.what] ?? e.what, { '': nameOf(e.component), ms: milliseconds(e.ms ?? 0) })
    const entry = element('span', '', e.what === 'failed' ? `${text}: ${e.detail || words.no_answer}` : text)
    entry.dataset.what = e.what
    list.prepend(element('li', '', at, entry))
  }
  while (list.children.length > entries.length) list.lastElementChild.remove()
}

function show(view) {
  for (const c of view.components) kinds[c.id] = c.kind
  for (const c of view.components) showComponent(c, view.components)
  for (const cell of document.querySelectorAll('[data-gauge]')) {
    const value = view.gauges[cell.dataset.gauge]
    put(cell, value ?? words.unknown)
    cell.classList.toggle('room-unknown', value === undefined)
  }
  showAlarms(view)
  showJournal(view.journal)
}

const trouble = document.getElementById('trouble')
let lost = false
function say(text) {
  put(trouble, text)
  trouble.hidden = text === ''
}

async function look() {
  try {
    const response = await fetch('/api/room', { cache: 'no-store', signal: AbortSignal.timeout(3_000) })
    if (!response.ok) throw new Error(String(response.status))
    show(await response.json())
    if (lost) say('')
    lost = false
  } catch {
    lost = true
    say(words.lost)
    for (const button of document.querySelectorAll('button')) button.setAttribute('aria-disabled', 'true')
  }
  document.getElementById('hold-up').setAttribute('aria-disabled', String(lost))
}

async function order(path) {
  try {
    const response = await fetch(path, { method: 'POST', signal: AbortSignal.timeout(10_000) })
    if (response.ok) say('')
    else say(fill(words.refused, { '': (await response.json()).error }))
  } catch {
    say(fill(words.refused, { '': words.no_answer }))
  }
  await look()
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button')
  if (!button || button.getAttribute('aria-disabled') === 'true') return
  if (button.id === 'hold-up') void order('/api/hold-up')
  else if (button.dataset.act) void order(`/api/components/${button.closest('tr').id}/${button.dataset.act}`)
})

for (;;) {
  await look()
  await new Promise((resolve) => setTimeout(resolve, every))
}
