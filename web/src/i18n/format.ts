// Times as people of the station read them: Warsaw time, always with what is needed to
// tell the day and the zone.
import type { Catalogue } from './pl'

const zone = 'Europe/Warsaw'
const parts = new Intl.DateTimeFormat('en-GB', {
  timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
})
const offsets = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'shortOffset' })

interface Civil {
  date: string
  time: string
}

function civil(instant: number | Date): Civil {
  const found: Record<string, string> = {}
  for (const part of parts.formatToParts(instant)) found[part.type] = part.value
  return { date: `${found.day}.${found.month}.${found.year}`, time: `${found.hour}:${found.minute}:${found.second}` }
}

/** UTC+1 or UTC+2: the two are told apart in the October hour that comes twice. */
export function offset(instant: number | Date): string {
  const name = offsets.formatToParts(instant).find((part) => part.type === 'timeZoneName')?.value ?? ''
  return name.replace('GMT', 'UTC')
}

export function clockTime(instant: number | Date): string {
  return civil(instant).time
}

export function date(instant: number | Date): string {
  return civil(instant).date
}

export function weekday(words: Catalogue, instant: number | Date): string {
  return new Intl.DateTimeFormat(words.code, { timeZone: zone, weekday: 'short' }).format(instant)
}

/** Date, time and zone. */
export function full(at: string | number): string {
  const instant = new Date(at)
  const { date, time } = civil(instant)
  return `${date} ${time} ${offset(instant)}`
}

/** Time alone for today, with the date before it for other days. */
export function short(at: string | number, now: number): string {
  const { date, time } = civil(new Date(at))
  return date === civil(now).date ? time : `${date} ${time}`
}

/** The panel's own minute as it says it: 2026-11-23T02:17 becomes 23.11 02:17, today 02:17. */
export function panelMinute(text: string, now: number): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(text)
  if (!match) return text
  const [, year, month, day, minute] = match
  return `${day}.${month}.${year}` === civil(now).date ? minute! : `${day}.${month} ${minute}`
}

/** 00:38, from an hour 1:04 h, from two days 2 days. Never negative. */
export function age(words: Catalogue, ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  if (seconds < 3600) return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`
  if (seconds < 48 * 3600) return words.time.hours(`${Math.floor(seconds / 3600)}:${two(Math.floor((seconds % 3600) / 60))}`)
  return words.time.days(Math.floor(seconds / 86_400))
}

/** How long ago something answered: 4 s, then as an age. */
export function since(words: Catalogue, ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 100 ? words.time.seconds(String(seconds)) : age(words, ms)
}

/** 0,5 ms */
export function milliseconds(words: Catalogue, ms: number): string {
  return `${new Intl.NumberFormat(words.code, { maximumFractionDigits: 1 }).format(ms)} ms`
}

/** 0,3 s */
export function tenths(words: Catalogue, ms: number): string {
  const number = new Intl.NumberFormat(words.code, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(ms / 1000)
  return words.time.seconds(number)
}
