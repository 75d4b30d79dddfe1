// What is wrong with the station itself, as the server says it. Whoever has seen a fault
// can quiet it on this desk; it stays in sight until it is over, and is loud again when
// it comes anew.
import { Value } from './value'

export interface Fault {
  code: string
  since: string
  detail?: string
}

export interface StationMessage {
  type: 'station'
  at: string
  data: { faults: Fault[] | null }
}

/** The first is the worst. */
const weight = ['nobody_watches', 'worker_gone', 'ingest_late', 'relay_late', 'database_slow']

const heavy = (code: string) => (weight.indexOf(code) + weight.length + 1) % (weight.length + 1)

export class Faults {
  readonly list = new Value<readonly Fault[]>([])
  readonly seen = new Value<ReadonlySet<string>>(new Set())

  take(faults: readonly Fault[] | null): void {
    const now = [...(faults ?? [])].sort((a, b) => heavy(a.code) - heavy(b.code) || a.since.localeCompare(b.since))
    const keys = new Set(now.map(faultKey))
    const kept = [...this.seen.get()].filter((key) => keys.has(key))
    if (kept.length !== this.seen.get().size) this.seen.set(new Set(kept))
    this.list.set(now)
  }

  /** Quiets what is there now, on this desk. */
  acknowledge(): void {
    this.seen.set(new Set(this.list.get().map(faultKey)))
  }

  clear(): void {
    this.take([])
  }
}

/** One fault at one time: the same code later is another one. */
export function faultKey(fault: Fault): string {
  return `${fault.code} ${fault.since}`
}
