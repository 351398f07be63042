//! Words that change an answer, and words that do not: English, with those of German, French and Spanish that matter most.
//!
//! Each table maps a word to what it stands for, so that `km` and `kilometres` are the same, and `Monday` and `lundi` too.
//! A language that is not here is guarded less: its numbers, names, quotations, code and addresses are still seen.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

/// What words stand for.
type Table = LazyLock<FxHashMap<&'static str, &'static str>>;

/// A table of its labels, each with its words. A word that stands twice has its first label.
fn table(labels: &[(&'static str, &'static str)]) -> FxHashMap<&'static str, &'static str> {
    let mut table = FxHashMap::default();
    for (label, words) in labels {
        for word in words.split_whitespace() {
            table.entry(word).or_insert(*label);
        }
    }
    table
}

fn label(table: &Table, word: &str) -> Option<&'static str> {
    table.get(word).copied()
}

/// A word that says no.
pub(super) fn negation(word: &str) -> Option<&'static str> {
    label(&NEGATIONS, word).or_else(|| {
        // don't, isn't, won't; kein, keine, keinen.
        let is_not = word.ends_with("n't") || word == "cannot" || word.starts_with("kein");
        is_not.then_some("not")
    })
}

static NEGATIONS: Table = LazyLock::new(|| table(NEGATIONS_WORDS));

const NEGATIONS_WORDS: &[(&str, &str)] = &[
    ("not", "not no non nope nicht nein nee pas ne niet geen não nao dont doesnt isnt cant wont didnt"),
    ("never", "never nie niemals jamais nunca jamás mai"),
    ("without", "without ohne sans sin senza sem zonder"),
    (
        "none",
        "none nobody nothing nowhere neither nor nichts niemand weder rien personne aucun aucune ni nada nadie ningún ninguno ninguna",
    ),
    ("hardly", "hardly barely scarcely rarely seldom kaum selten"),
];

/// A unit of measure or a currency.
pub(super) fn unit(word: &str) -> Option<&'static str> {
    label(&UNITS, word)
}

static UNITS: Table = LazyLock::new(|| table(UNITS_WORDS));

const UNITS_WORDS: &[(&str, &str)] = &[
    (
        "km",
        "km kms kilometer kilometers kilometre kilometres kilometern kilomètre kilomètres kilómetro kilómetros",
    ),
    ("m", "m meter meters metre metres mètre mètres metro metros"),
    (
        "cm",
        "cm centimeter centimeters centimetre centimetres zentimeter centimètre centimètres centímetro centímetros",
    ),
    ("mm", "mm millimeter millimeters millimetre millimetres millimètre millimètres"),
    ("mi", "mile miles mi meile meilen milla millas"),
    ("ft", "ft foot feet fuß pied pieds pie pies"),
    ("in", "inch inches zoll pouce pouces pulgada pulgadas"),
    ("yd", "yd yard yards"),
    ("nmi", "nautical knot knots"),
    ("kg", "kg kgs kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes kilogramo kilogramos"),
    ("g", "g gram grams gramm gramme grammes gramo gramos"),
    ("mg", "mg milligram milligrams milligramm milligramme milligrammes"),
    ("µg", "µg mcg microgram micrograms mikrogramm"),
    ("lb", "lb lbs pound pounds pfund livre livres libra libras"),
    ("oz", "oz ounce ounces unze unzen once onces onza onzas"),
    ("stone", "stone stones"),
    ("t", "ton tons tonne tonnes tonnen"),
    ("l", "l liter liters litre litres litro litros"),
    ("ml", "ml milliliter milliliters millilitre millilitres"),
    ("gal", "gal gallon gallons gallone gallonen"),
    ("qt", "quart quarts"),
    ("pt", "pint pints"),
    ("cup", "cup cups tasse tassen taza tazas"),
    ("tbsp", "tbsp tablespoon tablespoons esslöffel el"),
    ("tsp", "tsp teaspoon teaspoons teelöffel tl"),
    ("celsius", "celsius °c centigrade"),
    ("fahrenheit", "fahrenheit °f"),
    ("kelvin", "kelvin"),
    ("°", "° degree degrees grad degré degrés grado grados"),
    ("%", "% percent percentage prozent pourcent pourcentage porcentaje"),
    ("s", "s sec secs seconds sekunde sekunden seconde secondes segundo segundos"),
    ("ms", "ms millisecond milliseconds millisekunde millisekunden"),
    ("µs", "µs microsecond microseconds"),
    ("ns", "ns nanosecond nanoseconds"),
    ("min", "minute minutes minuten minuto minutos mins"),
    ("h", "h hr hrs hour hours hourly stunde stunden stündlich heure heures hora horas"),
    ("d", "day days daily tag tage tagen täglich jour jours día días"),
    ("wk", "week weeks weekly woche wochen wöchentlich semaine semaines semana semanas"),
    ("mo", "month months monthly monat monate monaten monatlich mois mes meses mensual"),
    ("qtr", "quarterly quartal"),
    (
        "y",
        "year years yearly annual annually jahr jahre jahren jährlich an ans année années annuel annuelle año años anual",
    ),
    ("decade", "decade decades jahrzehnt jahrzehnte"),
    ("century", "century centuries jahrhundert jahrhunderte siècle siècles siglo siglos"),
    ("bit", "bit bits"),
    ("byte", "byte bytes"),
    ("kb", "kb kilobyte kilobytes kib"),
    ("mb", "mb megabyte megabytes mib"),
    ("gb", "gb gigabyte gigabytes gib"),
    ("tb", "tb terabyte terabytes tib"),
    ("kbps", "kbps"),
    ("mbps", "mbps"),
    ("gbps", "gbps"),
    ("hz", "hz hertz"),
    ("khz", "khz kilohertz"),
    ("mhz", "mhz megahertz"),
    ("ghz", "ghz gigahertz"),
    ("w", "w watt watts"),
    ("kw", "kw kilowatt kilowatts"),
    ("kwh", "kwh"),
    ("mw", "megawatt megawatts"),
    ("v", "v volt volts"),
    ("a", "amp amps ampere amperes"),
    ("j", "joule joules"),
    ("kcal", "kcal calorie calories kalorie kalorien"),
    ("psi", "psi"),
    ("bar", "bar bars"),
    ("pa", "pascal pascals"),
    ("atm", "atmospheres"),
    ("mph", "mph"),
    ("kmh", "kmh kph"),
    ("acre", "acre acres"),
    ("ha", "hectare hectares hektar"),
    ("usd", "$ usd dollar dollars dólar dólares"),
    ("cent", "¢ cent cents"),
    ("eur", "€ eur euro euros"),
    ("gbp", "£ gbp sterling"),
    ("jpy", "¥ jpy yen"),
    ("chf", "chf franken francs"),
    ("inr", "₹ inr rupee rupees"),
    ("cny", "cny yuan renminbi"),
    ("krw", "₩ krw won"),
    ("btc", "btc bitcoin bitcoins"),
    ("mol", "mol mole moles"),
    ("db", "db decibel decibels"),
];

/// A number that is written out.
pub(super) fn number(word: &str) -> Option<&'static str> {
    label(&NUMBERS, word)
}

static NUMBERS: Table = LazyLock::new(|| table(NUMBERS_WORDS));

const NUMBERS_WORDS: &[(&str, &str)] = &[
    ("0", "zero null zéro cero"),
    ("1", "one eins un uno"),
    ("2", "two zwei deux dos"),
    ("3", "three drei trois tres"),
    ("4", "four vier quatre cuatro"),
    ("5", "five fünf cinq cinco"),
    ("6", "six sechs seis"),
    ("7", "seven sieben sept siete"),
    ("8", "eight acht huit ocho"),
    ("9", "nine neun neuf nueve"),
    ("10", "ten zehn dix diez"),
    ("11", "eleven elf onze once"),
    ("12", "twelve zwölf douze doce dozen dutzend douzaine docena"),
    ("13", "thirteen dreizehn treize trece"),
    ("14", "fourteen vierzehn quatorze catorce"),
    ("15", "fifteen fünfzehn quinze quince"),
    ("16", "sixteen sechzehn seize dieciséis"),
    ("17", "seventeen siebzehn diecisiete"),
    ("18", "eighteen achtzehn dieciocho"),
    ("19", "nineteen neunzehn diecinueve"),
    ("20", "twenty zwanzig vingt veinte"),
    ("30", "thirty dreißig trente treinta"),
    ("40", "forty vierzig quarante cuarenta"),
    ("50", "fifty fünfzig cinquante cincuenta"),
    ("60", "sixty sechzig soixante sesenta"),
    ("70", "seventy siebzig setenta"),
    ("80", "eighty achtzig ochenta"),
    ("90", "ninety neunzig noventa"),
    ("100", "hundred hundreds hundert cent cien ciento"),
    ("1000", "thousand thousands tausend mille mil"),
    ("1000000", "million millions millionen millón millones"),
    ("1000000000", "billion billions milliarde milliarden milliard milliards"),
    ("1e12", "trillion trillions billionen"),
    ("1st", "first erste ersten erster erstes premier première primero primera"),
    ("2nd", "second zweite zweiten zweiter deuxième segunda"),
    ("3rd", "third thirds dritte dritten dritter troisième tercero tercera drittel"),
    ("4th", "fourth vierte vierten quatrième cuarto"),
    ("5th", "fifth fünfte fünften cinquième quinto"),
    ("6th", "sixth sechste sechsten"),
    ("7th", "seventh siebte siebten"),
    ("8th", "eighth achte achten"),
    ("9th", "ninth neunte neunten"),
    ("10th", "tenth zehnte zehnten"),
    ("1/2", "half halves halb halbe hälfte moitié demi mitad medio media"),
    ("1/4", "quarter quarters viertel quart"),
    ("*2", "double doubled twice twofold doppelt zweimal doble"),
    ("*3", "triple tripled thrice threefold dreifach dreimal"),
    ("1*", "single once einmal einzeln"),
    ("couple", "couple pair pairs paar paire"),
];

/// A day, a month or a time that a calendar or a clock has.
pub(super) fn date(word: &str) -> Option<&'static str> {
    label(&DATES, word)
}

static DATES: Table = LazyLock::new(|| table(DATES_WORDS));

const DATES_WORDS: &[(&str, &str)] = &[
    ("mon", "monday mondays mon montag montags lundi lunes"),
    ("tue", "tuesday tuesdays tue tues dienstag dienstags mardi martes"),
    ("wed", "wednesday wednesdays wed mittwoch mittwochs mercredi miércoles"),
    ("thu", "thursday thursdays thu thurs donnerstag donnerstags jeudi jueves"),
    ("fri", "friday fridays fri freitag freitags vendredi viernes"),
    ("sat", "saturday saturdays samstag samstags samedi sábado"),
    ("sun", "sunday sundays sonntag sonntags dimanche domingo"),
    ("weekend", "weekend weekends wochenende"),
    ("weekday", "weekday weekdays werktag werktage"),
    ("jan", "january jan januar jänner janvier enero"),
    ("feb", "february feb februar février febrero"),
    ("mar", "march märz mars marzo"),
    ("apr", "april apr avril abril"),
    ("may", "may mai mayo"),
    ("jun", "june jun juni juin junio"),
    ("jul", "july jul juli juillet julio"),
    ("aug", "august aug août agosto"),
    ("sep", "september sep sept septembre septiembre"),
    ("oct", "october oct oktober octobre octubre"),
    ("nov", "november nov novembre noviembre"),
    ("dec", "december dec dezember décembre diciembre"),
    ("spring", "springtime frühling frühjahr printemps primavera"),
    ("summer", "summer sommer été verano"),
    ("autumn", "autumn herbst automne otoño"),
    ("winter", "winter hiver invierno"),
    ("yesterday", "yesterday gestern hier ayer"),
    ("today", "today heute hoy"),
    ("tomorrow", "tomorrow morgen demain mañana"),
    ("tonight", "tonight"),
    ("now", "now currently jetzt derzeit maintenant actuellement ahora"),
    ("morning", "morning am mornings morgens vormittag matin"),
    ("noon", "noon midday mittag midi mediodía"),
    ("afternoon", "afternoon pm nachmittag tarde"),
    ("evening", "evening evenings abend abends soir"),
    ("night", "night nights overnight nacht nachts nuit noche"),
    ("midnight", "midnight mitternacht minuit medianoche"),
    ("next", "next nächste nächsten nächster nächstes prochain prochaine próximo próxima"),
    (
        "last",
        "last previous past letzte letzten letzter letztes dernier dernière passé pasado pasada último última",
    ),
    ("ago", "ago vor"),
    ("future", "will shall wird werden upcoming"),
    ("was", "was were did had war waren wurde wurden hatte était fue era fueron"),
    ("christmas", "christmas xmas weihnachten noël navidad"),
    ("easter", "easter ostern pâques pascua"),
    ("bc", "bc bce"),
];

/// A word that turns an answer round: more or less, before or after, all or some, he or she.
pub(super) fn polar(word: &str) -> Option<&'static str> {
    label(&POLAR, word)
}

static POLAR: Table = LazyLock::new(|| table(POLAR_WORDS));

const POLAR_WORDS: &[(&str, &str)] = &[
    (
        "up",
        "increase increases increased increasing raise raises raised rise rises grow grows growth gain gains erhöhen steigen augmenter aumentar up upward",
    ),
    (
        "down",
        "decrease decreases decreased decreasing reduce reduces reduced lower lowers lowered drop drops fall falls decline loss losses lose loses losing verringern senken sinken baisser réduire reducir disminuir down downward",
    ),
    (
        "more",
        "more greater larger bigger higher mehr größer höher davantage más mayor over above exceed exceeds exceeding",
    ),
    ("less", "less fewer smaller weniger kleiner niedriger moins menos menor under below beneath"),
    (
        "most",
        "most maximum max highest largest biggest greatest upper meisten höchste größte maximal maximale maximal maximum máximo",
    ),
    ("least", "least minimum min lowest smallest wenigsten niedrigste kleinste minimal minimale mínimo"),
    (
        "better",
        "better best advantage advantages pro pros benefit benefits good besser beste besten vorteil vorteile meilleur meilleure mieux avantage avantages mejor ventaja ventajas",
    ),
    (
        "worse",
        "worse worst disadvantage disadvantages con cons drawback drawbacks bad schlechter schlechteste nachteil nachteile pire inconvénient inconvénients peor desventaja desventajas",
    ),
    ("fast", "fast faster fastest quick quicker quickest schnell schneller schnellste rapide rápido"),
    ("slow", "slow slower slowest langsam langsamer langsamste lent lento"),
    ("long", "long longer longest lang länger längste"),
    ("short", "short shorter shortest kurz kürzer kürzeste"),
    ("cheap", "cheap cheaper cheapest billig billiger günstig günstiger barato"),
    ("expensive", "expensive dear costly teuer teurer teuerste cher chère caro"),
    ("old", "old older oldest alt älter älteste ancien viejo"),
    ("new", "new newer newest latest neu neue neuen neueste neuesten nouveau nouvelle nuevo nueva"),
    ("hot", "hot hotter warm warmer heiß chaud caliente"),
    ("cold", "cold colder cool cooler kalt froid frío"),
    ("before", "before prior earlier until till bevor vorher bis avant antes"),
    ("after", "after afterwards later since nach nachdem danach seit après depuis después desde"),
    ("during", "during while während pendant durante"),
    (
        "start",
        "start starts starting begin begins beginning open opens opening launch anfangen beginnen öffnen öffnet starten commencer ouvrir empezar abrir",
    ),
    (
        "stop",
        "stop stops stopping end ends ending close closes closing finish quit beenden enden schließen schließt stoppen arrêter fermer terminer parar cerrar terminar",
    ),
    (
        "on",
        "enable enables enabled enabling activate activated activating aktivieren einschalten activer activar",
    ),
    (
        "off",
        "disable disables disabled disabling deactivate deactivated deactivating deaktivieren ausschalten désactiver desactivar",
    ),
    (
        "add",
        "add adds adding added create creates creating install installs installing insert include includes including hinzufügen erstellen anlegen installieren ajouter créer installer añadir agregar crear instalar",
    ),
    (
        "remove",
        "remove removes removing removed delete deletes deleting deleted uninstall uninstalls uninstalling exclude excludes excluding löschen entfernen deinstallieren supprimer enlever désinstaller eliminar borrar quitar desinstalar",
    ),
    ("buy", "buy buys buying bought purchase purchases kaufen acheter comprar"),
    ("sell", "sell sells selling sold verkaufen vendre vender"),
    ("lend", "lend lends lending lender leihen"),
    ("borrow", "borrow borrows borrowing borrower ausleihen"),
    (
        "import",
        "import imports importing imported upload uploads uploading importieren hochladen importer importar subir",
    ),
    (
        "export",
        "export exports exporting exported download downloads downloading exportieren herunterladen exporter exportar télécharger descargar",
    ),
    (
        "encrypt",
        "encrypt encrypts encrypting encode encodes encoding compress compresses verschlüsseln chiffrer cifrar",
    ),
    (
        "decrypt",
        "decrypt decrypts decrypting decode decodes decoding decompress decompresses extract entschlüsseln déchiffrer descifrar",
    ),
    (
        "allow",
        "allow allows allowed allowing permit permits permitted grant grants legal accept accepts approve approved erlauben erlaubt darf autoriser permitir",
    ),
    (
        "forbid",
        "forbid forbids forbidden forbidding deny denies denied block blocks prohibit prohibited ban banned revoke revokes illegal reject rejects decline verbieten verboten interdire prohibir",
    ),
    (
        "in",
        "enter entering inside indoor indoors inbound incoming arrival arrivals arrive login subscribe join innen ankunft intérieur dentro llegada",
    ),
    (
        "out",
        "exit exiting outside outdoor outdoors outbound outgoing departure departures depart logout unsubscribe leave außen abfahrt abflug extérieur fuera salida",
    ),
    ("left", "left links gauche izquierda"),
    ("right", "right rechts droite derecha"),
    ("north", "north northern nord norden norte"),
    ("south", "south southern süd süden sud sur"),
    ("east", "east eastern ost osten est este"),
    ("west", "west western westen ouest oeste"),
    ("front", "front vorn vorne devant"),
    ("back", "back rear behind hinten derrière detrás"),
    (
        "all",
        "all every each everyone everything entire whole alle alles jede jeder jedes tous toutes tout todo todos todas cada",
    ),
    (
        "some",
        "some few several partial partially many einige manche mehrere quelques certains algunos algunas",
    ),
    ("only", "only just solely exclusively nur seulement uniquement solo sólo solamente"),
    ("except", "except excepting unless besides otherwise außer sauf excepto salvo"),
    ("both", "both beide beides"),
    ("or", "either or oder ou"),
    (
        "must",
        "must should have-to required mandatory need-to muss müssen soll sollte sollten doit dois devrais devrait debe deben debo debería",
    ),
    ("may", "may might optional könnte peut-être quizás"),
    ("true", "true correct valid wahr richtig gültig vrai correcte verdadero"),
    ("false", "false incorrect wrong invalid falsch ungültig faux falso incorrecto"),
    (
        "pass",
        "pass passes passed succeed succeeds success win wins winning won winner bestehen gewinnen réussir gagner ganar",
    ),
    ("fail", "fail fails failed failing failure loser lost scheitern verlieren échouer perdre fallar perder"),
    ("public", "public öffentlich öffentlicher publique público"),
    ("private", "private privat privater privé privado"),
    ("safe", "safe secure sicher sûr seguro"),
    (
        "unsafe",
        "unsafe dangerous insecure harmful risky toxic poisonous gefährlich unsicher giftig dangereux peligroso",
    ),
    (
        "he",
        "he him his male man men boy boys father son brother husband er ihm mann männer il homme hombre él",
    ),
    (
        "she",
        "she her hers female woman women girl girls mother daughter sister wife frau frauen elle femme mujer ella",
    ),
    ("they", "they them their theirs leur leurs"),
    ("adult", "adult adults erwachsene erwachsener"),
    (
        "child",
        "child children kid kids baby babies infant infants toddler toddlers kind kinder enfant enfants niño niños",
    ),
    ("sync", "synchronous synchronously"),
    ("async", "async asynchronous asynchronously"),
    ("lock", "lock locks locking locked sperren verrouiller bloquear"),
    ("unlock", "unlock unlocks unlocking unlocked entsperren déverrouiller desbloquear"),
    ("connect", "connect connects connecting connected verbinden connecter conectar"),
    ("disconnect", "disconnect disconnects disconnecting disconnected trennen déconnecter desconectar"),
    ("even", "even"),
    ("odd", "odd"),
    ("positive", "positive positives positiv positif positivo"),
    ("negative", "negative negatives negativ négatif negativo"),
    ("acid", "acid acids acidic acidity"),
    ("base", "alkaline base bases basic"),
    ("first-kind", "type category class kind-of"),
    ("primary", "primary main"),
    ("secondary", "secondary backup"),
    ("same", "same equal identical gleich gleiche même mismo"),
    ("different", "different difference differences differ unterschied unterschiede différence diferencia"),
    ("cause", "cause causes caused causing reason reasons ursache ursachen"),
    ("effect", "effect effects result results consequence consequences outcome wirkung folge folgen"),
    (
        "give",
        "give gives giving gave send sends sending sent geben schicken senden envoyer donner enviar dar",
    ),
    ("get", "receive receives receiving received erhalten bekommen recevoir recibir"),
    ("ask", "request requests requesting"),
    ("hire", "hire hires hiring hired einstellen"),
    ("fire", "fire fires firing fired dismiss entlassen"),
    ("push", "push pushes pushing"),
    ("pull", "pull pulls pulling"),
    ("read", "read reads reading"),
    ("write", "write writes writing"),
    ("merge", "merge merges merging join joins"),
    ("split", "split splits splitting separate"),
    ("love", "love loves like-most favorite favourite"),
    ("hate", "hate hates dislike dislikes"),
    ("empty", "empty leer vide vacío"),
    ("full", "full voll plein lleno"),
    ("input", "input inputs eingabe entrée entrada"),
    ("output", "output outputs ausgabe sortie"),
    ("gross", "gross brutto brut bruto"),
    ("net", "net netto neto"),
    ("debit", "debit debits"),
    ("credit", "credit credits"),
    ("import-duty", "tariff tariffs"),
];

/// What a question asks for, where its first words say it: who, when, where, why, how many.
pub(super) fn asks(word: &str) -> Option<&'static str> {
    label(&ASKS, word)
}

static ASKS: Table = LazyLock::new(|| table(ASKS_WORDS));

const ASKS_WORDS: &[(&str, &str)] = &[
    ("who", "who whom whose wer wen wem wessen qui quién quiénes"),
    ("when", "when wann quand cuándo"),
    ("where", "where wo wohin woher où dónde adónde"),
    ("why", "why warum weshalb wieso pourquoi"),
    ("amount", "many much wieviel wieviele combien cuánto cuánta cuántos cuántas"),
    ("often", "often oft souvent"),
    ("far", "far"),
    ("which", "which welche welcher welches welchen quel quelle quels quelles cuál cuáles"),
];

/// Words between which the order says who does what to whom.
pub(super) fn is_direction(word: &str) -> bool {
    static SET: LazyLock<FxHashSet<&str>> = LazyLock::new(|| DIRECTIONS.split_whitespace().collect());
    const DIRECTIONS: &str = "to into from than versus vs against over by for on of on-top between instead rather in \
        von nach zu zum zur als gegen für über aus in auf bei de du des à vers par pour sur que contre a al del desde hasta \
        para por sobre en with mit avec con";
    SET.contains(word)
}

/// Words that a question has for its grammar or its manners, and that change nothing.
pub(super) fn is_filler(word: &str) -> bool {
    static SET: LazyLock<FxHashSet<&str>> = LazyLock::new(|| FILLERS.split_whitespace().collect());
    SET.contains(word)
}

const FILLERS: &str = "a an the this that these those there here it its itself is are be been being am i me my mine myself \
    you your yours yourself we us our ours do does doing done have has having can could would of to in on at by for with \
    from into onto about as and so then than too also very really actually basically please kindly thanks thank hello hi hey \
    dear tell show explain describe know wonder wondering like want wanted wish what whats how hows whether if but because \
    any way ways help me lets let us exactly right-now quick-question question just-wondering ok okay well \
    say says let's got go going make-sure someone somebody something anybody anyone anything one's s re ve ll d m t \
    someone's way's find figure looking need needs tried trying try steps step process procedure able work works \
    der die das den dem des ein eine einen einem einer eines ist sind bin bist sein ich mich mir mein meine meinen meiner du \
    dich dir dein deine deinen sie ihr ihre ihren wir uns unser unsere es man und auch mit von zu zum zur im am an auf in aus \
    für bei bitte danke hallo wie was kann kannst können könnte könnten könntest möchte will hat haben habe wird so denn doch \
    mal dass ob sagen sag zeigen erklären geht machen mache tun \
    le la les l un une des du de d et en au aux à est sont suis es ce cet cette ces je j me m mon ma mes tu te t ton ta tes \
    vous votre vos nous notre nos on il y que qu quoi comment est-ce peux peut puis-je pouvez pourriez voudrais svp merci \
    bonjour s'il plaît faire fait dire dites expliquer expliquez avec pour par sur dans \
    el los las lo una unos unas y e o del al es son soy eres está están esto este esta mi mis tu tus su sus yo me te se nos \
    que qué cómo puedo puede podría podrías quiero quisiera por favor gracias hola hacer hago dime decir explica explicar con \
    para en";

/// The beginnings that turn a word into its contrary.
pub(super) const CONTRARY: &[&str] =
    &["un", "in", "im", "il", "ir", "dis", "non", "anti", "de", "mis", "a", "counter", "irr", "off"];

/// A word without the endings of its number: `passwords`, `batteries`, `boxes`.
pub(super) fn stem(word: &str) -> &str {
    let is_long = word.chars().count() > 3;
    let cut = |ending: &str| word.strip_suffix(ending).filter(|rest| rest.chars().count() > 2);
    match () {
        () if !is_long || !word.is_ascii() => word,
        () if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") => word,
        () if word.ends_with("sses") || word.ends_with("shes") || word.ends_with("ches") => {
            cut("es").unwrap_or(word)
        }
        () if word.ends_with("xes") || word.ends_with("zes") => cut("es").unwrap_or(word),
        () => cut("s").unwrap_or(word),
    }
}
