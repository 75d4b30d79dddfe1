// Package outage takes the parts of a station away that it can do without, while alarms come: RabbitMQ and Redis, dead,
// frozen, emptied, one at a time and together, for a moment and for a minute, and processes of dozor with them. What it
// asserts is what people would notice: each alarm on the wire in time, the stream without a gap at every screen, each event
// once in the database, no order carried out twice or late.
package outage
