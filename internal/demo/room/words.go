package room

import (
	"net/http"

	"golang.org/x/text/language"
)

// words are all that the page says, in one language.
type words struct {
	Lang, Other, OtherName string

	Title, Lead, Console, NoScript                          string
	HoldUp, HoldUpHint                                      string
	Components, Component, Process, Answers, SeenAs, Orders string
	Queues, Queue, LiveLane, BackfillLane, DeadLetters      string
	Figures, Grants, Position, Unstamped, Panels, Held      string
	Journal, Signs                                          string

	Kinds map[Kind]string
	// Hints say what an act does, for those who wonder.
	Hints map[Act]string

	Script script
}

// script is what the page's script says. {} is a component's name, other words in braces
// are figures.
type script struct {
	Lang    string            `json:"lang"`
	Names   map[Kind]string   `json:"names"` // of components that are the only one of their kind
	Acts    map[Act]string    `json:"acts"`
	Doing   map[Act]string    `json:"doing"`
	States  map[State]string  `json:"states"`
	Sights  map[string]string `json:"sights"`
	Entries map[string]string `json:"entries"` // of the journal

	NoAnswer   string `json:"no_answer"`
	Ready      string `json:"ready"`
	Unready    string `json:"unready"`
	Unknown    string `json:"unknown"`
	Hears      string `json:"hears"`
	Deaf       string `json:"deaf"`
	OnItsWay   string `json:"on_its_way"`
	Through    string `json:"through"`
	LastMinute string `json:"last_minute"`
	Last       string `json:"last"`
	Lost       string `json:"lost"`
	Refused    string `json:"refused"`
	PID        string `json:"pid"`
	Since      string `json:"since"`
}

var polish = words{
	Lang: "pl", Other: "en", OtherName: "English",
	Title:   "Sterownia",
	Lead:    "Zatrzymaj, zabij albo zamroź dowolną część stacji i wywołaj napad: alarm ma dojść mimo to.",
	Console: "Konsola", NoScript: "Sterownia potrzebuje JavaScriptu.",
	HoldUp: "Napad u jubilera", HoldUpHint: "Przycisk przy kasie, obiekt Jubiler Złota 4",
	Components: "Części stacji", Component: "Część", Process: "Proces", Answers: "Odpowiada", SeenAs: "Jak jest widziana", Orders: "Polecenia",
	Queues: "Ile czeka w kolejkach", Queue: "Kolejka", LiveLane: "na żywo", BackfillLane: "zaległe", DeadLetters: "odłożone",
	Figures: "Liczby", Grants: "Dzierżawy central przyznaje", Position: "Pozycja strumienia", Unstamped: "Powiadomienia bez pozycji",
	Panels: "Połączone centrale", Held: "Centrale trzyma",
	Journal: "Co się działo", Signs: "Znaki",
	Kinds: map[Kind]string{
		PostgreSQL: "zapis wszystkiego", RabbitMQ: "kolejki zdarzeń", Redis: "stan bieżący", Worker: "połączenia z centralami",
		Relay: "kolejność powiadomień", API: "alarmy i konsola", Sites: "symulowane centrale",
	},
	Hints: map[Act]string{
		Stop: "SIGTERM: proces kończy porządnie", Kill: "kill -9: jak zanik zasilania", Freeze: "SIGSTOP: połączenia stoją, nic nie odpowiada",
		Thaw: "SIGCONT: proces idzie dalej", Start: "na nowo, na tych samych danych",
	},
	Script: script{
		Lang:   "pl",
		Names:  map[Kind]string{PostgreSQL: "PostgreSQL", RabbitMQ: "RabbitMQ", Redis: "Redis", Sites: "Obiekty"},
		Acts:   map[Act]string{Stop: "Zatrzymaj", Kill: "Zabij", Freeze: "Zamroź", Thaw: "Odmroź", Start: "Uruchom"},
		Doing:  map[Act]string{Stop: "zatrzymuje się", Kill: "ginie", Freeze: "zamarza", Thaw: "odmarza", Start: "rusza"},
		States: map[State]string{Running: "działa", Frozen: "zamrożony", Dead: "martwy"},
		Sights: map[string]string{"ok": "używa", "aside": "odstawił", "down": "nie działa mu", "silent": "nie odpowiada"},
		Entries: map[string]string{
			"stop": "{}: zatrzymano ({ms})", "kill": "{}: zabito", "freeze": "{}: zamrożono", "thaw": "{}: odmrożono", "start": "{}: działa znowu ({ms})",
			"gone": "{}: proces skończył się bez polecenia stąd", "failed": "{}: nie udało się", "hold_up": "Napad u jubilera",
			"arrived": "Alarm doszedł przez {} w {ms}",
		},
		NoAnswer: "brak odpowiedzi", Ready: "gotowy", Unready: "nie gotowy", Unknown: "nie wiadomo",
		Hears: "strumień słychać", Deaf: "strumienia nie słychać", OnItsWay: "w drodze, {s} s", Through: "przez {}: {ms}",
		LastMinute: "Alarmy w ostatniej minucie: {n}", Last: "Ostatni: {}",
		Lost: "Demo nie odpowiada. To, co widać, jest nieaktualne.", Refused: "Nie przyjęto: {}", PID: "PID {}", Since: "od {}",
	},
}

var english = words{
	Lang: "en", Other: "pl", OtherName: "Polski",
	Title:   "Control room",
	Lead:    "Stop, kill or freeze any part of the station and make a hold-up: the alarm must come all the same.",
	Console: "Console", NoScript: "The control room needs JavaScript.",
	HoldUp: "Hold-up at the jeweller", HoldUpHint: "The button at the till, site Jubiler Złota 4",
	Components: "Parts of the station", Component: "Part", Process: "Process", Answers: "Answers", SeenAs: "How it is seen", Orders: "Orders",
	Queues: "How much waits in the queues", Queue: "Queue", LiveLane: "live", BackfillLane: "backfill", DeadLetters: "set aside",
	Figures: "Figures", Grants: "Leases on panels are granted by", Position: "Position of the stream", Unstamped: "Notifications without a position",
	Panels: "Panels connected", Held: "Panels are held by",
	Journal: "What happened", Signs: "Signs",
	Kinds: map[Kind]string{
		PostgreSQL: "the record of all", RabbitMQ: "queues of events", Redis: "live state", Worker: "connections to panels",
		Relay: "order of notifications", API: "alarms and the console", Sites: "simulated panels",
	},
	Hints: map[Act]string{
		Stop: "SIGTERM: the process ends properly", Kill: "kill -9: as a power cut does", Freeze: "SIGSTOP: connections stand, nothing answers",
		Thaw: "SIGCONT: the process goes on", Start: "anew, on the same data",
	},
	Script: script{
		Lang:   "en",
		Names:  map[Kind]string{PostgreSQL: "PostgreSQL", RabbitMQ: "RabbitMQ", Redis: "Redis", Sites: "Sites"},
		Acts:   map[Act]string{Stop: "Stop", Kill: "Kill", Freeze: "Freeze", Thaw: "Thaw", Start: "Start"},
		Doing:  map[Act]string{Stop: "stopping", Kill: "dying", Freeze: "freezing", Thaw: "thawing", Start: "starting"},
		States: map[State]string{Running: "running", Frozen: "frozen", Dead: "dead"},
		Sights: map[string]string{"ok": "uses it", "aside": "has put it aside", "down": "can't use it", "silent": "does not answer"},
		Entries: map[string]string{
			"stop": "{} stopped ({ms})", "kill": "{} killed", "freeze": "{} frozen", "thaw": "{} thawed", "start": "{} runs again ({ms})",
			"gone": "{}: the process ended without an order from here", "failed": "{}: that failed", "hold_up": "Hold-up at the jeweller",
			"arrived": "The alarm came through {} in {ms}",
		},
		NoAnswer: "no answer", Ready: "ready", Unready: "not ready", Unknown: "not known",
		Hears: "stream heard", Deaf: "stream not heard", OnItsWay: "on its way, {s} s", Through: "through {}: {ms}",
		LastMinute: "Alarms in the last minute: {n}", Last: "The last one: {}",
		Lost: "The demo does not answer. What you see is out of date.", Refused: "Not accepted: {}", PID: "PID {}", Since: "since {}",
	},
}

var languages = language.NewMatcher([]language.Tag{language.Polish, language.English})

// wordsFor takes the language that the address names, or else the one that the browser
// asks for.
func wordsFor(r *http.Request) *words {
	switch r.URL.Query().Get("lang") {
	case polish.Lang:
		return &polish
	case english.Lang:
		return &english
	}
	if _, index := language.MatchStrings(languages, r.Header.Get("Accept-Language")); index == 1 {
		return &english
	}
	return &polish
}
