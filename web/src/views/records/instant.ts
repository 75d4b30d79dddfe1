const zone = 'Europe/Warsaw'

const wall = new Intl.DateTimeFormat('en-CA', {
  timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
})

function wallOf(instant: number): string {
  const found: Record<string, string> = {}
  for (const { type, value } of wall.formatToParts(instant)) found[type] = value
  return `${found.year}-${found.month}-${found.day}T${found.hour}:${found.minute}`
}

/**
 * The instant of a minute in Warsaw, wherever the browser is: 2026-11-24T06:00. Of the hour
 * that comes twice the first; of the one that never comes the one after it. Undefined when
 * it is no time.
 */
export function instantOf(text: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text)) return undefined
  const asUTC = Date.parse(`${text}:00Z`)
  if (Number.isNaN(asUTC)) return undefined
  for (const hours of [2, 1]) {
    const instant = asUTC - hours * 3_600_000
    if (wallOf(instant) === text) return new Date(instant).toISOString()
  }
  return new Date(asUTC - 3_600_000).toISOString()
}
