// What is said of an alarm in the queue and on its own page.
import type { Alarm } from '../../api/types'
import { wordFor } from '../../i18n'
import type { Catalogue } from '../../i18n/pl'

export function kindText(words: Catalogue, kind: string): string {
  return wordFor(words.kinds, kind)
}

/** The kind as the head of the alarm says it. */
export function fullKind(words: Catalogue, alarm: Alarm): string {
  if (!alarm.confirmed_at) return kindText(words, alarm.kind)
  const { head } = words.areas.desk
  return alarm.kind === 'burglary' ? head.confirmedBurglary : head.confirmed(kindText(words, alarm.kind))
}

export function ownText(words: Catalogue, alarm: Pick<Alarm, 'text_pl' | 'text_en'>): string {
  return words.code === 'pl' ? alarm.text_pl : alarm.text_en
}

/** A zone as people say it: its number and its name. */
export function zoneText(words: Catalogue, zone: number | undefined, name: string | undefined): string {
  return [zone ? words.alarm.zone(zone) : '', name ?? ''].filter(Boolean).join(' ')
}

/** Zone, partition and what happened, for the second line of a row. */
export function detailText(words: Catalogue, alarm: Alarm): string {
  const zone = zoneText(words, alarm.zone, alarm.zone_name)
  return [zone, alarm.partition_name, ownText(words, alarm)].filter(Boolean).join(' · ')
}

/** Everything that the filter of the queue finds an alarm by. */
export function searchText(words: Catalogue, alarm: Alarm): (string | undefined)[] {
  const { site } = alarm
  return [
    String(alarm.id), `P${alarm.priority}`, kindText(words, alarm.kind), site.name, site.address, site.city,
    zoneText(words, alarm.zone, alarm.zone_name), alarm.partition_name, ownText(words, alarm), alarm.owner?.name,
  ]
}
