// What a cell of the grid shows, and how it is brought there: a panel may change ten
// times a second, so its cell is painted by hand and only where something is different.
import type { PanelInfo } from '../../api/panels'
import type { Catalogue } from '../../i18n/pl'
import { age } from '../../i18n/format'
import { type Glyph, lookOf, type PanelLook } from '../../live/panelview'

export interface Face {
  glyph: Glyph
  old: boolean
  /** Seconds without a unit while it is fresh, then with one; a dash before the first answer. */
  age: string
  /** The priority that an alarm is filled with. */
  priority: number | undefined
  word: string
}

/** alarm is the highest priority of an open alarm of this panel. */
export function faceOf(words: Catalogue, panel: PanelInfo, now: number, connected: boolean, alarm: number | undefined): Face {
  const look = lookOf(panel, panel.partitions, now, connected)
  const priority = look.glyph === 'alarm' ? (panel.state?.partitions_fire?.length ? 1 : Math.min(alarm ?? 2, 3)) : undefined
  return { glyph: look.glyph, old: !look.fresh, age: cellAge(words, look), priority, word: words.areas.panels.glyphs[look.glyph] }
}

function cellAge(words: Catalogue, look: PanelLook): string {
  if (look.age === undefined) return '–'
  if (look.fresh) return seconds(words, look.age)
  const minutes = Math.floor(look.age / 60_000)
  if (minutes < 1) return words.time.seconds(String(Math.floor(look.age / 1000)))
  if (minutes < 60) return words.areas.panels.minutes(minutes)
  return minutes < 48 * 60 ? words.time.hours(String(Math.floor(minutes / 60))) : age(words, look.age)
}

const formats = new Map<string, Intl.NumberFormat>()

/** 0,7 */
function seconds({ code }: Catalogue, ms: number): string {
  let format = formats.get(code)
  if (!format) formats.set(code, (format = new Intl.NumberFormat(code, { minimumFractionDigits: 1, maximumFractionDigits: 1 })))
  return format.format(ms / 1000)
}

const painted = new WeakMap<HTMLElement, Face>()

/** Brings a face to a cell, whose parts are: the glyph, the name, the word, the age. */
export function paint(cell: HTMLElement, face: Face): void {
  const was = painted.get(cell)
  painted.set(cell, face)
  const [glyph, , word, age] = cell.children
  if (was?.glyph !== face.glyph) {
    cell.dataset.glyph = face.glyph
    glyph!.className = `state ${face.glyph}`
  }
  if (was?.old !== face.old) cell.dataset.fresh = String(!face.old)
  if (was?.priority !== face.priority) {
    if (face.priority === undefined) delete cell.dataset.priority
    else cell.dataset.priority = String(face.priority)
  }
  if (was?.word !== face.word) word!.textContent = face.word
  if (was?.age !== face.age) age!.textContent = face.age
}

const longest = 15
const vowels = 'aąeęioóuyAĄEĘIOÓUY'

/** A name of at most 15 characters. Words are shortened at a consonant; numbers never. */
export function shortName(name: string): string {
  let words = name.trim().split(/\s+/)
  const length = () => words.join(' ').length
  const whole = (word: string) => /\d/.test(word) || word.endsWith('.') || word.length < 5
  while (length() > longest) {
    const at = words.reduce((best, word, i) => (!whole(word) && (best < 0 || word.length > words[best]!.length) ? i : best), -1)
    if (at < 0) break
    words[at] = shortWord(words[at]!, words[at]!.length - (length() - longest) - 1)
  }
  while (length() > longest && words.length > 2) {
    const at = words.findIndex((word, i) => i > 0 && !/\d/.test(word))
    if (at < 0) break
    words = words.toSpliced(at, 1)
  }
  if (length() <= longest) return words.join(' ')
  const tail = /\d/.test(words.at(-1)!) && words.length > 1 ? ` ${words.at(-1)}` : ''
  return `${words.join(' ').slice(0, Math.max(1, longest - tail.length - 1))}…${tail}`
}

/** The word cut after a consonant, as long as the room allows, at least three letters. */
function shortWord(word: string, room: number): string {
  let end = Math.max(3, Math.min(room, word.length - 2))
  while (end > 3 && vowels.includes(word[end - 1]!)) end--
  return `${word.slice(0, end)}.`
}
