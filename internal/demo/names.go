package demo

import (
	"fmt"
	"strings"
)

// businesses are what a copied site may be called, with the shortest and the longest names
// that stations know.
var businesses = [][]string{
	// in the order of the five templates
	{"Kantor", "Lombard „Srebrnik”", "Salon optyczny", "Jubiler", "Komis elektroniki użytkowej"},
	{"Apteka „Pod Lipą”", "Przychodnia lekarza rodzinnego", "Niepubliczny Zakład Opieki Zdrowotnej „Źródełko”", "Gabinet weterynaryjny", "Drogeria"},
	{"Przedszkole Miejskie nr 7", "Biblioteka", "Liceum Ogólnokształcące im. Stefanii Sempołowskiej", "Urząd Gminy", "Zespół Szkół Ponadpodstawowych nr 2"},
	{"Magazyn", "Tartak", "Przedsiębiorstwo Wielobranżowe „Pszczółkowscy i Wspólnicy”", "Warsztat blacharski", "Chłodnia owoców"},
	{"Dom", "Dom", "Willa", "Dom letniskowy", "Wspólnota Mieszkaniowa „Śródmieście Północ”, węzeł cieplny"},
}

type place struct{ street, city, district, provider string }

var places = []place{
	{"ul. Zgierska", "Łódź", "Bałuty", "Toya"},
	{"Rynek", "Zgierz", "Rynek", "Netia"},
	{"ul. Parzęczewska", "Ozorków", "Centrum", "Orange"},
	{"ul. Konstantego Ildefonsa Gałczyńskiego", "Skierniewice", "Widok", "Orange"},
	{"ul. Łowicka", "Głowno", "Kopernika", "Netia"},
	{"pl. Kościuszki", "Aleksandrów Łódzki", "Centrum", "Toya"},
	{"ul. Rzgowska", "Łódź", "Górna", "Toya"},
	{"ul. Księdza Jerzego Popiełuszki", "Pabianice", "Bugaj", "Orange"},
	{"ul. Wodna", "Tuszyn", "Stare Miasto", "Netia"},
	{"ul. Piotrkowska", "Łódź", "Śródmieście", "Toya"},
	{"ul. Szosa Kutnowska", "Łęczyca", "Przedmieście", "Orange"},
}

// renamed gives the copy of template a name and address of its own: the n-th copy of the
// same template, from 1.
func (s Site) renamed(template, n int) Site {
	kinds := businesses[template]
	at := places[(template*4+n*3)%len(places)]
	number := 1 + (template*17+n*29)%140
	s.Name = fmt.Sprintf("%s, %s %d", kinds[n%len(kinds)], strings.TrimPrefix(at.street, "ul. "), number)
	s.Address = fmt.Sprintf("%s %d", at.street, number)
	s.City, s.District, s.Provider = at.city, at.district, at.provider
	s.Contract = fmt.Sprintf("M/%04d/2025", 1000+template+n*5)
	return s
}
