// Package obs owns what a running dozor says of itself: the logger, the identifiers that
// tie log lines of one story together, the registry of metrics, and the health server.
//
//   - Loggers and registries are made and handed on, never global.
//   - A log line written with a context carries the trace_id and request_id of it.
//   - A trace is a W3C traceparent, carried in message headers and the outbox, so that
//     one trace leads from the panel's frame to the screen.
//   - Liveness (/healthz) asks nobody; readiness (/readyz) asks every named check, each
//     for at most a second, and says what is wrong with which. The health server has a
//     listener of its own, so that a flood at the front door does not make a healthy
//     instance look dead.
//
// It imports the standard library and the prometheus client, nothing of dozor.
package obs
