package demo

import (
	"time"

	"dozor/satel/sim"
)

// Code is the user code of every demo panel.
const Code = "4711"

// Site is a guarded site of the demo with what an installer has set in its panel.
type Site struct {
	Name, Address, City, District, Provider, Risk, Contract, Notes string
	Latitude, Longitude                                            float64
	Panel                                                          sim.Site
	// Key is the integration key under which the panel's module speaks; empty where it
	// speaks plainly.
	Key string
	// Contacts are whom to call, in this order.
	Contacts []Contact
	// Raises are zones whose violation while armed is a believable alarm; Panic is the
	// number of a hold-up button, 0 for none.
	Raises []int
	Panic  int
}

// Contact is somebody to call about a site, invented like their number.
type Contact struct {
	Name, Role, Notes string
	Phones            []Phone
}

// Phone is a number with what it is called.
type Phone struct{ Label, Number string }

// Sites returns n sites: the five of the demo, and after them copies that have names and
// addresses of their own, for a fuller screen.
func Sites(n int) []Site {
	five := []Site{jeweller(), pharmacy(), school(), warehouse(), house()}
	sites := make([]Site, 0, n)
	for i := range n {
		template, copied := i%len(five), i/len(five)
		s := five[template]
		if copied > 0 {
			s = s.renamed(template, copied)
		}
		sites = append(sites, s)
	}
	return sites
}

func station() sim.User {
	return sim.User{Number: 1, Name: "Stacja", Code: Code, Rights: sim.AllRights}
}

func person(number int, name, code string) sim.User {
	return sim.User{Number: number, Name: name, Code: code, Rights: sim.AllRights}
}

func partition(number int, name string, entry, exit time.Duration) sim.Partition {
	return sim.Partition{Number: number, Name: name, EntryDelay: entry, ExitDelay: exit}
}

func zones(in int, first int, named ...zone) []sim.Zone {
	out := make([]sim.Zone, len(named))
	for i, z := range named {
		out[i] = sim.Zone{Number: first + i, Name: z.name, Partition: in, Reaction: z.reaction}
	}
	return out
}

// mustBeClosed makes a zone one that refuses arming while it is open.
func mustBeClosed(number int, all []sim.Zone) []sim.Zone {
	for i := range all {
		all[i].Priority = all[i].Priority || all[i].Number == number
	}
	return all
}

type zone struct {
	name     string
	reaction sim.Reaction
}

func jeweller() Site {
	return Site{
		Name: "Jubiler Złota 4", Address: "ul. Złota 4", City: "Łódź", District: "Śródmieście", Provider: "Toya", Risk: "high",
		Contract: "M/0114/2019", Latitude: 51.7656, Longitude: 19.4603,
		Notes: "Sejf w pokoju za kasą. Klucze w depozycie, koperta 14. Przy napadzie nie dzwonić na salę: najpierw policja, potem właścicielka.",
		Contacts: []Contact{
			{"Anna Wilk", "właścicielka", "Całą dobę.", []Phone{{"komórka", "+48 500 000 114"}, {"sklep", "+48 42 000 11 40"}}},
			{"Piotr Wilk", "mąż, ma klucze", "Poza Łodzią od piątku do niedzieli.", []Phone{{"komórka", "+48 500 000 115"}}},
			{"Grażyna Szczepańska", "sprzedawczyni, mieszka obok", "", []Phone{{"komórka", "+48 500 000 116"}, {"dom", "+48 42 000 11 62"}}},
		},
		Raises: []int{5, 6, 7}, Panic: 10,
		Panel: sim.Site{
			Name:       "JUBILER",
			Partitions: []sim.Partition{partition(1, "Salon", 15*time.Second, 5*time.Second), partition(2, "Sejf", 0, 3*time.Second)},
			Zones: append(mustBeClosed(5, zones(1, 1,
				zone{"Drzwi wejściowe", sim.EntryExit}, zone{"Witryna lewa", sim.Perimeter}, zone{"Witryna prawa", sim.Perimeter},
				zone{"Salon PIR", sim.DelayedInterior}, zone{"Drzwi tylne", sim.Instant}, zone{"Zaplecze PIR", sim.Instant},
				zone{"Okno WC", sim.Instant}, zone{"Dym zaplecze", sim.Smoke24h}, zone{"Obudowa syreny", sim.Tamper24h},
				zone{"Napad kasa", sim.PanicSilent})),
				zones(2, 11, zone{"Sejf wibracyjna", 10}, zone{"Sejf kontaktron", sim.Instant})...),
			Outputs: []sim.Output{{Number: 1, Name: "Syrena zewn.", Function: 1}, {Number: 2, Name: "Czuwanie", Function: 21}},
			Users:   []sim.User{station(), person(4, "Anna Wilk", "2468"), person(5, "Piotr Wilk", "1357")},
		},
	}
}

func pharmacy() Site {
	return Site{
		Name: "Apteka Pod Lwem", Address: "Rynek 11", City: "Łowicz", District: "Rynek", Provider: "Orange", Risk: "normal",
		Contract: "M/0207/2021", Latitude: 52.1073, Longitude: 19.9433,
		Notes: "Dyżury nocne w pierwszą sobotę miesiąca: wtedy obiekt rozbrojony. W chłodni szczepionki, przekroczenie temperatury zgłaszać od razu.",
		Contacts: []Contact{
			{"Ewa Sowińska", "kierowniczka", "", []Phone{{"komórka", "+48 500 000 207"}, {"apteka", "+48 46 000 20 70"}}},
			{"Marek Dąb", "magister, ma klucze", "Dzwonić po 7:00, wcześniej tylko napad lub pożar.", []Phone{{"komórka", "+48 500 000 208"}}},
		},
		Raises: []int{3, 4, 6}, Panic: 8, Key: "Lowicz-Rynek",
		Panel: sim.Site{
			Name:       "APTEKA",
			Partitions: []sim.Partition{partition(1, "Apteka", 20*time.Second, 5*time.Second)},
			Zones: zones(1, 1,
				zone{"Drzwi główne", sim.EntryExit}, zone{"Izba ekspedyc.", sim.DelayedInterior}, zone{"Okno od podwórza", sim.Perimeter},
				zone{"Magazyn leków", sim.Instant}, zone{"Chłodnia drzwi", sim.NoAlarm}, zone{"Zaplecze", sim.Instant},
				zone{"Dym magazyn", sim.Smoke24h}, zone{"Napad lada", sim.PanicSilent}, zone{"Zalanie piwnica", sim.WaterLeak24h}),
			Outputs: []sim.Output{{Number: 1, Name: "Syrena", Function: 1}},
			Users:   []sim.User{station(), person(3, "Ewa Sowińska", "8520"), person(9, "Marek Dąb", "9630")},
		},
	}
}

func school() Site {
	return Site{
		Name: "Szkoła Podstawowa nr 12", Address: "ul. Jarzębinowa 7", City: "Zgierz", District: "Kurak", Provider: "Netia", Risk: "normal",
		Contract: "ZP/31/2024", Latitude: 51.8553, Longitude: 19.4063,
		Notes: "Sala gimnastyczna wynajmowana do 21:00, trener uzbraja sam. Klucze u woźnego, brama od ul. Jarzębinowej.",
		Contacts: []Contact{
			{"Zdzisław Pluta", "woźny, mieszka na terenie", "", []Phone{{"komórka", "+48 500 000 312"}}},
			{"Halina Bartoszewicz-Krzemińska", "dyrektorka", "Pożar i gaz zawsze, włamanie tylko po potwierdzeniu.", []Phone{{"komórka", "+48 500 000 313"}, {"sekretariat", "+48 42 000 31 20"}}},
			{"Robert Cieślak", "trener, najemca sali", "Tylko sprawy sali.", []Phone{{"komórka", "+48 500 000 314"}}},
		},
		Raises: []int{3, 5, 12, 13},
		Panel: sim.Site{
			Name: "SZKOŁA",
			Partitions: []sim.Partition{
				partition(1, "Parter", 30*time.Second, 8*time.Second),
				partition(2, "Piętro", 30*time.Second, 8*time.Second), partition(3, "Sala gimn.", 30*time.Second, 8*time.Second),
			},
			Zones: append(append(zones(1, 1,
				zone{"Wejście główne", sim.EntryExit}, zone{"Portiernia", sim.DelayedInterior}, zone{"Hol PIR", sim.Instant},
				zone{"Sekretariat", sim.Instant}, zone{"Pracownia komp.", sim.Instant}, zone{"Kuchnia gaz", sim.Gas24h},
				zone{"Przycisk ppoż.", sim.Fire24h}),
				zones(2, 11, zone{"Korytarz piętro", sim.Instant}, zone{"Sala 21", sim.Instant}, zone{"Sala 22", sim.Instant},
					zone{"Pok. nauczyc.", sim.Instant})...),
				zones(3, 17, zone{"Sala wejście", sim.EntryExit}, zone{"Sala PIR", sim.DelayedInterior}, zone{"Okno zaplecze", sim.Perimeter})...),
			Outputs: []sim.Output{{Number: 1, Name: "Syrena", Function: 1}},
			Users:   []sim.User{station(), person(2, "Woźny", "1122"), person(6, "Dyrekcja", "3344"), person(7, "Trener", "5566")},
		},
	}
}

func warehouse() Site {
	return Site{
		Name: "Hurtownia Fabryczna 9", Address: "ul. Fabryczna 9", City: "Pabianice", District: "Bugaj", Provider: "Toya", Risk: "normal",
		Contract: "M/0388/2020", Latitude: 51.6646, Longitude: 19.3547,
		Notes: "Wjazd od podwórza, brama na pilot. Pies na terenie do 22:00. Mroźnia: przy wysokiej temperaturze serwis chłodniczy, koperta 9.",
		Contacts: []Contact{
			{"Tomasz Kaczmarek", "kierownik", "", []Phone{{"komórka", "+48 500 000 388"}, {"biuro", "+48 42 000 38 80"}}},
			{"Oleh Kowalczuk", "magazynier, otwiera o 5:00", "", []Phone{{"komórka", "+48 500 000 389"}}},
			{"Chłodpol Serwis", "serwis mroźni", "Całodobowo, podać numer umowy.", []Phone{{"dyżur", "+48 500 000 390"}}},
		},
		Raises: []int{3, 4, 5, 6},
		Panel: sim.Site{
			Name:       "HURTOWNIA",
			Partitions: []sim.Partition{partition(1, "Biuro", 20*time.Second, 5*time.Second), partition(2, "Magazyn", 20*time.Second, 5*time.Second)},
			Zones: append(zones(1, 1,
				zone{"Biuro drzwi", sim.EntryExit}, zone{"Biuro PIR", sim.DelayedInterior}),
				zones(2, 3, zone{"Brama A", sim.Instant}, zone{"Brama B", sim.Instant}, zone{"Rampa PIR", sim.Instant},
					zone{"Świetlik dach", sim.Perimeter}, zone{"Dym regał 1", sim.Smoke24h}, zone{"Dym regał 2", sim.Smoke24h},
					zone{"Temp. mroźnia", sim.TooHot24h}, zone{"Szafa zasilania", sim.Tamper24h})...),
			Outputs:    []sim.Output{{Number: 1, Name: "Syrena", Function: 1}, {Number: 2, Name: "Oświetl. placu", Function: 25}},
			Users:      []sim.User{station(), person(2, "Kierownik", "7412"), person(3, "Magazynier", "8523")},
			MainsDelay: 0,
		},
	}
}

func house() Site {
	return Site{
		Name: "Dom Świerkowa 23", Address: "ul. Świerkowa 23", City: "Aleksandrów Łódzki", District: "Wierzbno", Provider: "Orange", Risk: "normal",
		Contract: "D/0523/2023", Latitude: 51.8193, Longitude: 19.3037,
		Notes: "Starsza osoba, słabo słyszy. Przycisk medyczny w sypialni: najpierw pogotowie, potem córka. Klucz w sejfie na szyfr przy furtce.",
		Contacts: []Contact{
			{"Stanisława Jóźwiak", "domowniczka", "Mówić głośno i powoli.", []Phone{{"dom", "+48 42 000 52 30"}}},
			{"Magdalena Jóźwiak-Nowicka", "córka", "Mieszka 20 minut stąd.", []Phone{{"komórka", "+48 500 000 523"}, {"praca", "+48 42 000 52 31"}}},
			{"Iwona Sikora", "opiekunka", "W dni robocze od 8:00 do 16:00.", []Phone{{"komórka", "+48 500 000 524"}}},
		},
		Raises: []int{3, 4, 6},
		Panel: sim.Site{
			Name:       "DOM",
			Partitions: []sim.Partition{partition(1, "Dom", 25*time.Second, 6*time.Second), partition(2, "Garaż", 25*time.Second, 6*time.Second)},
			Zones: append(zones(1, 1,
				zone{"Drzwi frontowe", sim.EntryExit}, zone{"Salon PIR", sim.DelayedInterior}, zone{"Taras drzwi", sim.Perimeter},
				zone{"Okno kuchnia", sim.Perimeter}, zone{"Czujnik dymu", sim.Smoke24h}, zone{"Piwnica okno", sim.Instant},
				zone{"Przycisk med.", sim.MedicalButton}),
				zones(2, 8, zone{"Brama garażu", sim.EntryExit}, zone{"Garaż PIR", sim.Instant})...),
			Outputs: []sim.Output{{Number: 1, Name: "Syrena", Function: 1}},
			Users:   []sim.User{station(), person(2, "Domownik", "4455"), person(3, "Opiekunka", "6677")},
		},
	}
}
