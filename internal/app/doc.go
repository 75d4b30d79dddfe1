// Package app owns the composition: which parts a process has, in which order they begin
// and end, and what the commands of the program do with them. It is the one package that
// knows all others; it holds no rule of the trade.
package app
