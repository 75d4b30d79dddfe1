// What is open on this screen besides the address: the cursor in the queue, a form.
import { Value } from './value'

export type Form = 'resolve' | 'note' | 'pause'

export class Desk {
  /** The row that the keys are at. */
  readonly cursor = new Value<number | undefined>(undefined)
  /** The form that is open on the alarm shown. */
  readonly form = new Value<Form | undefined>(undefined)
  readonly help = new Value(false)
  /** The list of everything that can be found or done. */
  readonly palette = new Value(false)
  /** The queue, where it has no place of its own beside the alarm. */
  readonly drawer = new Value(false)
  /** The alarms of the queue as it is shown now, from top to bottom; undefined where there is no queue. */
  readonly rows = new Value<readonly number[] | undefined>(undefined)
  /** Counts the wishes to see the top of the queue. */
  readonly home = new Value(0)
  /** Counts the wishes to call the next contact of the alarm shown. */
  readonly dial = new Value(0)
}
