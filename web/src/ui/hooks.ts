import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Alarm, Me } from '../api/types'
import { ticker } from '../live/clock'
import type { Desk } from '../live/desk'
import { gate } from '../live/gate'
import type { Station } from '../live/station'
import type { StepState } from '../live/steps'
import type { Value } from '../live/value'

export interface Here {
  station: Station
  desk: Desk
}

export const HereContext = createContext<Here | null>(null)
export const MeContext = createContext<Me | null>(null)

export function useHere(): Here {
  const here = useContext(HereContext)
  if (!here) throw new Error('used outside of the application')
  return here
}

export function useMe(): Me {
  const me = useContext(MeContext)
  if (!me) throw new Error('used while nobody is signed in')
  return me
}

export function useValue<T>(value: Value<T>): T {
  return useSyncExternalStore(value.subscribe, value.get)
}

export function useLive(): boolean {
  return useValue(gate)
}

/** The server's time in milliseconds, anew each second. */
export function useNow(): number {
  return useSyncExternalStore(ticker.subscribe, ticker.get) * 1000
}

export function useQueue(): readonly Alarm[] {
  const { station } = useHere()
  return useSyncExternalStore(station.alarms.subscribe, station.alarms.list)
}

export function useStepState(id: number): StepState | undefined {
  const { station } = useHere()
  return useSyncExternalStore(station.steps.states.subscribe, () => station.steps.states.get().get(id))
}
