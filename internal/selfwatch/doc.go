// Package selfwatch owns the judgement that the station itself is ill: nobody watches,
// reports or notifications wait, panels are held by nobody, the database is slow.
//
// Every API instance judges each second, from what stands in the database; the row of a
// fault decides who found it. The row is committed before the report is published, and
// the report's key is made of the row's id, so that a crash in between says it again and
// never twice. A fault ends when no instance has seen it for a moment, and never for
// want of knowing: whoever has just started and can't judge yet leaves it as it is.
//
// Reports become an alarm at the station's own site. Since ingest, the relay or the
// database may be what stands still, each instance also tells its own screens at once
// what is open, and of the database what it has measured itself.
//
// It imports bus, event, ids, pg, presence (how long a desk counts), wire and the metrics
// client.
package selfwatch
