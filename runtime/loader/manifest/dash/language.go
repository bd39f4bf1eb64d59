package dash

import "strings"

// shortLanguages has the two letters of a language behind its three letters, for those of ISO 639-2 that have two; both
// the terminological and the bibliographic code are there. golang.org/x/text/language does not know the latter.
// Source: shaka-player 4.16.9, lib/util/language_utils.js.
const shortLanguages = "" +
	"aaraa abkab afraf akaak albsq amham araar argan armhy asmas avaav aveae aymay azeaz bakba bambm baqeu belbe " +
	"benbn bihbh bisbi bodbo bosbs brebr bulbg burmy catca cescs chach chece chizh chucu chvcv corkw cosco crecr " +
	"cymcy czecs danda deude divdv dutnl dzodz ellel engen epoeo estet euseu eweee faofo fasfa fijfj finfi frafr " +
	"frefr fryfy fulff geoka gerde glagd glega glggl glvgv greel grngn gujgu hatht hauha hebhe herhz hinhi hmoho " +
	"hrvhr hunhu hyehy iboig iceis idoio iiiii ikuiu ileie inaia indid ipkik islis itait javjv jpnja kalkl kankn " +
	"kasks katka kaukr kazkk khmkm kikki kinrw kirky komkv konkg korko kuakj kurku laolo latla lavlv limli linln " +
	"litlt ltzlb lublu luglg macmk mahmh malml maomi marmr mayms mkdmk mlgmg mltmt monmn mrimi msams myamy nauna " +
	"navnv nblnr ndend ndong nepne nldnl nnonn nobnb norno nyany ocioc ojioj orior ormom ossos panpa perfa plipi " +
	"polpl porpt pusps quequ rohrm ronro rumro runrn rusru sagsg sansa sinsi slksk slosk slvsl smese smosm snasn " +
	"sndsd somso sotst spaes sqisq srdsc srpsr sswss sunsu swasw swesv tahty tamta tattt telte tgktg tgltl thath " +
	"tibbo tirti tonto tsntn tsots tuktk turtr twitw uigug ukruk urdur uzbuz venve vievi volvo welcy wlnwa wolwo " +
	"xhoxh yidyi yoryo zhaza zhozh zulzu "

// normalLanguage is a language tag as the player keeps it: the language in two letters where there are two, the region,
// and what is for private use. The second part of a tag counts as its region, whatever it is.
// Source: shaka-player 4.16.9, LanguageUtils.normalize.
func normalLanguage(tag string) string {
	public, private, _ := strings.Cut(tag, "-x-")
	private, _, _ = strings.Cut(private, "-x-")
	language, rest, _ := strings.Cut(public, "-")
	region, _, _ := strings.Cut(rest, "-")
	language = twoLetters(strings.ToLower(language))
	if region != "" {
		language += "-" + strings.ToUpper(region)
	}
	if private != "" {
		language += "-x-" + private
	}
	return language
}

func twoLetters(language string) string {
	if len(language) != 3 || strings.Contains(language, " ") {
		return language
	}
	// Entries have five letters and a blank.
	for at := 0; at < len(shortLanguages); at += 6 {
		if shortLanguages[at:at+3] == language {
			return shortLanguages[at+3 : at+5]
		}
	}
	return language
}

// related tells how near two normal tags are, from 0 (not at all) to 4 (equal).
// Source: shaka-player 4.16.9, LanguageUtils.relatedness.
func related(target, candidate string) int {
	targetBase, targetRest, targetLong := strings.Cut(target, "-")
	base, rest, long := strings.Cut(candidate, "-")
	switch {
	case target == candidate:
		return 4
	case targetBase != base:
		return 0
	case !long && targetLong:
		return 3
	case long && targetLong && rest != targetRest:
		return 2
	case long && !targetLong:
		return 1
	}
	return 0
}
