/**
 * Names that are played to get at passwords and money, and the domains whose mail and pages are theirs. Written for this
 * project, from who is named in public reports on phishing.
 *
 * A line: names as shown, divided by `,`; then `:` and the registrable domains. `amazon.*` is that label below any plain
 * suffix (`amazon.de`, `amazon.co.uk`). A name with `?` is also an ordinary word or another firm's: it counts only where
 * nothing but words for an office stand beside it (`Apple Support`).
 */
const LINES = `
paypal: paypal.* paypal-communication.com paypalobjects.com paypal-prepaid.com paypalcorp.com synchrony.com
microsoft, office 365, office365, microsoft 365, outlook?, onedrive, sharepoint, ms teams, hotmail, azure?, o365, windows defender: microsoft.com microsoftonline.com office.com office365.com outlook.com live.com sharepoint.com onedrive.com windows.com azure.com msn.com hotmail.com microsoft365.com skype.com bing.com xbox.com linkedin.com github.com cloud.microsoft microsoftemail.com onmicrosoft.com windowsupdate.com office.net sharepointonline.com
google?, gmail, google drive, google docs, google workspace, google pay, youtube: google.* gmail.com youtube.com googlemail.com googleapis.com gstatic.com goo.gl googleusercontent.com google.com blogger.com
apple?, icloud, apple id, itunes, app store, apple pay: apple.com icloud.com me.com mac.com itunes.com apple.news cdn-apple.com applecard.apple mzstatic.com
amazon?, amazon prime, aws?, amazon web services, prime video: amazon.* amazonses.com amazonaws.com media-amazon.com primevideo.com amazonpay.com aws.dev amazonvideo.com audible.com awscloud.com aboutamazon.com aws.com awstrack.me
facebook, meta business, instagram, whatsapp, meta platforms: facebook.com facebookmail.com instagram.com whatsapp.com meta.com metamail.com fb.com fb.me fbcdn.net messenger.com threads.net
netflix: netflix.com nflxext.com nflximg.net
linkedin: linkedin.com licdn.com
dhl, dhl express: dhl.* dhl-news.com dpdhl.com dhl-express.com deutschepost.de dhlparcel.nl dhlecommerce.com
deutsche post: deutschepost.de dhl.de dpdhl.com
fedex: fedex.com fedexemail.com
ups?, united parcel service: ups.com upsemail.com
usps, united states postal service, us postal service: usps.com usps.gov
dpd: dpd.* dpdgroup.com dpd.de
hermes?, evri: hermesworld.com myhermes.de evri.com hermes-europe.co.uk
gls: gls-group.eu gls-group.com gls-pakete.de gls.de
royal mail: royalmail.com royalmail.co.uk
la poste, chronopost, colissimo: laposte.fr laposte.net chronopost.fr colissimo.fr
postnl: postnl.nl
swiss post, die post?, la posta: post.ch swisspost.ch post.at
docusign: docusign.com docusign.net docusign.eu
adobe, adobe acrobat, adobe sign: adobe.com adobesign.com echosign.com adobe.io adobecc.com
dropbox: dropbox.com dropboxmail.com dropboxusercontent.com dropboxstatic.com
wetransfer: wetransfer.com wetransfer.net we.tl
zoom?: zoom.us zoom.com
sharefile, citrix?: sharefile.com citrix.com citrixdata.com sharefile.eu
norton?, lifelock, norton lifelock, norton life lock, nortonlifelock, norton 360, norton antivirus, norton alert, norton security: norton.com lifelock.com nortonlifelock.com gendigital.com
mcafee: mcafee.com
geek squad, best buy, bestbuy: geeksquad.com bestbuy.com
coinbase: coinbase.com
binance: binance.com binance.us
metamask: metamask.io
trust wallet, trustwallet: trustwallet.com
ledger?, ledger live: ledger.com
trezor: trezor.io
kraken?: kraken.com
crypto.com: crypto.com
blockchain.com: blockchain.com
bank of america, bankofamerica, boa?: bankofamerica.com bofa.com
wells fargo, wellsfargo: wellsfargo.com
chase?, jpmorgan, jp morgan, chase bank: chase.com jpmorgan.com jpmorganchase.com jpmchase.com
citi?, citibank, citi bank, citigroup: citi.com citibank.com citigroup.com
capital one, capitalone: capitalone.com
american express, amex: americanexpress.com aexp.com aexpfeedback.com americanexpress.co.uk
mastercard: mastercard.com mastercard.us
visa?: visa.com visa.co.uk
discover?, discover card: discover.com discovercard.com
us bank, usbank: usbank.com
charles schwab, schwab: schwab.com
fidelity?, fidelity investments: fidelity.com
interactive brokers: interactivebrokers.com ibkr.com interactivebrokers.co.uk
td bank: td.com tdbank.com
navy federal: navyfederal.org
hsbc: hsbc.* hsbc.com hsbcnet.com
barclays: barclays.* barclaycard.co.uk
lloyds bank, lloyds?: lloydsbank.com lloydsbank.co.uk lloydsbanking.com
natwest: natwest.com
santander: santander.* gruposantander.com
nationwide?: nationwide.co.uk nationwide.com
revolut: revolut.com
wise?, transferwise: wise.com transferwise.com
n26: n26.com
klarna: klarna.com klarna.de
western union: westernunion.com
moneygram: moneygram.com
venmo: venmo.com
cash app, cashapp: cash.app squareup.com square.com
zelle: zellepay.com
stripe?: stripe.com
sparkasse, sparkassen: sparkasse.de sparkasse.at sparkassen.de s-finanzportal.de dsgv.de
volksbank, raiffeisenbank, volksbanken, vr bank, vr banking: vr.de volksbank.de volksbank.at raiffeisen.at raiffeisen.ch vr-bank.de atruvia.de raiffeisenbank.at
postbank: postbank.de
deutsche bank: deutsche-bank.de db.com
commerzbank: commerzbank.de commerzbank.com
comdirect: comdirect.de
ing diba, ing?, ing bank: ing.* ing-diba.de ing.com
dkb, deutsche kreditbank: dkb.de
targobank: targobank.de
hypovereinsbank, unicredit: hypovereinsbank.de unicredit.* unicreditgroup.eu
bawag: bawag.at bawagpsk.com
ubs?: ubs.com
postfinance: postfinance.ch
bnp paribas: bnpparibas.com bnpparibas.net bnpparibas.fr
credit agricole: credit-agricole.fr
societe generale: societegenerale.fr societegenerale.com
la banque postale: labanquepostale.fr
bbva: bbva.es bbva.com bbva.mx
caixabank, la caixa: caixabank.es caixabank.com
intesa sanpaolo: intesasanpaolo.com
poste italiane, postepay: poste.it posteitaliane.it
rabobank: rabobank.nl rabobank.com
abn amro: abnamro.nl abnamro.com
telekom?, t online, deutsche telekom, magenta?: telekom.de t-online.de telekom.com t-mobile.com magenta.at t-mobile.at
vodafone: vodafone.* vodafone.com
1 und 1, 1 1 ionos, ionos, 1and1: ionos.* 1und1.de 1and1.com 1and1.de kundenserver.de
strato?: strato.de strato.com
web de, gmx: web.de gmx.net gmx.de gmx.com gmx.at gmx.ch 1und1.de united-internet.de
hetzner: hetzner.com hetzner.de hetzner.cloud
ovh, ovhcloud: ovh.com ovhcloud.com ovh.net ovh.de
godaddy: godaddy.com secureserver.net
at t, att?, at t yahoo: att.com att.net att-mail.com attmail.com
verizon: verizon.com verizonwireless.com
xfinity, comcast: xfinity.com comcast.net comcast.com
spectrum?: spectrum.com charter.com
yahoo: yahoo.* yahooinc.com yahoo-inc.com ymail.com
aol: aol.com aol.de aol.co.uk
cpanel: cpanel.net cpanel.com
roundcube: roundcube.net
zimbra: zimbra.com synacor.com
sendgrid, twilio: sendgrid.com twilio.com sendgrid.net
mailchimp: mailchimp.com intuit.com mandrillapp.com
intuit?, quickbooks, turbotax: intuit.com quickbooks.com turbotax.com
xero?: xero.com
shopify: shopify.com shopifyemail.com myshopify.com
ebay: ebay.* ebayinc.com ebay.com ebaystatic.com
etsy: etsy.com
aliexpress, alibaba, alibaba com: aliexpress.com alibaba.com alibabagroup.com
walmart: walmart.com walmart.ca
costco: costco.com costco.ca costco.co.uk
sams club, sam s club, sam club, samsclub, sams?, sam s?, our sams?: samsclub.com
home depot: homedepot.com homedepot.ca
lowes, lowe s: lowes.com lowes.ca
ace hardware, ace?: acehardware.com
harbor freight: harborfreight.com
tractor supply: tractorsupply.com
dick s?, dicks sporting, dick s sporting, dick s sporting goods: dicks.com dickssportinggoods.com
kohls, kohl s: kohls.com
macys, macy s: macys.com
target?: target.com
cvs?, cvs pharmacy, cvs health, cvs medicare: cvs.com cvshealth.com
walgreens: walgreens.com
state farm: statefarm.com
unitedhealthcare, united healthcare: uhc.com unitedhealthcare.com
blue cross, bluecross, blue shield, bluecross blueshield: bcbs.com bluecrossma.org anthem.com bluecrossmn.com bcbsm.com
aarp: aarp.org
aaa?: aaa.com calif.aaa.com
mcdonalds, mcdonald s: mcdonalds.com
starbucks: starbucks.com
o reilly auto, oreilly auto: oreillyauto.com
autozone: autozone.com
advance auto: advanceautoparts.com
omaha steaks: omahasteaks.com
southwest airlines: southwest.com iluv.southwest.com
delta air lines, delta airlines: delta.com
spotify: spotify.com
disney plus, disney?: disney.com disneyplus.com go.com d23.com disneystore.com disney.co.uk
hulu: hulu.com hulumail.com
steam?, steam support: steampowered.com steamcommunity.com valvesoftware.com
roblox: roblox.com
pandora jewelry, pandora?: pandora.net pandoragroup.com pandora.com
ring?, ring doorbell: ring.com
booking com: booking.com
airbnb: airbnb.com airbnbmail.com
expedia: expedia.com expediamail.com
ikea: ikea.* ikea.com
lidl: lidl.* lidl.com
aldi, aldi sued, aldi nord: aldi.* aldi-sued.de aldi-nord.de
rewe: rewe.de
edeka: edeka.de
media markt, mediamarkt: mediamarkt.* mediamarkt.com
zalando: zalando.* zalando.com
otto?: otto.de
kaufland: kaufland.* kaufland.com
deutsche bahn, bahncard: bahn.de deutschebahn.com bahncard.de
adac: adac.de
elster, finanzamt, bundeszentralamt fur steuern: elster.de bzst.de bund.de
bundesagentur fur arbeit: arbeitsagentur.de
zoll?: zoll.de bund.de
irs?, internal revenue service: irs.gov treasury.gov
hmrc, hm revenue: hmrc.gov.uk
social security administration: ssa.gov
national debt relief: nationaldebtrelief.com
medicare?: medicare.gov cms.gov hhs.gov
三井住友, smbc, vpass: smbc.co.jp smbc-card.com smbcgroup.com vpass.ne.jp
楽天, rakuten: rakuten.co.jp rakuten.com rakuten-card.co.jp rakuten-bank.co.jp rakuten-sec.co.jp rakuten.ne.jp
etc利用照会, etc meisai: etc-meisai.jp
jcbカード, myjcb, jcb?: jcb.co.jp jcb.com
イオンカード, イオン銀行, aeon card: aeon.co.jp aeonbank.co.jp aeoncard.co.jp
えきねっと, jr東日本: eki-net.com jreast.co.jp
メルカリ, mercari: mercari.com mercari.jp
三菱ufj, mufg: mufg.jp
みずほ銀行, mizuho: mizuhobank.co.jp mizuho-fg.co.jp
セゾンカード, saison card: saisoncard.co.jp
エポスカード, epos card: eposcard.co.jp
国税庁, 国税電子申告, etax?, e tax?: nta.go.jp
ヤマト運輸, クロネコヤマト: kuronekoyamato.co.jp
佐川急便: sagawa-exp.co.jp
日本郵便, 日本郵政: japanpost.jp
ドコモ, docomo: docomo.ne.jp
paypay?: paypay.ne.jp paypay-bank.co.jp
sbi証券, sbi新生銀行: sbisec.co.jp sbishinseibank.co.jp
野村證券, 野村証券: nomura.co.jp
ビューカード, viewカード: viewsnet.jp jreast.co.jp
アマゾン: amazon.co.jp amazon.com
マイクロソフト: microsoft.com
ezpass, e zpass, fastrak, sunpass: e-zpassny.com ezpassnj.com ezdrivema.com thetollroads.com sunpass.com bayareafastrak.org
`

export interface Brand {
  readonly name: string
  readonly names: readonly { readonly words: readonly string[]; readonly isCommon: boolean }[]
  readonly domains: ReadonlySet<string>
  /** Labels that are its own below any plain suffix. */
  readonly labels: ReadonlySet<string>
}

export const BRANDS: readonly Brand[] = LINES.trim()
  .split('\n')
  .map((line) => {
    const [shown = '', places = ''] = line.split(': ')
    const domains = places.split(' ')
    return {
      name: shown.split(',')[0]!.replace('?', ''),
      names: shown.split(',').map((name) => ({
        words: name.replace('?', '').trim().split(/[ .]/),
        isCommon: name.includes('?'),
      })),
      domains: new Set(domains.filter((domain) => !domain.endsWith('.*'))),
      labels: new Set(domains.filter((domain) => domain.endsWith('.*')).map((domain) => domain.slice(0, -2))),
    }
  })

/** Words that stand beside a name and make it an office of that firm. */
export const OFFICE: ReadonlySet<string> = new Set(
  `support service services customer care team security alert alerts account accounts billing help helpdesk desk info online bank
  banking notification notifications notice noreply reply no rewards reward membership member members mail email center centre
  department online secure update updates verification admin administrator payment payments invoice invoices card cards
  kundenservice kundendienst sicherheit konto service abteilung servicio cliente clientes servizio clienti soporte assistance
  deutschland germany austria osterreich schweiz france italia espana
  id the de at uk us usa inc llc ltd gmbh ag com co customers sicherheitsteam benachrichtigung giveaway survey loyalty program
  winner prize promo promotions shipping delivery express parcel tracking via driver road roadside kit points club gift gifts
  feedback offer offers deals deal shopper shoppers store stores insurance ins policy partner partners official exclusive special
  free your our hello update order orders hardware jewelry sporting goods voucher bonus thank you from`
    .trim()
    .split(/\s+/),
)
