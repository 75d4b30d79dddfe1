// Whether this window may change anything: only while the stream is live, that is while
// the operator sees what the server knows. The stream opens and closes it; the API
// client and <Mutating> each refuse on their own.
import { Value } from './value'

export const gate = new Value(false)
