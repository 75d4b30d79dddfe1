package apiclient_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/tools/apiclient/station"
)

// signIn returns a client that bears a token of the first user of a role.
func signIn(t *testing.T, f facts, role string) *station.ClientWithResponses {
	t.Helper()
	anybody, err := station.NewClientWithResponses(f.URL)
	require.NoError(t, err)
	for _, u := range f.Users {
		if u.Role != role {
			continue
		}
		token, err := anybody.IssueTokenWithResponse(t.Context(), station.Credentials{Login: u.Login, Password: u.Password})
		require.NoError(t, err)
		require.NotNil(t, token.JSON200, string(token.Body))
		bearer := "Bearer " + token.JSON200.AccessToken
		client, err := station.NewClientWithResponses(f.URL, station.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", bearer)
			return nil
		}))
		require.NoError(t, err)
		return client
	}
	t.Fatalf("the demo has no %s", role)
	return nil
}

// refused expects a problem of a status and code.
func refused(t *testing.T, response *http.Response, p *station.Problem, status int, code string) {
	t.Helper()
	require.Equal(t, status, response.StatusCode)
	require.NotNil(t, p, "a refusal is a problem document")
	require.Equal(t, code, p.Code)
	require.EqualValues(t, status, p.Status)
	require.NotEmpty(t, p.Detail)
}

// open opens an alarm by hand under an idempotency key.
func open(t *testing.T, c *station.ClientWithResponses, site int64, key, text string) *station.OpenAlarmResponse {
	t.Helper()
	answer, err := c.OpenAlarmWithResponse(t.Context(), &station.OpenAlarmParams{IdempotencyKey: &key},
		station.OpenAlarmInputBody{SiteId: site, Kind: "panic", Text: text})
	require.NoError(t, err)
	return answer
}

func TestAGeneratedClientWorksWithTheStation(t *testing.T) {
	f := startDemo(t)

	stranger, err := station.NewClientWithResponses(f.URL)
	require.NoError(t, err)
	nothing, err := stranger.ListAlarmsWithResponse(t.Context(), nil)
	require.NoError(t, err)
	refused(t, nothing.HTTPResponse, nothing.ApplicationproblemJSONDefault, 401, "not_signed_in")

	operator := signIn(t, f, "operator")
	sites, err := operator.ListSitesWithResponse(t.Context(), nil)
	require.NoError(t, err)
	require.NotNil(t, sites.JSON200, string(sites.Body))
	require.Len(t, sites.JSON200.Sites, 3)

	opened := map[int64]station.Alarm{}
	for n, site := range sites.JSON200.Sites {
		key, text := fmt.Sprintf("open-%d", n), "the owner calls: somebody is inside"
		first := open(t, operator, site.Id, key, text)
		require.NotNil(t, first.JSON201, string(first.Body))
		require.False(t, first.JSON201.Joined)
		opened[first.JSON201.Alarm.Id] = first.JSON201.Alarm

		again := open(t, operator, site.Id, key, text)
		require.Equal(t, first.JSON201, again.JSON201, "the same key and request: the same answer")
		other := open(t, operator, site.Id, key, "something else")
		refused(t, other.HTTPResponse, other.ApplicationproblemJSONDefault, 422, "idempotency_mismatch")
	}
	require.Len(t, opened, 3, "each repeated request acted once")

	t.Run("pages of a list", func(t *testing.T) {
		seen := map[int64]int{}
		pages, one := 0, int64(1)
		params := &station.ListAlarmsParams{Limit: &one, Priority: &[]int64{1, 2, 3}}
		for {
			page, err := operator.ListAlarmsWithResponse(t.Context(), params)
			require.NoError(t, err)
			require.NotNil(t, page.JSON200, string(page.Body))
			require.LessOrEqual(t, len(page.JSON200.Alarms), 1)
			require.Positive(t, page.JSON200.Stream.Epoch)
			for _, a := range page.JSON200.Alarms {
				seen[a.Id]++
			}
			pages++
			require.Less(t, pages, 100)
			if page.JSON200.NextCursor == nil {
				break
			}
			params.Cursor = page.JSON200.NextCursor
		}
		for id := range opened {
			require.Equal(t, 1, seen[id], "alarm %d is on one page", id)
		}
	})

	t.Run("a race for an alarm", func(t *testing.T) {
		for id, alarm := range opened {
			seen := station.StepInputBody{Version: alarm.Version}
			first, err := operator.ClaimAlarmWithResponse(t.Context(), id, nil, seen)
			require.NoError(t, err)
			require.NotNil(t, first.JSON200, string(first.Body))
			require.EqualValues(t, "claimed", first.JSON200.Alarm.State)
			require.Greater(t, first.JSON200.Alarm.Version, alarm.Version)

			late, err := signIn(t, f, "supervisor").ClaimAlarmWithResponse(t.Context(), id, nil, seen)
			require.NoError(t, err)
			refused(t, late.HTTPResponse, late.ApplicationproblemJSONDefault, 409, "alarm_conflict")
			require.Contains(t, late.ApplicationproblemJSONDefault.AdditionalProperties, "alarm", "the refusal says how it is now")
			require.Contains(t, late.ApplicationproblemJSONDefault.AdditionalProperties, "actor", "and who was first")
		}
	})

	t.Run("the record", func(t *testing.T) {
		for id := range opened {
			detail, err := operator.GetAlarmWithResponse(t.Context(), id)
			require.NoError(t, err)
			require.NotNil(t, detail.JSON200, string(detail.Body))
			require.NotEmpty(t, detail.JSON200.Actions)
			events, err := operator.ListEventsWithResponse(t.Context(), &station.ListEventsParams{Alarm: &id})
			require.NoError(t, err)
			require.NotNil(t, events.JSON200, string(events.Body))
			require.Equal(t, detail.JSON200.Events, events.JSON200.Events)
			require.Len(t, events.JSON200.Events, 1)
			require.Equal(t, id, *events.JSON200.Events[0].AlarmId)
			require.EqualValues(t, "hand", events.JSON200.Events[0].Source)
		}
	})

	t.Run("all panels", func(t *testing.T) {
		var snapshot *station.SnapshotPanelsResponse
		require.Eventually(t, func() bool {
			answer, err := operator.SnapshotPanelsWithResponse(t.Context())
			if err != nil || answer.JSON200 == nil {
				return false
			}
			snapshot = answer
			for _, p := range answer.JSON200.Panels {
				if p.State == nil || p.State.Link != "up" {
					return false
				}
			}
			return len(answer.JSON200.Panels) == 3
		}, 30*time.Second, 100*time.Millisecond, "each simulated panel answers")
		for _, p := range snapshot.JSON200.Panels {
			require.NotEmpty(t, p.Site.Name)
		}
	})

	t.Run("what an operator may not", func(t *testing.T) {
		users, err := operator.ListUsersWithResponse(t.Context(), nil)
		require.NoError(t, err)
		refused(t, users.HTTPResponse, users.ApplicationproblemJSONDefault, 403, "forbidden")
	})
}
