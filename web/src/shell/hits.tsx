// What the palette finds, each with what happens when it is chosen.
import { type ReactNode, useMemo, useSyncExternalStore } from 'react'
import type { Person } from '../api/shell'
import type { Site } from '../api/types'
import { switchLanguage, useWords, wordFor } from '../i18n'
import { claimNext } from '../keys/perform'
import { go, pagesFor, useRoute } from '../route'
import { useHere, useLive, useMe, useQueue } from '../ui/hooks'
import { Badge } from '../ui/parts'
import { type Found, pick } from './find'
import { density, theme } from './prefs'

export interface Hit {
  key: string
  text: string
  detail?: string
  mark?: ReactNode
  run: () => void
}

export interface Group {
  name: 'alarms' | 'sites' | 'panels' | 'people' | 'pages' | 'commands'
  hits: Hit[]
  more: number
}

function group<T>(name: Group['name'], { best, more }: Found<T>, hitOf: (item: T) => Hit): Group {
  return { name, hits: best.map(hitOf), more }
}

/** What this window knows itself. */
export function useLocalHits(query: string, limit: number, mute: (() => void) | undefined): Record<'alarms' | 'panels' | 'pages' | 'commands', Group> {
  const { station } = useHere()
  const me = useMe()
  const words = useWords()
  const queue = useQueue()
  const panels = useSyncExternalStore(station.panels.subscribe, station.panels.list)
  const commands = useCommands(mute)
  const asked = query.trim() !== ''

  return useMemo(() => {
    const matching = pick(query, asked ? queue : [], (alarm) => [alarm.site.name, wordFor(words.kinds, alarm.kind), alarm.site.address, alarm.site.city, alarm.zone_name, alarm.id, `P${alarm.priority}`].join(' '), limit)
    const number = /^\s*(\d{1,15})\s*$/.exec(query)?.[1]
    const found = group('alarms', matching, (alarm) => ({
      key: `alarm-${alarm.id}`,
      text: alarm.site.name,
      detail: [wordFor(words.kinds, alarm.kind), alarm.zone_name, words.alarm.number(alarm.id)].filter(Boolean).join(' · '),
      mark: <Badge priority={alarm.priority} waiting={alarm.state === 'new'} />,
      run: () => go({ page: 'alarms', id: alarm.id }),
    }))
    // An alarm that is closed has no place in the queue, but its number still leads to it.
    if (number && !queue.some((alarm) => alarm.id === Number(number))) {
      found.hits.push({ key: 'alarm-number', text: words.alarm.number(Number(number)), run: () => go({ page: 'alarms', id: Number(number) }) })
    }
    return {
      alarms: found,
      panels: group('panels', pick(query, asked ? panels : [], (panel) => `${panel.site.name} ${panel.name} ${panel.site.address} ${panel.site.city}`, limit), (panel) => ({
        key: `panel-${panel.id}`,
        text: panel.site.name,
        detail: `${panel.name} · ${panel.site.city}`,
        run: () => go({ page: 'panels', id: panel.id }),
      })),
      pages: group('pages', pick(query, pagesFor(me), (page) => words.nav[page], limit), (page) => ({ key: `page-${page}`, text: words.nav[page], run: () => go({ page }) })),
      commands: group('commands', pick(query, commands, (command) => command.text, limit), (command) => command),
    }
  }, [query, asked, queue, panels, me, words, commands, limit])
}

export function useSiteHits(sites: readonly Site[], limit: number): Group {
  return useMemo(() => ({
    name: 'sites',
    hits: sites.slice(0, limit).map((site) => ({ key: `site-${site.id}`, text: site.name, detail: [site.address, site.city].filter(Boolean).join(', '), run: () => go({ page: 'sites', id: site.id }) })),
    more: Math.max(0, sites.length - limit),
  }), [sites, limit])
}

export function usePeopleHits(query: string, people: readonly Person[], limit: number): Group {
  const me = useMe()
  const words = useWords()
  return useMemo(() => {
    const found = pick(query, query.trim() === '' ? [] : people, (person) => person.name, limit)
    // Accounts are an administrator's; to all others a person is whose alarms they have.
    return group('people', found, (person) => ({
      key: `person-${person.id}`,
      text: person.name,
      detail: me.role === 'admin' ? words.roles[person.role] : words.areas.shell.palette.alarmsOf(person.name),
      run: () => (me.role === 'admin' ? go({ page: 'users', id: person.id }) : go({ page: 'alarms', query: { owner: String(person.id) } })),
    }))
  }, [query, people, me, words, limit])
}

function useCommands(mute: (() => void) | undefined): Hit[] {
  const { station, desk } = useHere()
  const words = useWords()
  const live = useLive()
  const route = useRoute()
  const { page, id } = route
  return useMemo(() => {
    const { commands } = words.areas.shell
    const all: Hit[] = [
      { key: 'light', text: commands.light, run: () => theme.set('light') },
      { key: 'dark', text: commands.dark, run: () => theme.set('dark') },
      { key: 'system', text: commands.system, run: () => theme.set('system') },
      { key: 'dense', text: commands.dense, run: () => density.set('dense') },
      { key: 'comfortable', text: commands.comfortable, run: () => density.set('comfortable') },
      { key: 'language', text: commands.language, run: switchLanguage },
      { key: 'help', text: commands.help, run: () => desk.help.set(true) },
    ]
    if (mute) all.push({ key: 'mute', text: commands.mute, run: mute })
    if (live) {
      all.unshift({ key: 'claim', text: commands.claim, run: () => void claimNext({ station, desk, route: id === undefined ? { page } : { page, id } }) })
      all.push({ key: 'out', text: commands.signOut, run: () => void station.signOut().catch(() => {}) })
    }
    return all
  }, [words, mute, live, station, desk, page, id])
}
