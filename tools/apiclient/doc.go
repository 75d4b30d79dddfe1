// Package apiclient owns the proof that a client of the station can be generated from
// api/openapi.yaml alone: `make client` lets oapi-codegen write the package station, and
// the tests here work with it against a running demo, as the client of somebody who has
// nothing else of dozor would.
//
// It is a module of its own, so that neither the generator nor what the generated code
// needs is any of dozor's. It imports nothing of dozor.
package apiclient
