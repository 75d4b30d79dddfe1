import { useHere, useMe, useValue } from '../../ui/hooks'

/** The names of others who have this alarm open, each once. */
export function usePresent(id: number): string[] {
  const { station } = useHere()
  const me = useMe()
  const desks = useValue(station.desks.list) ?? []
  return [...new Set(desks.filter((desk) => desk.alarm_id === id && desk.user.id !== me.id).map((desk) => desk.user.name))]
}
