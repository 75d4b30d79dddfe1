package event_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/event"
)

func TestWhatAPersonReportsSaysWhatWasTold(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	for _, kind := range []event.Kind{event.Panic, event.Duress, event.Fire, event.Medical, event.Gas} {
		require.True(t, event.MayReport(kind))
		require.Equal(t, event.P1, event.Reported(7, kind, "x", "", at).Priority, kind)
	}
	for _, kind := range []event.Kind{event.Link, event.Mains, event.Arming, event.Unknown, ""} {
		require.False(t, event.MayReport(kind), kind)
	}
	e := event.Reported(7, event.Other, `ktoś "chodzi" po dachu`, "p. Lis", at)
	require.Equal(t, []any{event.ByHand, true, event.P3, at}, []any{e.Source, e.Raises, e.Priority, e.EffectiveAt})
	v := e.View(event.Names{})
	require.Equal(t, `Zgłoszenie: ktoś "chodzi" po dachu (zgłasza: p. Lis)`, v.TextPL)
	require.Equal(t, `Report: ktoś "chodzi" po dachu (by: p. Lis)`, v.TextEN)
	e = event.Reported(7, event.Fire, "dym", "", at)
	require.Equal(t, "Zgłoszenie: dym", e.View(event.Names{}).TextPL)
}
