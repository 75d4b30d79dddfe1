// Package demo owns what the demo shows: five guarded sites as one finds them in a
// Polish town, with their panels, and the ordinary life that goes on in them.
//
// Names, streets and people are invented. The panels are simulated over real TCP; for
// everything behind them the demo runs the same program as a station does.
//
// It imports satel/sim.
package demo
