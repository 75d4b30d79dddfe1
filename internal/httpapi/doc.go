// Package httpapi owns the REST interface: operations with their types, the way of an
// error to a problem document, and what stands around every request.
//
// A request passes, from the outside in: its id, security headers, the access log, the
// rescue of a panic, the limit of a body, the protection against other origins; then the
// route. Before an operation of /api runs, the permission table is asked (no row: nobody
// may), who asks is found out, and an Idempotency-Key is honoured. Operations themselves
// hold no rules: they translate.
//
// Every error is classified once in the package where it is understood (errs); here it
// becomes a status and application/problem+json with a stable code. What is not
// classified is logged and says nothing to the client. Values that were refused are never
// said back.
//
// The stream's handler and the web client's are mounted, not known. api/openapi.yaml is
// rendered from the operations and compared by a test.
//
// It imports the domain packages, auth, huma, and nothing below them.
package httpapi
