/** The words of notices in German. */
import type { Count, Words } from './words.ts'

const messages = ({ n, text }: Count): string => `${text} ${n === 1 ? 'Nachricht' : 'Nachrichten'}`

export const GERMAN: Words = {
  common: {
    whatHappens: 'Was mit Ihrer Mail geschieht',
    whatToDo: 'Was Sie tun können',
    closing: (hostname) => [
      `Diese Mitteilung hat Vorposten auf ${hostname} automatisch geschrieben. Sie brauchen nicht zu antworten. Fragen beantwortet Ihr Provider.`,
    ],
    domains: 'Domains',
    since: 'Seit',
    until: 'Bis',
    lasted: 'Dauer',
    waiting: 'Wartend',
    oldest: 'Älteste empfangen',
    none: 'keine Nachrichten',
    messages,
    andMore: ({ text }) => `und ${text} weitere`,
  },
  digest: {
    subject: (count, tenant) => `${messages(count)} zurückgehalten: bitte entscheiden Sie (${tenant})`,
    opening: (count, hostname) => `${hostname} hat ${messages(count)} für Sie angenommen und nicht zugestellt.`,
    noBounce:
      'Die Absender haben keine Unzustellbarkeitsnachricht bekommen, weil Absenderadressen oft gefälscht sind. Verloren ist nichts:',
    kept: 'Wir bewahren diese Nachrichten auf, bis Sie entscheiden.',
    keptForAWhile:
      'Wir bewahren diese Nachrichten auf, bis Sie entscheiden, längstens bis zu dem Zeitpunkt, der bei jeder steht.',
    all: (count) => `Insgesamt ${count.n === 1 ? 'ist' : 'sind'} ${messages(count)} für Sie zurückgehalten.`,
    caption: 'Neu zurückgehaltene Nachrichten',
    columns: ['Nachricht', 'Von', 'An', 'Empfangen', 'Grund', 'Aufbewahrt bis'],
    noSubject: '(ohne Betreff)',
    nobody: '<> (automatische Nachricht)',
    keptForever: 'Sie entscheiden',
    why: {
      refused: 'Ihr Server hat sie abgelehnt, nachdem wir sie angenommen hatten',
      expired: 'Nicht rechtzeitig zugestellt; der letzte Versuch endete mit',
      operator: 'Vom Betreiber dieses Relays angehalten',
      loop: 'Die Nachricht läuft im Kreis',
      policy: 'Nach einer Ihrer Regeln zurückgehalten',
      locked: 'Zurückgehalten, weil sie von einem Dieb stammen kann',
    },
    more: (count) => `Und ${count.text} weitere. Wer dieses Relay betreibt, sieht alle mit`,
    advice: {
      'unknown-recipients':
        'Unbekannte Empfänger (Voraussetzung R1): Ihr Server hat einen Empfänger abgelehnt, den wir für gültig hielten. Soll es die Adresse geben, richten Sie sie bitte ein. Soll es sie nicht geben, sollte Ihr Server unbekannte Empfänger schon im SMTP-Dialog ablehnen (in der Antwort auf RCPT TO). Dann erfährt es der Absender sofort, und nichts wird zurückgehalten.',
      'content-rejection':
        'Inhalt (Voraussetzung R3): Offenbar hat ein Filter auf Ihrem Server Mail wegen ihres Inhalts abgelehnt. Bitte lassen Sie Mail von unserem Relay durch; sie zu markieren oder in einen Spam-Ordner zu legen, ist in Ordnung. Geben Sie eine Nachricht nur frei, wenn Sie ihr trauen.',
      availability:
        'Erreichbarkeit (Voraussetzungen R4 und R5): Ihr Server hat diese Nachrichten nicht rechtzeitig angenommen. Bitte sorgen Sie dafür, dass er dauerhaft online ist, eine feste IP-Adresse hat und unser Relay nicht verzögert, zum Beispiel durch Greylisting.',
      loop: 'Schleife: Ihr Server oder eine Weiterleitung schickt Mail an uns zurück. Bitte prüfen Sie, wohin er diese Domains zustellt, und geben Sie die Nachrichten danach frei.',
      'other-refusal':
        'Andere Ablehnungen: Bitte lesen Sie die Worte Ihres Servers, die oben zitiert sind. Geben Sie die Nachrichten frei, wenn die Ursache behoben ist.',
    },
    decide:
      'Entscheiden Sie dann über jede Nachricht. Wenden Sie sich an Ihren Provider, und nennen Sie die ID der Nachricht und was mit ihr geschehen soll.',
    operator: (isExample) =>
      `Wenn Sie das Relay selbst betreiben, sind das die Befehle${isExample ? ', hier für die erste Nachricht' : ''}:`,
    release: 'Noch einmal zustellen, wenn Ihr Server sie jetzt annimmt:',
    requeue: 'Über eine andere Route zustellen, die Sie nennen:',
    redirect: 'An eine andere Adresse zustellen, die Sie nennen:',
    remove: 'Löschen; niemand erfährt davon, und es gibt kein Zurück:',
    placeholders: { route: 'ROUTE', address: 'ADRESSE' },
  },
  server: {
    subject: {
      down: (route) => `Ihr Mailserver ist nicht erreichbar (${route})`,
      stillDown: (route, count) =>
        `Ihr Mailserver ist weiterhin nicht erreichbar (${route}), ${messages(count)} ${count.n === 1 ? 'wartet' : 'warten'}`,
      up: (route) => `Ihr Mailserver ist wieder erreichbar (${route})`,
      drained: (route) => `Zustellung nach dem Ausfall Ihres Mailservers (${route})`,
    },
    down: (route, since) => `Seit ${since} erreichen wir Ihren Mailserver (Route ${route}) nicht.`,
    stillDown: (route, since) =>
      `Wir erreichen Ihren Mailserver (Route ${route}) weiterhin nicht. Er ist ausgefallen seit ${since}.`,
    up: (route, now, lasted) =>
      `Ihr Mailserver (Route ${route}) ist wieder erreichbar: ${now}. Dauer des Ausfalls: ${lasted}.`,
    seen: 'Was wir sahen',
    knownKept: 'Mail an Empfänger, von denen wir wissen, dass es sie gibt, nehmen wir an und bewahren sie auf.',
    unsureDeferred:
      'Mail an Empfänger, die wir jetzt nicht prüfen können, weisen wir vorläufig ab: Der sendende Server bekommt einen vorübergehenden Fehler und versucht es später wieder, in der Regel mehrere Tage lang.',
    knownRefused: 'Mail an Empfänger, von denen wir wissen, dass es sie nicht gibt, lehnen wir ab wie immer.',
    tried:
      'Wir versuchen die Zustellung weiter. Was innerhalb der Zustellfrist nicht ankommt, halten wir zurück, bis Sie entscheiden. Es wird weder gelöscht noch zurückgeschickt.',
    triedUntil: (until) =>
      `Wir versuchen die Zustellung weiter, bei der ältesten wartenden Nachricht bis ${until}. Danach halten wir sie zurück, bis Sie entscheiden. Sie wird weder gelöscht noch zurückgeschickt.`,
    check:
      'Bitte prüfen Sie, ob der Server läuft und für uns erreichbar ist: Strom, Netz, Firewall, SMTP-Dienst, Zertifikat.',
    noNeed:
      'Sobald er wieder da ist, merken wir es selbst und stellen zu, was wartet, das Älteste zuerst. Dafür brauchen Sie nichts zu tun.',
    planned:
      'Ist der Ausfall geplant, lassen Sie ihn von Ihrem Provider als Wartung eintragen: Dann zählt seine Zeit nicht zur Zustellfrist Ihrer Mail. Der Befehl lautet',
    standing:
      'Voraussetzung R5 unseres Relays ist, dass Ihr Server in der Regel dauerhaft online ist und eine feste IP-Adresse hat. Ein einzelner Ausfall verstößt nicht dagegen.',
    drained: (count, took) =>
      `Zugestellt haben wir ${messages(count)}, die gewartet ${count.n === 1 ? 'hatte' : 'hatten'}; das dauerte ${took}.`,
    draining: (count) =>
      `${messages(count)} ${count.n === 1 ? 'wartet' : 'warten'}. Wir stellen jetzt zu, das Älteste zuerst und behutsam, damit Ihr Server nicht überlastet wird.`,
    drainedSince: (route, upSince) =>
      `Ihr Mailserver (Route ${route}) ist wieder erreichbar seit ${upSince}. Das ist aus der Mail geworden, die auf ihn gewartet hat.`,
    putOff: (count) =>
      `${messages(count)} ${count.n === 1 ? 'wartet' : 'warten'} noch: Ihr Server hat sie vertröstet. Wir versuchen es weiter.`,
    nothingWaited: 'Für diesen Server wartet nichts.',
    someHeld: (count) => `${messages(count)} ${count.n === 1 ? 'ist' : 'sind'} zurückgehalten, bis Sie entscheiden.`,
    someHeldToDo:
      'Bitte entscheiden Sie über die zurückgehaltenen Nachrichten. Wie, steht in der Liste, die wir Ihnen gesondert schicken.',
    nothingToDo: 'Sie brauchen nichts zu tun.',
    placeholders: { time: 'ZEIT' },
  },
  removed: {
    opening: 'Ein Teil dieser Nachricht wurde entfernt, bevor sie Ihnen zugestellt wurde.',
    files: 'Datei:',
    why: 'Grund:',
    because: {
      malware: (name) => `Ein Virenscanner hat darin Schadsoftware gefunden (${name})`,
      suspicious: (symbol) => `Das sieht aus wie Schadsoftware (${symbol})`,
      file: 'Dateien dieser Art werden hier nicht angenommen',
      macro: 'Das ist eine Office-Datei mit Makros',
      encrypted: 'Das ist verschlüsselt und kann nicht geprüft werden',
      broken: 'Das ist beschädigt und kann nicht geprüft werden',
      'over-limit': 'Das ist zu tief verpackt oder zu groß und kann nicht geprüft werden',
    },
    otherWay: 'Wenn Sie diesen Teil erwartet haben, bitten Sie den Absender, ihn auf einem anderen Weg zu senden.',
    ask: (postmaster, id) =>
      `Bei Fragen wenden Sie sich an ${postmaster ?? 'den Betreiber Ihrer Mail'} und nennen Sie diese Nummer: ${id}`,
    sender: 'Der Absender wurde nicht benachrichtigt.',
    fileName: 'entfernt.txt',
  },
  login: {
    subject: (login) => `Das Login ${login} ist gesperrt: Es sieht gestohlen aus`,
    opening: (login) =>
      `Mit dem Login ${login} versendet jemand Mail, wie es Spammer tun. Darum haben wir es gesperrt, auch zu Ihrem Schutz: Andere Server würden sonst bald all Ihre Mail ablehnen.`,
    locked: 'Gesperrt',
    why: 'Was wir sahen',
    sign: {
      'unknown-recipients': (count, of) =>
        `${count.text} von ${of.text} Empfängern innerhalb einer Stunde gibt es nicht, wie in einer gekauften oder erratenen Liste`,
      malware: (count) => `Nachrichten mit Schadsoftware innerhalb einer Stunde: ${count.text}, jede abgelehnt`,
      'sudden-volume': (count, of) =>
        `${count.text} Empfänger innerhalb einer Stunde; bisher waren es höchstens ${of.text}`,
      'keeps-sending': (count) => `${count.text} weitere Empfänger, nachdem wir das Login gebremst hatten`,
      bounces: (count, of) =>
        `${count.text} von ${of.text} Empfängern innerhalb eines Tages gibt es nicht, wie ihre Server sagten`,
      complaints: (count, of) =>
        `${count.text} von ${of.text} Empfängern innerhalb einer Woche haben die Mail als Spam gemeldet`,
      'many-domains': (count, of) =>
        `Empfänger bei ${count.text} Domains innerhalb einer Stunde; bisher waren es höchstens ${of.text}`,
      'new-network': (count) =>
        `${count.text} Empfänger innerhalb einer Stunde aus Netzen, in denen es bisher nie benutzt wurde`,
    },
    refused:
      'Mit diesem Login kann nichts gesendet werden, auch nicht mit dem richtigen Passwort. Wer es benutzt, erfährt den Grund.',
    held: 'Was damit gesendet wurde und noch nicht fort ist, halten wir zurück. Es geht hinaus, wenn das Login entsperrt wird, falls es nicht vorher gelöscht wird.',
    others: 'Ihre anderen Logins und Ihre Server senden wie bisher. Mail an Sie kommt an wie bisher.',
    ask: 'Bitte fragen Sie, ob das ein eigener Versand war. Wenn ja, ist die Empfängerliste schlecht: Bitte lassen Sie sie bereinigen.',
    change:
      'Wenn nicht, kennt jemand anderes das Passwort. Bitte lassen Sie die Geräte auf Schadsoftware prüfen, und setzen Sie ein anderes Passwort; Geräte mit eigenem Anwendungspasswort brauchen auch ein neues.',
    unlock: 'Lassen Sie das Login danach von Ihrem Provider entsperren.',
    operator: 'Wenn Sie das Relay selbst betreiben, sind das die Befehle:',
    look: 'Von wo das Login benutzt wurde:',
    sent: 'Was damit gesendet wurde und zurückgehalten wird:',
    remove: 'Löschen, was ein Dieb gesendet hat, mit der ID aus dieser Liste:',
    passwd: 'Ein anderes Passwort:',
    open: 'Entsperren:',
  },
  senderDomain: {
    subject: {
      going: (domain) => `Der DNS-Eintrag von ${domain} fehlt: Bald können Sie damit nicht mehr senden`,
      revoked: (domain) => `Mit ${domain} können Sie nicht mehr senden`,
    },
    going: (domain, until) =>
      `Sie dürfen über uns mit ${domain} als Absender senden, weil ein Eintrag im DNS der Domain das sagt. Der Eintrag fehlt jetzt. Bleibt es dabei, können Sie mit ${domain} nur noch senden bis ${until}.`,
    revoked: (domain, now) =>
      `Der Eintrag, der Ihnen das Senden mit ${domain} erlaubt, fehlt im DNS, und die Schonfrist ist vorbei. Solche Mail nehmen wir nicht mehr an seit ${now}.`,
    name: 'TXT-Eintrag',
    text: 'Sein Text',
    until: 'Bis dahin senden Sie wie bisher. Wir suchen jede Stunde nach dem Eintrag.',
    noAnswer: 'Wenn die Nameserver gar nicht antworten, wird Ihnen nichts genommen.',
    refused: 'Ihre Server und Nutzer erhalten eine Ablehnung (550), wenn sie mit dieser Domain senden.',
    unsigned: 'Die DKIM-Schlüssel der Domain bei uns signieren nichts mehr.',
    others: 'Ihre anderen Domains sind nicht betroffen. Mail an Sie kommt an wie bisher.',
    publish:
      'Bitte lassen Sie den Eintrag wieder veröffentlichen, mit genau diesem Text. Mehr brauchen Sie nicht zu tun.',
    publishAgain:
      'Bitte lassen Sie den Eintrag wieder veröffentlichen, mit genau diesem Text. Wir sehen ihn binnen Minuten, und Sie können wieder senden.',
    onPurpose:
      'Wenn Sie mit dieser Domain nicht mehr senden, lassen Sie sie bitte von Ihrem Provider aus Ihren Einstellungen entfernen.',
    operator: 'Wenn Sie das Relay selbst betreiben, sind das die Befehle:',
    show: 'Der Eintrag zum Einfügen:',
    look: 'Jetzt danach suchen:',
  },
  maintenance: {
    subject: {
      began: (route) => `Die Wartung hat begonnen (${route})`,
      ending: (route) => `Die Wartung endet bald (${route})`,
      ended: (route) => `Die Wartung ist beendet (${route})`,
    },
    began: (route, until) =>
      `Wegen Wartung stellen wir Ihrem Mailserver (Route ${route}) keine Mail zu, und zwar bis ${until}.`,
    ending: (route, until) =>
      `Die Wartung Ihres Mailservers (Route ${route}) endet bald. Wir beginnen wieder zuzustellen: ${until}.`,
    ended: (route, now) =>
      `Die Wartung Ihres Mailservers (Route ${route}) ist beendet. Wir stellen wieder zu seit ${now}.`,
    reason: 'Grund',
    paused: 'Was wir angenommen haben, wartet hier. Die Zeit der Wartung zählt nicht zur Zustellfrist.',
    resumes: 'Am Ende stellen wir zu, was wartet, das Älteste zuerst und behutsam.',
    beReady: 'Bitte sorgen Sie dafür, dass Ihr Server am Ende der Wartung Mail annehmen kann.',
    endEarly: 'Sind Sie früher fertig, sagen Sie es Ihrem Provider, oder wenn Sie das Relay selbst betreiben:',
    prolong: 'Brauchen Sie mehr Zeit, sagen Sie es Ihrem Provider, oder wenn Sie das Relay selbst betreiben:',
  },
}
