// Package demo tries the demo of several processes as a visitor does: parts are killed and
// frozen in its control room while an alarm is made, and the demo itself is killed.
package demo
