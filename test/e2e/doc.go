// Package e2e tries the whole station against everything that goes wrong on the way to a panel and inside of it, with real
// processes: what a panel has recorded is there afterwards, once; alarms of the moment never wait for that; what can't be
// known is said; orders are carried out in time or not at all.
//
// Times are those of the real thing, or scaled together: a walk of 2,000 records at a third of a real module's time, with a
// link that drops as often in it.
package e2e
