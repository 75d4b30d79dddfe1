// What is open on this screen besides the address: the cursor in the queue, a form.
import { Value } from './value'

export type Form = 'resolve' | 'note'

export class Desk {
  /** The row that the keys are at. */
  readonly cursor = new Value<number | undefined>(undefined)
  /** The form that is open on the alarm shown. */
  readonly form = new Value<Form | undefined>(undefined)
  readonly help = new Value(false)
  /** Counts the wishes to see the top of the queue. */
  readonly home = new Value(0)
}
