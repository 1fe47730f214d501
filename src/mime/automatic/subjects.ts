/**
 * What subjects say in many languages: failures of delivery, absences, automatic answers, challenges.
 *
 * A subject alone decides nothing, because people quote them; each list is one piece of evidence among several. Subjects
 * come decoded and cut. The words are those that products write.
 */

/** Of a subject, in characters. */
export const SUBJECT_CHARACTERS_MAX = 500

const any = (...sources: readonly string[]): RegExp => new RegExp(sources.join('|'), 'i')

const FAILURE = any(
  '^undeliver(?:able|ed)',
  '^(?:re: ?)?undeliverable message',
  'undelivered (?:mail|message)|^returned mail|returned to sender|returning (?:message )?to sender',
  'fail(?:ure|ed)?[ _-](?:notice|delivery|notification)|delivery[ _-](?:has )?(?:fail|status|problem|error|delayed)|^delivery (?:report|notification)',
  'mail (?:delivery|system) (?:fail|error|problem|subsystem)|^mail (?:error|failure)|mail (?:could not be|not) (?:delivered|sent)',
  '(?:message|mail) (?:delivery |could not be |was not |not )?(?:delivered|delayed|undeliverable|bounced|failed)|message delivery has failed',
  'non[ -]?deliver(?:y|able)|non remis|^delay(?:ed)? (?:mail|message|delivery)|^warning: (?:could not send|message)',
  'postmaster notify|smtp server: errors from|nameserver error|error sending your mail|automatically rejected mail|permanent delivery|rejected (?:mail|message|posting)|blocked message',
  'not delivered|could not be delivered|user unknown|no such user|not listed in|delivery incomplete|there was an error sending',
  // German
  'unzustellbar|nicht zu(?:ge)?stell|zustell(?:ung|ungs)?[ -]?(?:fehl|fehlgeschlagen|benachrichtigung|status|bericht|verz)|(?:nachricht|e-?mail|mail)[^:]{0,30}(?:konnte nicht|nicht (?:zugestellt|zustellbar)|verz[oö]gert)|fehler bei der (?:zustellung|[uü]bermittlung)|[uü]bermittlungsstatus|r[uü]cksendung|zustellung[^:]{0,30}fehlgeschlagen|unzustellbarkeit',
  // French, Spanish, Italian, Portuguese, Dutch, Polish, others
  "non (?:remis|distribu|d[eé]livr)|[eé]chec de (?:la )?(?:remise|livraison|distribution)|impossible de remettre|notification d'[eé]tat de (?:remise|distribution)|message non",
  'no (?:se )?(?:ha podido|pudo|se puede) (?:ser )?entregar|no entregad|(?:error|fallo|estado) (?:en|de) (?:la )?entrega|devuelto al remitente|correo devuelto',
  'mancata consegna|non recapitat|consegna non riuscita|impossibile (?:recapitare|consegnare)|notifica (?:dello )?stato (?:di )?(?:consegna|recapito)|mancato recapito',
  'n[aã]o (?:foi )?(?:entreg|p[oô]de)|falha (?:na|de) entrega|devolvid|status d[ae] entrega',
  'onbestelbaar|kon niet worden (?:afgeleverd|bezorgd)|niet (?:afgeleverd|bezorgd)|bezorging mislukt|status van bezorging',
  'nie (?:mo[zż]na|dostarczon|dor[eę]czon|uda[lł]o)|niedor[eę]czon|niedostarczon|wiadomo[sś][cć] odrzucona|zwrot (?:wiadomo|poczty)|b[lł][aą]d (?:dostarczania|wysy)',
  'kunde inte levereras|kunne ikke leveres|ikke lever|oleveransbar|toimitus ep[aä]onnistui|nem k[eé]zbes[ií]thet|nedoru[cč]|teslim edilemedi|neizdevās',
  'не доставлен|недоставлен|не может быть доставлен|ошибка доставки|не вдалося доставити',
  'メールエラー|配信(?:エラー|不能|できません)|送信できません|届けられません|返送|配達不能|送信エラー',
  '退信|投[递遞]失[败敗]|[传傳][输輸]失[败敗]|[无無]法(?:投|送)|[寄发發]送失[败敗]|系统退信|邮件传输|반송|전송 ?실패|발송 ?실패',
)

/** A failure or a delay of delivery. */
export const isFailureSubject = (subject: string): boolean => FAILURE.test(subject)

const ABSENCE = any(
  '^(?:re: |aw: )?(?:\\[?auto(?:matic|matische|mated)?[- ]?(?:reply|response|antwort)\\]?:? )?out of (?:the )?office',
  '\\bout[- ]of[- ]office\\b|\\booo\\b[: ]|away from (?:the |my )?(?:office|desk|mail|e-?mail)|^(?:i am|i.m) (?:away|on (?:vacation|holiday|leave))|on (?:annual leave|vacation|holiday)|vacation (?:reply|message|notice|auto)|^vacation|holiday (?:notice|message)|maternity leave|^absen(?:ce|t)\\b|currently (?:away|out)',
  'abwesen(?:d|heit)|nicht (?:im|in) (?:b[uü]ro|haus)|urlaubs?(?:notiz|nachricht|meldung|vertretung|abwesen)|^urlaub|bin (?:im urlaub|nicht (?:da|erreichbar))|au(?:ß|ss)er haus|elternzeit|dienstreise',
  "absen(?:ce|t) (?:du|de) bureau|absence du|^absence|en cong[eé]s?|r[eé]ponse automatique d'absence|message d'absence|actuellement absent",
  'fuera de (?:la )?oficina|de vacaciones|ausen(?:te|cia)|ausente da|fora do escrit[oó]rio|f[eé]rias',
  'fuori (?:sede|ufficio)|assen(?:te|za)|in ferie',
  'niet op kantoor|afwezig|met vakantie|op vakantie|buiten kantoor',
  'nieobecno|poza biurem|urlop',
  'fr[aå]nvaro|p[aå] semester|fravær|ikke p[aå] kontoret|poissa|lomalla|szabads[aá]g|mimo kancel[aá]|dovolen[aá]|atvalin|ofis d[iı][sş][iı]nda|izinde',
  'отсутств|вне офиса|в отпуске|відпуст',
  '不在|休暇|外出|休假|外出|不在办公室|부재중|휴가',
)
const ANSWER = any(
  '^(?:re: ?)?(?:\\[?\\W{0,2})?(?:auto(?:mated|matic)?[- _]?(?:reply|response|respons|responder|answer|acknowledg|generated))',
  'auto[- ]?(?:reply|responder?|respons)\\b|automat(?:ic|ed)(?:ally)? (?:reply|response|answer|acknowledg)|this is an automated? (?:reply|response)|automatic confirmation of receipt',
  'automatische? ?(?:r|s|n)? ?(?:antwort|r[uü]ckantwort|beantwort|empfangsbest|eingangsbest|abwesenheit)|autom\\. antwort|eingangsbest[aä]tigung',
  'r[eé]ponse auto|r[eé]pondeur|accus[eé] (?:de )?r[eé]ception automatique',
  'respuesta autom|resposta autom|risposta autom|automatisch antwoord|automatische reactie|automatyczna odpowied|autosvar|automatiskt? svar|automaattinen vastaus|automatikus v[aá]lasz|automatick[aá] odpov|otomatik (?:yan[iı]t|cevap)|r[aă]spuns automat|automātisk',
  'автоответ|автоматический ответ|автоматична відповідь',
  '自動(?:返信|応答)|自动(?:回复|答复|應答)|自動回覆|자동 ?(?:회신|응답)|رد تلقائي|תשובה אוטומטית',
)
const CHALLENGE = any(
  '(?:please|bitte)? ?(?:confirm|verify|authenticate) (?:your )?(?:message|e-?mail|mail|delivery|sender|address)[^:]{0,40}(?:to|$)',
  '\\(?action required\\)?$|sender (?:verification|authentication|address verification)|(?:mail|message|e-?mail) (?:verification|authentication) (?:required|request)|challenge[ /-]response',
  'your (?:mail|message|email)[^:]{0,30}(?:requires|awaits|needs) (?:confirmation|verification|authentication|approval)|confirmation (?:required|needed) (?:for|to deliver)|approve your (?:message|email)',
  'best[aä]tigung (?:ihrer|deiner) (?:e-?mail|nachricht) erforderlich|spamarrest|boxbe|tmda|waitlist',
)

export const isAbsenceSubject = (subject: string): boolean => ABSENCE.test(subject)
export const isAnswerSubject = (subject: string): boolean => ANSWER.test(subject)
export const isChallengeSubject = (subject: string): boolean => CHALLENGE.test(subject)
/** One test for the hot path: any of the above. */
export const isTellingSubject = (subject: string): boolean =>
  isFailureSubject(subject) || isAnswerSubject(subject) || isAbsenceSubject(subject) || isChallengeSubject(subject)
